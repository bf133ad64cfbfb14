//! The swap: replay, one transaction, and from then on every call is served by the
//! new version but for sessions that stay behind.

use std::collections::BTreeMap;

use pairing_core::{
    id::SessionName,
    plugin::{PluginDigest, Slot},
    plugin_store::{Activation, Canary, Pin, PluginAction, PluginChange, PluginVersion, Verdict},
};
use pairing_plugin_runtime::{BreakerState, Filling, LoadedVersion, digest_of, embedded};

use crate::{
    errors::RegistryError,
    registry::{Registry, count},
    replay::Replay,
    replay_report::{ReplayReport, ReplayResult},
    reports::{Activate, Activated},
    seed,
};

/// A change that is ready to be written and carried out.
pub(crate) struct Swap {
    pub(crate) change: PluginChange,
    pub(crate) active: LoadedVersion,
    pub(crate) canary: Option<(LoadedVersion, u8)>,
    pub(crate) pins: Vec<Pin>,
    /// See [`Filling`].
    pub(crate) is_new: bool,
}

impl Registry {
    /// Makes a version active, or puts it on trial.
    ///
    /// # Errors
    /// It is refused, with the reason; what was active stays so.
    pub async fn activate(&self, ask: Activate) -> Result<Activated, RegistryError> {
        let _turn = self.changing(ask.slot).await;
        let action = match ask.canary {
            Some(_) => PluginAction::Canary,
            None => PluginAction::Activate,
        };
        self.activate_as(action, ask).await
    }

    /// The same for the host itself. The caller holds the slot's turn.
    pub(crate) async fn activate_as(
        &self,
        action: PluginAction,
        ask: Activate,
    ) -> Result<Activated, RegistryError> {
        let mut change = self.change(ask.slot, action, &ask.who, &ask.why);
        change.share = ask.canary;
        let version = self.find(ask.slot, &ask.digest).await?;
        change.to = Some(version.digest.clone());
        let activating = async {
            let (swap, report) = self.prepare(&version, ask.canary, change.clone()).await?;
            Ok(Activated { replay: report, ..self.swap(swap).await? })
        };
        match activating.await {
            Ok(activated) => Ok(activated),
            Err(error) => Err(self.refused(change, error).await),
        }
    }

    async fn prepare(
        &self,
        version: &PluginVersion,
        share: Option<u8>,
        mut change: PluginChange,
    ) -> Result<(Swap, Option<ReplayReport>), RegistryError> {
        self.may_run(version)?;
        let slot = version.slot;
        let active = self.active_version(slot).await?;
        let is_again = active.as_ref().is_some_and(|active| active.info().digest == version.digest);
        let rests =
            |active: &LoadedVersion| active.report().health.breaker == BreakerState::Quarantined;
        if is_again && !active.as_ref().is_some_and(rests) {
            return Err(active_already(version));
        }
        if share.is_some_and(|share| !(1..100).contains(&share)) {
            return Err(RegistryError::Impossible(
                "a canary's share is 1 to 99 percent; without a share it is for all".into(),
            ));
        }
        // One that is not called any more gets another chance, with a clean record.
        let loaded = match is_again {
            true => self.load(version, false).await?,
            false => self.loaded(version, false).await?,
        };
        self.check_grants(&loaded).await?;
        let replay = self.replay_through(&loaded).await?;
        // Handlers have no past that could be led through another one.
        if slot.handler().is_none() {
            self.judge(version, &replay).await?;
        }
        let pins = self.pins_after(&replay, &version.digest, active.as_ref());
        let report = Some(replay.report).filter(|_| slot.handler().is_none());
        change.detail = report.as_ref().map(|report| told(report, pins.len())).unwrap_or_default();
        let swap = match (share, active) {
            (Some(share), Some(active)) if !is_again => {
                let canary = Some((loaded, share));
                Swap { change, active, canary, pins, is_new: false }
            }
            (_, active) => {
                let is_new = active.is_some() && !is_again;
                Swap { change, active: loaded, canary: None, pins, is_new }
            }
        };
        Ok((swap, report))
    }

    /// A version that came in under other rules may not run under these.
    pub(crate) fn may_run(&self, version: &PluginVersion) -> Result<(), RegistryError> {
        let is_signed = version
            .signed_by
            .as_ref()
            .is_some_and(|name| self.0.config.keys.names().any(|known| known == name));
        // What came in another way at first may be a part of a later host.
        let own = embedded(version.slot).map(digest_of);
        let is_ours = version.source == "embedded" || own.as_ref() == Some(&version.digest);
        if is_signed || is_ours || version.accepted_by.is_some() || !self.0.config.refuse_unsigned {
            return Ok(());
        }
        let message = match &version.signed_by {
            Some(name) => format!(
                "it was signed by `{name}`, which is not among the keys in PAIRING_PLUGINS_KEYS any \
                 more; push it again with another signature, or with `--accept-unsigned {}`",
                version.digest
            ),
            None => format!(
                "PAIRING_MODE is production, and it came in without a signature; push it again with \
                 one, or with `--accept-unsigned {}`",
                version.digest
            ),
        };
        Err(RegistryError::Refused { gate: "signature", message })
    }

    /// A version that fails in a past that really happened is not activated.
    async fn judge(&self, version: &PluginVersion, replay: &Replay) -> Result<(), RegistryError> {
        let report = &replay.report;
        let failures = replay.failures();
        let first = report.sessions.first().filter(|session| session.result.is_failure());
        let message = match first {
            None => told(report, replay.staying.len()),
            Some(first) => format!(
                "it failed in {failures} of {} recorded histories; the first: session `{}`, input {} \
                 ({}): {}. `pairing-host plugin replay {} {}` shows all; mend it and push it again",
                report.histories,
                first.session,
                first.input_number.unwrap_or(0),
                first.cause.as_deref().unwrap_or("-"),
                first.message,
                version.slot.as_str(),
                version.digest.short(),
            ),
        };
        let verdict = Verdict {
            slot: version.slot,
            digest: Some(version.digest.clone()),
            at: self.0.parts.clock.now(),
            gate: "replay".into(),
            passed: failures == 0,
            message: message.clone(),
            report: serde_json::to_string(report).ok(),
        };
        self.0.parts.store.add_verdict(&verdict).await?;
        if failures > 0 {
            return Err(RegistryError::Refused { gate: "replay", message });
        }
        Ok(())
    }

    /// Sessions that can't go on with the new version stay with the one that
    /// decided for them last.
    fn pins_after(
        &self,
        replay: &Replay,
        new: &PluginDigest,
        active: Option<&LoadedVersion>,
    ) -> Vec<Pin> {
        let at = self.0.parts.clock.now();
        let staying = replay.staying.iter().filter_map(|(session, owner, why)| {
            let digest = owner.clone().or_else(|| Some(active?.info().digest.clone()))?;
            Some(Pin { session: session.clone(), digest, why: why.clone(), at })
        });
        // Those that the new version has decided for already are its own.
        staying.filter(|pin| pin.digest != *new).collect()
    }

    /// Writes it down and carries it out.
    pub(crate) async fn swap(&self, swap: Swap) -> Result<Activated, RegistryError> {
        let filled = self.0.parts.runtime.filled(swap.change.slot);
        self.swap_from(swap, filled.map(|filled| filled.generation)).await
    }

    /// The same where `expected` is the generation that stands in the database.
    pub(crate) async fn swap_from(
        &self,
        swap: Swap,
        expected: Option<u64>,
    ) -> Result<Activated, RegistryError> {
        let Swap { mut change, active, canary, pins, is_new } = swap;
        let slot = change.slot;
        let (pins, pinned) = self.load_pins(slot, pins, &active, canary.as_ref()).await?;
        // Nothing runs yet when the host starts with another version than the last.
        let from = self.active(slot).or(change.from);
        change.from = from.clone();
        let activation = Activation {
            change: change.clone(),
            expected,
            active: active.info().digest.clone(),
            canary: canary.as_ref().map(|(version, share)| Canary {
                digest: version.info().digest.clone(),
                share: *share,
            }),
            pins,
        };
        let generation = self.0.parts.store.activate(&activation).await?;
        let Some(generation) = generation else {
            seed::follow(self, slot).await;
            return Err(RegistryError::Overtaken { slot });
        };
        let message = sentence(&active, canary.as_ref(), &change);
        let filling = Filling { generation, active, canary, pins: pinned, is_new };
        self.0.parts.runtime.fill(slot, filling);
        count(slot, change.action, "done");
        tracing::info!(plugin = slot.as_str(), generation, action = change.action.as_str(), who = change.who, active = %activation.active, "{message}");
        Ok(Activated {
            generation,
            from,
            active: activation.active,
            canary: activation.canary,
            pinned_sessions: activation.pins.len(),
            message,
            replay: None,
        })
    }

    /// The versions that pinned sessions stay with. One that can't be loaded any
    /// more has lost its sessions to the active one.
    pub(crate) async fn load_pins(
        &self,
        slot: Slot,
        pins: Vec<Pin>,
        active: &LoadedVersion,
        canary: Option<&(LoadedVersion, u8)>,
    ) -> Result<(Vec<Pin>, Vec<(SessionName, LoadedVersion)>), RegistryError> {
        let known = self.0.parts.store.versions(slot).await?;
        let mut loaded: BTreeMap<PluginDigest, LoadedVersion> = BTreeMap::new();
        let ready = [Some(active), canary.map(|(version, _)| version)].into_iter().flatten();
        loaded.extend(ready.map(|version| (version.info().digest.clone(), version.clone())));
        let (mut kept, mut pinned) = (Vec::new(), Vec::new());
        for pin in pins {
            if !loaded.contains_key(&pin.digest)
                && let Some(version) = known.iter().find(|known| known.digest == pin.digest)
            {
                match self.loaded(version, true).await {
                    Ok(version) => drop(loaded.insert(pin.digest.clone(), version)),
                    Err(error) => {
                        tracing::error!(plugin = slot.as_str(), digest = %pin.digest, %error, "a version that sessions are pinned to can't be loaded; they go on with the active one");
                    }
                }
            }
            if let Some(version) = loaded.get(&pin.digest) {
                pinned.push((pin.session.clone(), version.clone()));
                kept.push(pin);
            }
        }
        Ok((kept, pinned))
    }

    /// What is active now, as it runs.
    pub(crate) async fn active_version(
        &self,
        slot: Slot,
    ) -> Result<Option<LoadedVersion>, RegistryError> {
        let Some(digest) = self.active(slot) else { return Ok(None) };
        Ok(self.0.parts.runtime.running(slot, &digest))
    }
}

/// Names alone don't tell: two builds may be called the same.
pub(crate) fn active_already(version: &PluginVersion) -> RegistryError {
    RegistryError::Impossible(format!(
        "{} {} ({}) is active already",
        version.name,
        version.version,
        version.digest.short()
    ))
}

/// So many stay behind, in words.
pub(crate) fn stay(count: usize) -> String {
    let who = if count == 1 { "1 session stays".into() } else { format!("{count} sessions stay") };
    format!("{who} with the version that decided last")
}

/// What came of a replay, in a sentence.
fn told(report: &ReplayReport, staying: usize) -> String {
    if report.histories == 0 {
        return "there was no history to replay".into();
    }
    let of = |result| report.results.get(&result).copied().unwrap_or(0);
    let mut text = format!(
        "{} of {} recorded histories are identical",
        of(ReplayResult::Identical),
        report.histories
    );
    if staying > 0 {
        let why = [
            (of(ReplayResult::Differs), "because it decides otherwise"),
            (of(ReplayResult::StateRejected), "because it can't read the state"),
        ];
        let why = why.into_iter().filter(|(count, _)| *count > 0);
        let why: Vec<_> = why.map(|(count, why)| format!("{count} {why}")).collect();
        text += &format!("; {}", stay(staying));
        // Of those that were not replayed there is nothing to say.
        if !why.is_empty() {
            text += &format!(" ({})", why.join(", "));
        }
    }
    for remark in &report.remarks {
        text += "; ";
        text += remark;
    }
    text
}

fn sentence(
    active: &LoadedVersion,
    canary: Option<&(LoadedVersion, u8)>,
    change: &PluginChange,
) -> String {
    let named = |version: &LoadedVersion| {
        let info = version.info();
        format!("{} {} ({})", info.name, info.version, info.digest.short())
    };
    let what = match canary {
        Some((canary, share)) => format!(
            "{} serves {share} % of the sessions on trial, {} the others",
            named(canary),
            named(active)
        ),
        None => format!("{} serves all sessions", named(active)),
    };
    if change.detail.is_empty() { what } else { format!("{what}; {}", change.detail) }
}
