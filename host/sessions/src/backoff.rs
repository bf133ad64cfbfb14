//! How long a plugin that was busy or paused is left alone. Neither is a failure:
//! nothing was tried, so whoever can wait asks again.

use std::time::Duration;

use pairing_core::{clock::SharedClock, plugin::PluginError};

/// First and longest delay while a plugin is busy; in between it doubles.
const BUSY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// Nobody knows when a quarantined plugin gives way to another version.
const QUARANTINED: Duration = Duration::from_secs(5);
/// A pause that is about to end may be followed by another one.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// The waits of one call, from its first attempt on.
#[derive(Default)]
pub(crate) struct Backoff {
    /// The last delay because it was busy.
    busy: Duration,
}

impl Backoff {
    /// Returns when the call may be tried again after this error.
    pub(crate) async fn wait(&mut self, error: &PluginError, clock: &SharedClock) {
        match pause(error) {
            Some(pause) => clock.sleep_until(clock.now().after(pause)).await,
            None => {
                self.busy = (self.busy * 2).clamp(BUSY.0, BUSY.1);
                tokio::time::sleep(self.busy).await;
            }
        }
    }
}

/// How long a plugin is not to be called, if it is paused.
pub(crate) fn pause(error: &PluginError) -> Option<Duration> {
    match error {
        PluginError::Paused { retry_after, .. } => {
            Some(retry_after.unwrap_or(QUARANTINED).max(SHORTEST_PAUSE))
        }
        _ => None,
    }
}
