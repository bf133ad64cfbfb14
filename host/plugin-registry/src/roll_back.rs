//! The way back: to a version that was active before, without asking the past.

use std::collections::HashSet;

use pairing_core::{
    plugin::Slot,
    plugin_store::{Pin, PluginAction},
};
use pairing_plugin_runtime::LoadedVersion;

use crate::{
    activate::{Swap, active_already, stay},
    earlier::BACK,
    errors::RegistryError,
    registry::Registry,
    reports::{Activated, Rollback},
};

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
        if let Some(digest) = &ask.to {
            change.to = self.find(ask.slot, digest).await.ok().map(|version| version.digest);
        }
        let going = async {
            let target = self.target(&ask).await?;
            change.to = Some(target.info().digest.clone());
            self.check_grants(&target).await?;
            let pins = self.pins_back(ask.slot, &target).await?;
            change.detail = self.told_back(ask.slot, pins.len());
            let change = change.clone();
            self.swap(Swap { change, active: target, canary: None, pins, is_new: false }).await
        };
        let gone = going.await;
        match gone {
            Ok(activated) => Ok(activated),
            Err(error) => Err(self.refused(change, error).await),
        }
    }

    fn told_back(&self, slot: Slot, pins: usize) -> String {
        let canary = self.0.parts.runtime.filled(slot).and_then(|filled| filled.canary);
        let ended = canary.map(|(canary, _)| {
            let info = canary.info;
            format!("the trial of {} {} ({}) ended", info.name, info.version, info.digest.short())
        });
        let stay = (pins > 0).then(|| stay(pins));
        [ended, stay].into_iter().flatten().collect::<Vec<_>>().join("; ")
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
        let version = match &ask.to {
            None => match self.last_good(slot).await? {
                Some(version) => version,
                None => return Err(self.nothing_before(slot).await),
            },
            Some(digest) => {
                let version = self.find(slot, digest).await?;
                if self.active(slot).as_ref() == Some(&version.digest) {
                    let active = self.active_version(slot).await?.filter(|_| on_trial);
                    return active.ok_or_else(|| active_already(&version));
                }
                let earlier = self.earlier(slot).await?;
                if earlier.iter().all(|earlier| earlier.version.digest != version.digest) {
                    return Err(RegistryError::Impossible(format!(
                        "{} {} ({}) is not among the last {BACK} versions that were active; \
                         `activate` makes it so, with all checks",
                        version.name,
                        version.version,
                        version.digest.short()
                    )));
                }
                self.may_run(&version)?;
                version
            }
        };
        // A fresh copy, so that what it did before is not held against it.
        self.load(&version, true).await
    }

    async fn nothing_before(&self, slot: Slot) -> RegistryError {
        let earlier = self.earlier(slot).await.unwrap_or_default();
        let none = earlier.is_empty();
        let left = earlier.into_iter().filter(|one| self.may_run(&one.version).is_ok());
        let left = left.map(|one| one.version.digest.short().to_owned()).collect::<Vec<_>>();
        let slot = slot.as_str();
        RegistryError::Impossible(if none {
            format!("no other version of slot `{slot}` was active before")
        } else if left.is_empty() {
            format!(
                "no version of slot `{slot}` that was active before may run any more; \
                 `pairing-host plugin push` sends it in again, with a signature"
            )
        } else {
            format!(
                "every version of slot `{slot}` that was active before was left by going back; name \
                 the one that you want all the same (`--to`): {}",
                left.join(", ")
            )
        })
    }

    /// Sessions whose state the target can't read stay where they are, and so do
    /// those that were pinned to yet another version.
    pub(crate) async fn pins_back(
        &self,
        slot: Slot,
        target: &LoadedVersion,
    ) -> Result<Vec<Pin>, RegistryError> {
        let Some((_, reads)) = target.schemas() else { return Ok(Vec::new()) };
        let now = self.0.parts.clock.now();
        let mut pins = self.0.parts.store.pins().await?;
        pins.retain(|pin| pin.digest != target.info().digest);
        let pinned: HashSet<_> = pins.iter().map(|pin| pin.session.clone()).collect();
        let store = &self.0.parts.sessions;
        let mut sessions = store.sessions().await?;
        sessions.retain(|session| {
            !reads.contains(&session.state_schema) && !pinned.contains(&session.name)
        });
        for session in sessions {
            let before = session.input_number.saturating_sub(1);
            let last = store.inputs(&session.name, before, 1).await?.pop();
            let owner = last.map(|input| input.digest).or_else(|| self.active(slot));
            let why = format!(
                "its state has schema {}, which the active version does not read",
                session.state_schema
            );
            pins.extend(owner.map(|digest| Pin { session: session.name, digest, why, at: now }));
        }
        Ok(pins)
    }
}
