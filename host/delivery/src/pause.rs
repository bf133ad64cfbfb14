//! A handler that is busy, paused or not there: nothing was tried, so nobody is
//! to blame, and the whole subscription waits a little.

use std::time::Duration;

use pairing_core::{clock::Timestamp, plugin::PluginError};

/// First and longest wait; in between it doubles.
const WAIT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// However long it says that it is paused: a new version may be active earlier.
const LONGEST: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(crate) struct Pause {
    until: Timestamp,
    last: Duration,
}

impl Pause {
    /// It was not called.
    pub(crate) fn not_called(&mut self, error: &PluginError, now: Timestamp) {
        let wait = match error {
            PluginError::Paused { retry_after: Some(after), .. } => (*after).clamp(WAIT.0, LONGEST),
            _ => {
                self.last = (self.last * 2).clamp(WAIT.0, WAIT.1);
                self.last
            }
        };
        self.until = self.until.max(now.after(wait));
    }

    /// It was called.
    pub(crate) fn called(&mut self) {
        *self = Self::default();
    }

    /// Until when nothing is to be handed over.
    pub(crate) fn until(&self, now: Timestamp) -> Option<Timestamp> {
        // A clock that was set back must not make it longer.
        (now < self.until && self.until.since(now) <= LONGEST).then_some(self.until)
    }
}
