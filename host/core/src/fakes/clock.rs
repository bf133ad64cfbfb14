//! A clock that stands still until it is moved.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::clock::{Clock, Timestamp};

/// Moves only by [`FakeClock::advance`] and [`FakeClock::set_back`].
#[derive(Debug)]
pub struct FakeClock(watch::Sender<Timestamp>);

impl FakeClock {
    /// A clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(watch::Sender::new(now))
    }

    /// Moves on, and wakes all that waited for a time up to then.
    pub fn advance(&self, duration: Duration) {
        self.0.send_modify(|now| *now = now.after(duration));
    }

    /// Steps back, as when somebody sets the machine's clock.
    pub fn set_back(&self, duration: Duration) {
        self.0.send_modify(|now| *now = now.before(duration));
    }
}

impl Default for FakeClock {
    fn default() -> Self {
        Self::at(Timestamp(1_790_000_000_000))
    }
}

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    async fn sleep_until(&self, time: Timestamp) {
        let mut now = self.0.subscribe();
        // An error means that the clock is gone; then nothing will ever be due.
        if now.wait_for(|now| *now >= time).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
