//! Time that stands still where the event is.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use async_trait::async_trait;
use pairing_core::clock::{Clock, Timestamp};

/// Set by hand.
#[derive(Default)]
pub(super) struct StoppedClock(AtomicU64);

impl StoppedClock {
    pub(super) fn set(&self, time: Timestamp) {
        self.0.store(time.0, Relaxed);
    }
}

#[async_trait]
impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Relaxed))
    }

    async fn sleep_until(&self, time: Timestamp) {
        tokio::time::sleep(time.since(self.now())).await;
    }
}
