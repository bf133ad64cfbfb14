//! The way back: to a version that was active before, without asking the past.

use pairing_core::{
    plugin::{PluginDigest, Slot},
    plugin_store::{Pin, PluginAction, PluginVersion},
};
use pairing_plugin_runtime::LoadedVersion;

use crate::{
    activate::Swap,
    errors::RegistryError,
    registry::Registry,
    reports::{Activated, Rollback},
};

/// So many versions back one can go.
const BACK: usize = 10;
/// So many lines of history are looked through for them.
const LINES: u32 = 1000;

impl Registry {
    /// Goes back: to the version before, to one that is named, or, while one is on
    /// trial and none is named, to no trial.
    ///
    /// # Errors
    /// There is nothing to go back to.
    pub async fn roll_back(&self, ask: Rollback) -> Result<Activated, RegistryError> {
        let _turn = self.changing(ask.slot).await;
        self.roll_back_as(PluginAction::Rollback, ask).await
    }

    /// The same for the host itself. The caller holds the slot's turn.
    pub(crate) async fn roll_back_as(
        &self,
        action: PluginAction,
        ask: Rollback,
    ) -> Result<Activated, RegistryError> {
        let mut change = self.change(ask.slot, action, &ask.who, &ask.why);
        let swap = match self.target(&ask).await {
            Ok(target) => {
                change.to = Some(target.info().digest.clone());
                let pins = self.pins_back(ask.slot, &target).await?;
                if !pins.is_empty() {
                    change.detail =
                        format!("{} sessions stay with the version that they have", pins.len());
                }
                Swap { change, active: target, canary: None, pins, is_new: false }
            }
            Err(error) => return Err(self.refused(change, error).await),
        };
        self.swap(swap).await
    }

    async fn target(&self, ask: &Rollback) -> Result<LoadedVersion, RegistryError> {
        let slot = ask.slot;
        let filled = self.0.parts.runtime.filled(slot);
        let on_trial = filled.as_ref().is_some_and(|filled| filled.canary.is_some());
        if ask.to.is_none()
            && on_trial
            && let Some(active) = self.active_version(slot).await?
        {
            return Ok(active);
        }
        let earlier = self.earlier(slot).await?;
        let version = match &ask.to {
            None => earlier.into_iter().next().ok_or_else(|| {
                RegistryError::Impossible(format!(
                    "no other version of slot `{}` was active before",
                    slot.as_str()
                ))
            })?,
            Some(digest) => {
                let version = self.find(slot, digest).await?;
                if earlier.iter().all(|earlier| earlier.digest != version.digest) {
                    return Err(RegistryError::Impossible(format!(
                        "{} {} is not among the last {BACK} versions that were active; `activate` \
                         makes it so, with all checks",
                        version.name, version.version
                    )));
                }
                version
            }
        };
        // A fresh copy, so that what it did before is not held against it.
        self.load(&version, true).await
    }

    /// The versions that were active before the present one, the last one first.
    pub(crate) async fn earlier(&self, slot: Slot) -> Result<Vec<PluginVersion>, RegistryError> {
        let versions = self.0.parts.store.versions(slot).await?;
        let changes = self.0.parts.store.changes(slot, None, LINES).await?;
        let active = self.active(slot);
        let mut earlier: Vec<PluginDigest> = Vec::new();
        // What a change was made from was active before it.
        for line in changes.into_iter().filter(|line| line.change.refusal.is_none()) {
            let Some(from) = line.change.from else { continue };
            if Some(&from) != active.as_ref() && !earlier.contains(&from) {
                earlier.push(from);
            }
        }
        earlier.truncate(BACK);
        let known = |digest: PluginDigest| {
            versions.iter().find(|version| version.digest == digest).cloned()
        };
        Ok(earlier.into_iter().filter_map(known).collect())
    }

    /// Sessions whose state the target can't read stay where they are, and so do
    /// those that were pinned to yet another version.
    async fn pins_back(
        &self,
        slot: Slot,
        target: &LoadedVersion,
    ) -> Result<Vec<Pin>, RegistryError> {
        let Some((_, reads)) = target.schemas() else { return Ok(Vec::new()) };
        let now = self.0.parts.clock.now();
        let mut pins = self.0.parts.store.pins().await?;
        pins.retain(|pin| pin.digest != target.info().digest);
        for session in self.0.parts.sessions.sessions().await? {
            let is_pinned = pins.iter().any(|pin| pin.session == session.name);
            if is_pinned || reads.contains(&session.state_schema) {
                continue;
            }
            let last = &self.0.parts.sessions;
            let inputs =
                last.inputs(&session.name, session.input_number.saturating_sub(1), 1).await?;
            let owner =
                inputs.last().map(|input| input.digest.clone()).or_else(|| self.active(slot));
            if let Some(digest) = owner {
                let why = format!(
                    "its state has schema {}, which the earlier version does not read",
                    session.state_schema
                );
                pins.push(Pin { session: session.name, digest, why, at: now });
            }
        }
        Ok(pins)
    }
}
