//! Looks from time to time whether the page still is what the file in use says.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use pairing_core::{
    clock::Timestamp,
    event::EventData,
    page_hooks::{HooksDigest, HooksReport},
    store::StoreError,
};
use rand::Rng;
use tokio_util::sync::CancellationToken;

use crate::{
    changing::what_is_missing,
    drift::{self, missing_of},
    registry::PageHooks,
};

/// After a start there is more to do than to look at the page.
const FIRST_LOOK: Duration = Duration::from_secs(300);

/// Tells all who listen what the host has to say.
#[async_trait]
pub trait Announce: Send + Sync + 'static {
    /// Writes it into the journal.
    async fn announce(&self, event: EventData) -> Result<(), StoreError>;
}

/// A look at the page.
#[derive(Debug, Clone)]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// With which file.
    pub digest: HooksDigest,
    /// What was found, or why the page could not be reached.
    pub found: Result<HooksReport, String>,
}

impl PageHooks {
    /// Looks at the page that is not linked, now, with the file in use. Who is to be
    /// told of a change hears of it.
    pub async fn check(&self, announce: &dyn Announce) -> Look {
        let _one = self.0.trying.lock().await;
        let digest = self.status().digest;
        let found = self.0.page.try_out(None).await.map_err(|error| error.to_string());
        let look = Look { at: self.0.clock.now(), digest, found };
        match &look.found {
            Ok(report) => {
                let missing = u32::try_from(missing_of(report).len()).unwrap_or(u32::MAX);
                metrics::gauge!("page_hooks_missing_parts").set(f64::from(missing));
                match report.is_good() {
                    true => tracing::info!("the page has all its parts"),
                    false => tracing::error!("{}", what_is_missing(report)),
                }
            }
            Err(why) => tracing::warn!(why, "the page could not be looked at"),
        }
        let alerts = {
            let mut state = self.state();
            state.last_look = Some(look.clone());
            state.drift.saw(look.found.as_ref().map_err(String::as_str))
        };
        for alert in alerts {
            tell(announce, alert).await;
        }
        look
    }

    /// Looks at the page on a schedule, and when another file is in use, until it is
    /// told to stop. Tells first if the active file can't be used.
    pub async fn run_canary(&self, announce: Arc<dyn Announce>, stopping: CancellationToken) {
        let refused = self.state().refused.clone();
        if let Some(why) = refused {
            tell(&*announce, drift::refused(&why)).await;
        }
        let Some(every) = self.0.config.canary_every else { return };
        let mut next = self.0.clock.now().after(jittered(every.min(FIRST_LOOK)));
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = self.0.changed.notified() => {}
                () = self.0.clock.sleep_until(next) => {}
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                _ = self.check(&*announce) => {}
            }
            next = self.0.clock.now().after(jittered(every));
        }
    }
}

/// The log has it, too.
async fn tell(announce: &dyn Announce, alert: EventData) {
    if let Err(error) = announce.announce(alert).await {
        tracing::warn!(%error, "an alert about the page could not be announced");
    }
}

/// A tenth more or less, so that many hosts do not knock at once.
fn jittered(duration: Duration) -> Duration {
    duration.mul_f64(rand::rng().random_range(0.9..=1.1))
}
