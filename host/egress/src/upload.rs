//! Bodies on the way out.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use metrics::Counter;

use crate::error::EgressError;

/// A request's body has at most so many bytes.
pub(crate) const LIMIT: u64 = 1024 * 1024;

/// A body that is counted and ends at the limit. Trailers are left out.
pub(crate) struct Upload {
    inner: UnsyncBoxBody<Bytes, EgressError>,
    left: u64,
    sent: Counter,
    is_done: Arc<AtomicBool>,
}

impl Upload {
    /// Fails if the body is known to be too long.
    pub(crate) fn new<B>(body: B, sent: Counter) -> Result<Self, EgressError>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        let inner = body.map_err(|_| EgressError::RequestBody).boxed_unsync();
        if inner.size_hint().lower() > LIMIT {
            return Err(EgressError::RequestBodySize(LIMIT));
        }
        Ok(Self { inner, left: LIMIT, sent, is_done: Arc::default() })
    }

    /// Becomes true once nothing more of it will be sent.
    pub(crate) fn done(&self) -> Arc<AtomicBool> {
        self.is_done.clone()
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.is_done.store(true, Ordering::Release);
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = EgressError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, EgressError>>> {
        let Some(frame) = ready!(Pin::new(&mut self.inner).poll_frame(cx)?) else {
            return Poll::Ready(None);
        };
        let Ok(data) = frame.into_data() else { return Poll::Ready(None) };
        let length = data.len() as u64;
        let Some(left) = self.left.checked_sub(length) else {
            return Poll::Ready(Some(Err(EgressError::RequestBodySize(LIMIT))));
        };
        self.left = left;
        self.sent.increment(length);
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
