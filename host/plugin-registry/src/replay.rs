//! The gate before the swap: what would the version have done with the past?

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use futures::{StreamExt, TryStreamExt, stream};
use pairing_core::{
    id::SessionName,
    phone::masked,
    plugin::{PluginDigest, PluginError, Slot},
    session::SessionRecord,
    workflow::Transition,
};
use pairing_plugin_runtime::{LoadedVersion, ReplayEnd, Replayed};
use serde_json::Value;

use crate::{
    errors::RegistryError,
    histories::History,
    registry::Registry,
    replay_report::{Difference, ReplayReport, ReplayResult, SessionReplay},
};

/// So many histories are replayed at once: fewer than the threads that sessions
/// may have, so that these go on meanwhile.
const AT_ONCE: usize = 2;
/// So many sessions are told of one by one,
const TOLD: usize = 100;
/// each with so many differences.
const DIFFERENCES: usize = 20;
/// All threads may be taken for a moment.
const AGAIN: Duration = Duration::from_millis(20);
/// More fuel than this times as much is remarked.
const MUCH_MORE: u64 = 2;

/// A report, and the sessions that can't go on with the version.
pub(crate) struct Replay {
    pub(crate) report: ReplayReport,
    /// Each with the version that decided for it last, and why it stays with it.
    pub(crate) staying: Vec<(SessionName, Option<PluginDigest>, String)>,
}

impl Registry {
    /// What a version would have done with the recorded histories. Changes nothing.
    ///
    /// # Errors
    /// There is no such version, or it can't be loaded.
    pub async fn replay(&self, slot: Slot, digest: &str) -> Result<ReplayReport, RegistryError> {
        let version = self.find(slot, digest).await?;
        let loaded = self.load(&version, false).await?;
        Ok(self.replay_through(&loaded).await?.report)
    }

    pub(crate) async fn replay_through(
        &self,
        version: &LoadedVersion,
    ) -> Result<Replay, RegistryError> {
        let mut replay =
            Replay { report: empty_report(version.info().digest.clone()), staying: Vec::new() };
        let Some((_, reads)) = version.schemas() else {
            let remark = "only workflows have a past to be led through; this version stood the \
                          test vectors of its slot when it was sent in";
            replay.report.remarks.push(remark.into());
            return Ok(replay);
        };
        let mut sessions = self.0.parts.sessions.sessions().await?;
        sessions.sort_by_key(|session| std::cmp::Reverse(session.updated_at));
        let rest = sessions.split_off(sessions.len().min(self.0.config.replayed_sessions));
        let pins = self.0.parts.store.pins().await?.into_iter();
        let pins: HashMap<_, _> = pins.map(|pin| (pin.session.clone(), pin)).collect();
        let mut replayed =
            stream::iter(sessions.into_iter().map(|session| self.one(version, session)))
                .buffered(AT_ONCE);
        let mut cut = 0;
        while let Some((history, replayed)) = replayed.try_next().await? {
            cut += u64::from(history.is_cut);
            replay.add(&history, replayed);
            // It is refused whatever the others say, and a guest that loops takes long.
            if replay.failures() >= TOLD as u64 {
                let remark = format!("after {TOLD} histories that it failed in no more were tried");
                replay.report.remarks.push(remark);
                break;
            }
        }
        // Nothing was proven about these: who is pinned stays so.
        for session in rest {
            if let Some(pin) = pins.get(&session.name) {
                replay.staying.push((session.name, Some(pin.digest.clone()), pin.why.clone()));
            } else if !reads.contains(&session.state_schema) {
                let why = format!("its state has schema {}", session.state_schema);
                replay.staying.push((session.name, None, why));
            }
        }
        replay.remark(cut);
        Ok(replay)
    }

    async fn one(
        &self,
        version: &LoadedVersion,
        session: SessionRecord,
    ) -> Result<(History, Replayed), RegistryError> {
        let history = self.history_of(session).await?;
        loop {
            match version.replay(&self.0.parts.runtime, history.past.clone()).await {
                Ok(replayed) => return Ok((history, replayed)),
                Err(error) if error.is_temporary() => tokio::time::sleep(AGAIN).await,
                Err(error) => return Err(RegistryError::Host(error.to_string())),
            }
        }
    }
}

fn empty_report(digest: PluginDigest) -> ReplayReport {
    ReplayReport {
        digest,
        histories: 0,
        inputs: 0,
        results: BTreeMap::new(),
        fuel_recorded: 0,
        fuel_now: 0,
        remarks: Vec::new(),
        sessions: Vec::new(),
    }
}

impl Replay {
    fn add(&mut self, history: &History, replayed: Replayed) {
        let report = &mut self.report;
        report.histories += 1;
        report.inputs += history.past.steps.len() as u64;
        let told = tell(history, replayed.end);
        let result = told.as_ref().map_or(ReplayResult::Identical, |told| told.result);
        *report.results.entry(result).or_default() += 1;
        // Only where all was answered can it be compared; the first releases did
        // not count fuel.
        if result == ReplayResult::Identical
            && history.recorded.iter().all(|recorded| recorded.fuel > 0)
        {
            report.fuel_recorded +=
                history.recorded.iter().map(|recorded| recorded.fuel).sum::<u64>();
            report.fuel_now += replayed.fuel;
        }
        let Some(told) = told else { return };
        if matches!(result, ReplayResult::Differs | ReplayResult::StateRejected) {
            let stays = (told.session.clone(), history.owner.clone(), told.message.clone());
            self.staying.push(stays);
        }
        // Those that it fails in go first: because of them it is refused.
        let failing = report.sessions.iter().take_while(|told| told.result.is_failure()).count();
        let place = if result.is_failure() { failing } else { report.sessions.len() };
        report.sessions.insert(place, told);
        report.sessions.truncate(TOLD);
    }

    pub(crate) fn failures(&self) -> u64 {
        let results = self.report.results.iter();
        results.filter(|(result, _)| result.is_failure()).map(|(_, count)| count).sum()
    }

    fn remark(&mut self, cut: u64) {
        let report = &mut self.report;
        if report.fuel_now > report.fuel_recorded * MUCH_MORE && report.fuel_recorded > 0 {
            report.remarks.push(format!(
                "it needs {:.1} times the fuel that these decisions took before; look for a loop \
                 that grew",
                report.fuel_now as f64 / report.fuel_recorded as f64
            ));
        }
        if cut > 0 {
            report
                .remarks
                .push(format!("of {cut} histories a part could not be read and was left out"));
        }
    }
}

/// Whether there is anything to tell, and what.
fn tell(history: &History, end: ReplayEnd) -> Option<SessionReplay> {
    let at = |step: usize| {
        (
            history.recorded.get(step).map(|recorded| recorded.number),
            history.past.steps.get(step).map(|step| step.input.cause().to_owned()),
        )
    };
    let (result, (input_number, cause), message, differences) = match end {
        ReplayEnd::Identical => return None,
        ReplayEnd::Differs { step, now } => {
            let differences = history
                .past
                .steps
                .get(step)
                .map(|step| differences(&step.decided, &now))
                .unwrap_or_default();
            (ReplayResult::Differs, at(step), "it decides otherwise".into(), differences)
        }
        ReplayEnd::StateRejected(error) => {
            let message = format!("it can't read the session's state: {error}");
            (ReplayResult::StateRejected, (None, None), message, Vec::new())
        }
        ReplayEnd::Failed { step, error } => {
            let result = match &error {
                PluginError::Deadline { .. }
                | PluginError::Fuel { .. }
                | PluginError::Memory { .. }
                | PluginError::TooLarge { .. } => ReplayResult::OverBudget,
                _ => ReplayResult::Trapped,
            };
            (result, at(step), error.to_string(), Vec::new())
        }
    };
    let session = history.session.clone();
    Some(SessionReplay { session, result, input_number, cause, message, differences })
}

/// Where two decisions differ, but for the states, which are each version's own.
fn differences(recorded: &Transition, now: &Transition) -> Vec<Difference> {
    let visible = |transition: &Transition| {
        let mut value = serde_json::to_value(transition).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.remove("state");
        }
        value
    };
    let (recorded, now) = (visible(recorded), visible(now));
    let at = |value: &Value, path: &str| value.pointer(path).map(told_of);
    let changes = json_patch::diff(&recorded, &now).0;
    changes
        .into_iter()
        .take(DIFFERENCES)
        .map(|change| {
            let path = change.path().to_string();
            Difference { recorded: at(&recorded, &path), now: at(&now, &path), path }
        })
        .collect()
}

/// Reports are kept longer than sessions: without phone numbers, and not as long as
/// a guest likes.
fn told_of(value: &Value) -> Value {
    const LONGEST: usize = 500;
    match value {
        Value::String(text) => masked(&text.chars().take(LONGEST).collect::<String>()).into(),
        Value::Array(values) => values.iter().map(told_of).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), told_of(value))).collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use pairing_core::{session::View, workflow::Effect};

    use super::*;

    #[test]
    fn a_difference_between_two_numbers_is_told_without_them() {
        let asks = |phone_number: &str| Transition {
            state: phone_number.into(),
            view: View::not_started(),
            events: Vec::new(),
            effects: vec![Effect::RequestPairingCode { phone_number: phone_number.into() }],
            wake_up_at: None,
        };
        let found = differences(&asks("5511999990001"), &asks("5511999990002"));
        let [Difference { path, recorded, now }] = &found[..] else { panic!("{found:?}") };
        assert_eq!(path, "/effects/0/request-pairing-code/phoneNumber");
        assert_eq!((recorded, now), (&Some("…01".into()), &Some("…02".into())));
    }
}
