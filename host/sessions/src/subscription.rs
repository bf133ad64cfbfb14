//! A reader's end of the event bus.

use std::sync::Arc;

use pairing_core::event::Cursor;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// An event in the shape for one interest.
#[derive(Debug, PartialEq, Eq)]
pub struct Routed {
    /// Its place in the journal; none for a live code that is sent again.
    pub id: Option<Cursor>,
    /// The event's name on this transport.
    pub name: String,
    /// JSON.
    pub body: Arc<str>,
}

/// Why a subscription ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionEnd {
    /// The reader was too slow. All up to `last` was delivered: resume after it.
    Overflow {
        /// The last event delivered, or the journal's head at subscribing.
        last: Cursor,
    },
    /// The host stops.
    HostStopping,
}

/// A subscriber's end. Dropping it unsubscribes.
pub struct Subscription {
    pub(crate) events: mpsc::Receiver<Arc<Routed>>,
    pub(crate) last: Cursor,
    pub(crate) stopping: CancellationToken,
}

impl Subscription {
    /// The next event. Cancel-safe.
    pub async fn next(&mut self) -> Result<Arc<Routed>, SubscriptionEnd> {
        match self.events.recv().await {
            Some(routed) => {
                self.last = routed.id.unwrap_or(self.last);
                Ok(routed)
            }
            None if self.stopping.is_cancelled() => Err(SubscriptionEnd::HostStopping),
            None => Err(SubscriptionEnd::Overflow { last: self.last }),
        }
    }

    /// All events after this place come through this subscription.
    pub fn position(&self) -> Cursor {
        self.last
    }
}
