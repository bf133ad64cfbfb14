//! One look at the page with given hooks: on a profile that is thrown away, in a
//! browser as a session's, with an agent from which no code comes.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use pairing_core::{
    engine::EngineEvent,
    id::SessionName,
    page_hooks::HooksReport,
    workflow::{EngineFailure, EngineFailureKind, EngineReport},
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until},
};

use crate::{
    engine::ChromiumEngine,
    failure::{cleared, failure},
    page_hooks::PageHooks,
    page_scripts::AgentMode,
    profile::Profile,
    run::Controls,
};

const STEP: &str = "trying the page's hooks";

/// Between two looks at a page that is still loading.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The agent's answer to `resolve`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resolved {
    found: BTreeMap<String, String>,
    missing: BTreeMap<String, String>,
    page_version: Option<String>,
}

impl ChromiumEngine {
    /// Leaves nothing behind; one at a time.
    pub(crate) async fn look_at_page(
        &self,
        hooks: Arc<PageHooks>,
    ) -> Result<HooksReport, EngineFailure> {
        let _turn = self.trials.lock().await;
        let parent = &self.config.profiles_dir;
        let seen = self.look(hooks).await;
        let cleared = match Profile::take_scratch(parent, self.user).await {
            Ok(scratch) => {
                let discarded = tokio::task::spawn_blocking(move || scratch.discard()).await;
                discarded
                    .unwrap_or_else(|error| Err(failure(EngineFailureKind::Other, STEP, error)))
            }
            Err(error) => Err(error),
        };
        if let Err(error) = cleared {
            // The next trial begins by removing it.
            tracing::warn!(%error, "the profile of a trial is left behind");
        }
        seen
    }

    async fn look(&self, hooks: Arc<PageHooks>) -> Result<HooksReport, EngineFailure> {
        let (to, mut events) = mpsc::channel(64);
        // The sender must live: a closed one would look like a change.
        let (_in_use, in_use) = watch::channel(hooks);
        let profile = Profile::take_scratch(&self.config.profiles_dir, self.user);
        let name = SessionName::host();
        let controls = self.begin(&name, profile, in_use, AgentMode::Trial, to).await?;
        // Should nobody wait for the trial any more, its browser ends all the same.
        let _abandon = controls.abandon.clone().drop_guard();
        let seen = watch_page(&controls, &mut events, &self.config.deadlines).await;
        controls.stop.cancel();
        controls.ended.cancelled().await;
        seen
    }
}

/// Until a code could be made and every part was found, or time is up.
async fn watch_page(
    controls: &Controls,
    events: &mut mpsc::Receiver<EngineEvent>,
    deadlines: &crate::config::Deadlines,
) -> Result<HooksReport, EngineFailure> {
    let until = Instant::now() + deadlines.trial;
    let mut makes_codes = false;
    loop {
        let is_over = tokio::select! {
            event = events.recv() => match event {
                Some(EngineEvent::Qr { payload, .. }) => {
                    if !payload.expose_secret().is_empty() {
                        let why = "a code came out of the page, which it must not in a trial";
                        return Err(failure(EngineFailureKind::Other, STEP, why));
                    }
                    makes_codes = true;
                    false
                }
                Some(EngineEvent::Report(EngineReport::ClientOutdated)) => {
                    let why = "the page refuses this browser as too old";
                    return Err(failure(EngineFailureKind::NavigationFailed, STEP, why));
                }
                Some(EngineEvent::Evidenced { report: EngineReport::Failed(failure), .. }) => {
                    return Err(failure);
                }
                Some(_) => false,
                None => return Err(failure(EngineFailureKind::Other, STEP, "the engine ended")),
            },
            () = sleep(LOOK_EVERY) => false,
            () = sleep_until(until) => true,
        };
        let resolved = resolve(controls, deadlines.look).await;
        let is_good = makes_codes && resolved.as_ref().is_some_and(|all| all.missing.is_empty());
        if !is_good && !is_over {
            continue;
        }
        let Some(Resolved { found, missing, page_version }) = resolved else {
            return Err(failure(
                EngineFailureKind::Deadline,
                STEP,
                "the page's agent does not answer",
            ));
        };
        let missing = missing.into_iter().map(|(part, why)| (part, cleared(&why))).collect();
        let page_version = page_version.map(|version| cleared(&version));
        return Ok(HooksReport { page_version, found, missing, makes_codes });
    }
}

async fn resolve(controls: &Controls, deadline: Duration) -> Option<Resolved> {
    let link = controls.status.borrow().link.clone()?;
    let answer = link.ask("resolve", Value::Null, deadline).await.ok()?;
    serde_json::from_value(answer).ok()
}
