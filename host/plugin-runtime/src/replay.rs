//! The past once more: what would a workflow have decided?

use pairing_core::{
    plugin::{PluginError, Slot},
    workflow::{Context, Input, Transition},
};

use crate::{
    bindings::machine::VersionedState,
    call::Call,
    convert,
    loaded_version::{AnyVersion, LoadedVersion},
    runtime::Runtime,
};

/// A part of a session's past: from a state through some inputs to now.
#[derive(Debug, Clone)]
pub struct Past {
    /// The state before the first step, with its schema; none before a session's
    /// first input.
    pub start: Option<(u32, Vec<u8>)>,
    /// In order.
    pub steps: Vec<Step>,
    /// The state that the session has now, with its schema.
    pub present: Option<(u32, Vec<u8>)>,
}

/// An input and what was decided.
#[derive(Debug, Clone)]
pub struct Step {
    /// What the workflow was told.
    pub input: Input,
    /// With which context.
    pub context: Context,
    /// What it decided then.
    pub decided: Transition,
}

/// What came of a replay.
#[derive(Debug)]
pub struct Replayed {
    /// How it ended.
    pub end: ReplayEnd,
    /// Fuel of the steps that were answered.
    pub fuel: u64,
}

/// How a replay ended.
#[derive(Debug)]
pub enum ReplayEnd {
    /// All was decided as then. (The state's bytes may be others.)
    Identical,
    /// At this step, something else was decided.
    Differs {
        /// Index of the step.
        step: usize,
        /// The other decision.
        now: Box<Transition>,
    },
    /// The session's present state can't be read.
    StateRejected(PluginError),
    /// At this step, it failed.
    Failed {
        /// Index of the step.
        step: usize,
        /// How.
        error: PluginError,
    },
}

impl LoadedVersion {
    /// Replays through this version, on the threads that guests run on.
    ///
    /// # Errors
    /// `Busy`: try again. `Refused`: it is no workflow.
    pub async fn replay(&self, runtime: &Runtime, past: Past) -> Result<Replayed, PluginError> {
        let AnyVersion::Workflow(version) = &self.0 else {
            let message = "only a workflow has a past".into();
            return Err(PluginError::Refused { slot: self.info().slot, message });
        };
        let (host, version) = (runtime.host().clone(), version.clone());
        let replay = move || {
            let world = &version.world;
            let begin = || Call::begin(&host.engine, Slot::Workflow, &host.limits);
            if let Some(present) = past.present.map(versioned)
                && let Err(error) = world.current(&mut begin(), &present)
            {
                if error.is_temporary() {
                    return Err(error);
                }
                return Ok(Replayed { end: ReplayEnd::StateRejected(error), fuel: 0 });
            }
            let mut state = past.start.map(versioned);
            let mut fuel = 0;
            for (step, Step { input, context, decided }) in past.steps.iter().enumerate() {
                let mut call = begin();
                let (input, context) = (convert::input(input), convert::context(context));
                let now =
                    world.transition(&mut call, &host.limits, state.as_ref(), &input, &context);
                fuel += call.fuel_used();
                let now = match now {
                    Ok(now) => now,
                    Err(error) if error.is_temporary() => return Err(error),
                    Err(error) => {
                        return Ok(Replayed { end: ReplayEnd::Failed { step, error }, fuel });
                    }
                };
                if !decides_the_same(&now, decided) {
                    let now = Box::new(now);
                    return Ok(Replayed { end: ReplayEnd::Differs { step, now }, fuel });
                }
                state = Some(versioned((world.writes_schema, now.state)));
            }
            Ok(Replayed { end: ReplayEnd::Identical, fuel })
        };
        runtime.host().threads.run(Slot::Workflow, replay).await
    }
}

/// The state is the version's own affair; all the rest is seen by others.
fn decides_the_same(one: &Transition, other: &Transition) -> bool {
    one.view == other.view
        && one.events == other.events
        && one.effects == other.effects
        && one.wake_up_at == other.wake_up_at
}

fn versioned((schema_version, bytes): (u32, Vec<u8>)) -> VersionedState {
    VersionedState { schema_version, bytes }
}
