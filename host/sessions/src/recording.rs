//! What is written down of an input: the record for later replay, the journal's
//! events and the line of history.

use pairing_core::{
    event::{CodeNotice, EventData},
    evidence::{Evidence, RepairStep},
    session::{CodeKind, View},
    store::{HistoryEntry, RecordedInput},
    workflow::{Context, Decision, Input},
};

/// The input as it was handed over, and what was decided. None of the three
/// types can hold a QR payload or a pairing code. Phone numbers stand in them as
/// they were given: decisions depend on them, and a replay must come to the same.
pub(crate) fn record(
    input: &Input,
    context: &Context,
    decision: &Decision,
) -> Result<RecordedInput, serde_json::Error> {
    Ok(RecordedInput {
        number: context.input_number,
        at: context.now,
        digest: decision.digest.clone(),
        state_schema: decision.state_schema,
        fuel: decision.fuel,
        input: serde_json::to_string(input)?,
        context: serde_json::to_string(context)?,
        transition: serde_json::to_string(&decision.transition)?,
    })
}

/// The journal's events: first what follows from the view, then the workflow's own.
pub(crate) fn events(before: &View, decision: &Decision) -> Vec<EventData> {
    let view = &decision.transition.view;
    let mut events = Vec::new();
    if !view.tells_the_same_as(before) {
        events.push(EventData::StatusUpdate {
            status: view.status,
            reason: view.reason,
            detail: view.detail.clone(),
            account: view.account.clone(),
        });
    }
    let sequence_before = before.shown.map(|shown| shown.sequence);
    if let Some(shown) = view.shown.filter(|shown| Some(shown.sequence) != sequence_before) {
        let notice = CodeNotice { sequence: shown.sequence, expires_at: shown.expires_at };
        events.push(match shown.kind {
            CodeKind::Qr => EventData::QrCode(notice),
            CodeKind::PairingCode => EventData::PairingCode(notice),
        });
    }
    events.extend(decision.transition.events.iter().cloned());
    events
}

/// A line of history, if there is something to tell. A stretch of loading is one
/// line, whatever percentages it passes: events tell those. A step of a repair
/// always is one.
pub(crate) fn history(
    before: &View,
    input: &Input,
    context: &Context,
    decision: &Decision,
    seen: Option<&Evidence>,
) -> Option<HistoryEntry> {
    let view = &decision.transition.view;
    if seen.is_none() && view.is_as_far_as(before) {
        return None;
    }
    Some(HistoryEntry {
        input_number: context.input_number,
        at: context.now,
        status: view.status,
        reason: view.reason,
        detail: view.detail.clone(),
        cause: seen.map_or(input.cause(), |seen| repair(seen.repair)).to_owned(),
        has_evidence: seen.is_some(),
    })
}

/// The cause that the history names.
fn repair(step: RepairStep) -> &'static str {
    match step {
        RepairStep::Agent => "repair:agent",
        RepairStep::Reload => "repair:reload",
        RepairStep::Restart => "repair:restart",
    }
}
