//! Sessions' recorded histories, as a version can be led through them.

use pairing_core::{
    id::SessionName,
    plugin::PluginDigest,
    session::SessionRecord,
    store::{RecordedInput, StoreError},
};
use pairing_plugin_runtime::{Past, Step};

use crate::registry::Registry;

/// The end of a session's history.
pub(crate) struct History {
    pub(crate) session: SessionName,
    pub(crate) past: Past,
    pub(crate) recorded: Vec<Recorded>,
    /// Who decided last.
    pub(crate) owner: Option<PluginDigest>,
    /// Some of it was not written by this kind of host, and is left out.
    pub(crate) is_cut: bool,
}

/// What is known of a step beside the step itself.
pub(crate) struct Recorded {
    pub(crate) number: u64,
    pub(crate) fuel: u64,
}

impl Registry {
    /// A session's last inputs.
    pub(crate) async fn history_of(&self, record: SessionRecord) -> Result<History, StoreError> {
        let count = self.0.config.replayed_inputs;
        // One more, whose state is where the replay begins.
        let after = record.input_number.saturating_sub(count + 1);
        let limit = u32::try_from(count + 1).unwrap_or(u32::MAX);
        let inputs = self.0.parts.sessions.inputs(&record.name, after, limit).await?;
        let owner = inputs.last().map(|input| input.digest.clone());
        let read: Vec<_> = inputs.into_iter().map(|input| (step(&input), input)).collect();
        // What can't be read, and all before it, is left out.
        let readable = read.iter().rposition(|(step, _)| step.is_none()).map_or(0, |bad| bad + 1);
        let mut steps = read.into_iter().skip(readable).peekable();
        let is_first = steps.peek().is_some_and(|(_, input)| input.number == 1);
        let start = if is_first {
            None
        } else {
            let before = steps.next().and_then(|(step, input)| Some((step?, input)));
            before.map(|(step, input)| (input.state_schema, step.decided.state))
        };
        let (steps, recorded) = steps
            .filter_map(|(step, input)| {
                Some((step?, Recorded { number: input.number, fuel: input.fuel }))
            })
            .unzip();
        let present = Some((record.state_schema, record.state));
        Ok(History {
            session: record.name,
            past: Past { start, steps, present },
            recorded,
            owner,
            is_cut: readable > 0,
        })
    }
}

fn step(input: &RecordedInput) -> Option<Step> {
    Some(Step {
        input: serde_json::from_str(&input.input).ok()?,
        context: serde_json::from_str(&input.context).ok()?,
        decided: serde_json::from_str(&input.transition).ok()?,
    })
}
