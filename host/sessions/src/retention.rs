//! Removes what is older than its retention, at the start and every hour.

use std::{sync::Arc, time::Duration};

use pairing_core::{clock::SharedClock, store::Records};
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(3600);

/// How long things are kept.
pub(crate) struct Retention {
    pub(crate) journal: Duration,
    /// Recorded inputs too.
    pub(crate) history: Duration,
}

impl Retention {
    pub(crate) async fn enforce(
        self,
        store: Arc<dyn Records>,
        clock: SharedClock,
        stopping: CancellationToken,
    ) {
        loop {
            let now = clock.now();
            match store.purge(now.before(self.journal), now.before(self.history)).await {
                Ok(0) => {}
                Ok(rows) => tracing::info!(rows, "old journal entries and history were removed"),
                Err(error) => {
                    tracing::warn!(%error, "old rows could not be removed; trying again in an hour");
                }
            }
            tokio::select! {
                () = clock.sleep_until(now.after(EVERY)) => {}
                () = stopping.cancelled() => return,
            }
        }
    }
}
