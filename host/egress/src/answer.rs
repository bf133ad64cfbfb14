//! Bodies on the way in.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use metrics::Counter;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::{
    connection::Connection, destination::Destination, error::EgressError, mask::Mask, permit::Slot,
};

/// A handler reads at most so many bytes of one answer.
pub(crate) const LIMIT: u64 = 1024 * 1024;
/// What is left of an answer that nobody reads is read for so long, and so far, to
/// keep the connection.
const REST_TIME: Duration = Duration::from_secs(1);
const REST_BYTES: u64 = 64 * 1024;

/// What an answer holds on to until it was read.
pub(crate) struct Held {
    pub(crate) connection: Connection,
    pub(crate) destination: Arc<Destination>,
    pub(crate) upload_done: Arc<AtomicBool>,
    pub(crate) _slot: Slot,
}

impl Held {
    /// The answer ended as it should: whoever is next may have the connection.
    fn release(self) {
        // Else the request is still being sent.
        if self.upload_done.load(Ordering::Acquire) {
            self.destination.put_back(self.connection.used_now());
        }
    }
}

/// A body that is counted, has limits, and no secrets in it. Trailers are left out.
pub(crate) struct AnswerBody {
    /// None once all was read, or it failed.
    reading: Option<(Incoming, Held)>,
    left: u64,
    mask: Mask,
    received: Counter,
    between_bytes: Duration,
    /// The next bytes, or the end, must come before.
    patience: Pin<Box<Sleep>>,
    deadline: Instant,
}

impl AnswerBody {
    pub(crate) fn new(
        incoming: Incoming,
        held: Held,
        mask: Mask,
        received: Counter,
        between_bytes: Duration,
        deadline: Instant,
    ) -> Self {
        let patience = Box::pin(sleep_until(deadline.min(Instant::now() + between_bytes)));
        let reading = Some((incoming, held));
        let mut body =
            Self { reading, left: LIMIT, mask, received, between_bytes, patience, deadline };
        body.release_at_end();
        body
    }

    /// Does not wait to be asked once more: who has read all may never do.
    fn release_at_end(&mut self) {
        if let Some((_, held)) = self.reading.take_if(|(incoming, _)| incoming.is_end_stream()) {
            held.release();
        }
    }

    /// The connection is closed with the drop of what is held.
    fn fail(&mut self, error: EgressError) -> Option<Result<Frame<Bytes>, EgressError>> {
        self.reading = None;
        self.mask.finish();
        Some(Err(error))
    }

    /// Counts a piece and winds the clock up.
    fn take(&mut self, length: u64) -> Result<(), EgressError> {
        self.received.increment(length);
        self.left = self.left.checked_sub(length).ok_or(EgressError::ResponseBodySize(LIMIT))?;
        let now = Instant::now();
        if now >= self.deadline {
            return Err(EgressError::ReadTimeout);
        }
        self.patience.as_mut().reset(self.deadline.min(now + self.between_bytes));
        Ok(())
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = EgressError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, EgressError>>> {
        let body = self.get_mut();
        loop {
            let Some((incoming, _)) = &mut body.reading else {
                let rest = body.mask.finish();
                return Poll::Ready((!rest.is_empty()).then(|| Ok(Frame::data(rest))));
            };
            let frame = match Pin::new(incoming).poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    ready!(body.patience.as_mut().poll(cx));
                    return Poll::Ready(body.fail(EgressError::ReadTimeout));
                }
            };
            let data = match frame {
                None => {
                    if let Some((_, held)) = body.reading.take() {
                        held.release();
                    }
                    continue;
                }
                Some(Err(error)) => return Poll::Ready(body.fail(EgressError::from(&error))),
                // Trailers.
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            };
            if let Err(error) = body.take(data.len() as u64) {
                return Poll::Ready(body.fail(error));
            }
            body.release_at_end();
            let shown = body.mask.feed(data);
            if !shown.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(shown))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.reading.is_none() && self.mask.is_empty()
    }
}

/// A small answer that nobody wants to read must not cost its connection.
impl Drop for AnswerBody {
    fn drop(&mut self) {
        let Some((incoming, held)) = self.reading.take() else { return };
        if incoming.size_hint().lower() > REST_BYTES {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let rest = Limited::new(incoming, REST_BYTES as usize).collect();
                if let Ok(Ok(_)) = tokio::time::timeout(REST_TIME, rest).await {
                    held.release();
                }
            });
        }
    }
}
