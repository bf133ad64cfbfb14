//! The workflow: state is brought to the component's schema, then it decides.

use std::{borrow::Cow, collections::BTreeSet};

use async_trait::async_trait;
use pairing_core::{
    plugin::{PluginError, PluginInfo, Slot},
    workflow::{Context, Decision, Effect, Input, Transition, Workflow},
};
use wasmtime::component::InstancePre;

use crate::{
    bindings::{
        machine::{self, VersionedState},
        workflow::WorkflowPre,
    },
    call::{Call, CallState},
    config::Limits,
    convert,
    error::Refusal,
    load::Interface,
    measure::{at_most, excerpt, size},
    plugin::{Named, Plugin, Served, World},
    routes::Caller,
};

const SLOT: Slot = Slot::Workflow;

type Handle<'a> = (Option<&'a [u8]>, &'a machine::Input, &'a machine::Context);

pub(crate) struct WorkflowWorld {
    pre: WorkflowPre<CallState>,
    pub(crate) writes_schema: u32,
    pub(crate) reads_schemas: BTreeSet<u32>,
}

impl World for WorkflowWorld {
    const SLOT: Slot = SLOT;
    const NAME: &'static str = "workflow";
    const INTERFACE: &'static str = "pairing-console:workflow/machine@0.1.0";
    type Linked = WorkflowPre<CallState>;

    fn compare(guest: &mut Interface) -> Result<(), Refusal> {
        guest.has::<(), (machine::Description,)>("describe")?;
        guest.has::<Handle, (Result<machine::Transition, machine::WorkflowError>,)>("handle")?;
        guest.has::<(&machine::VersionedState,), (Result<Vec<u8>, machine::WorkflowError>,)>(
            "migrate",
        )
    }

    fn link(pre: InstancePre<CallState>) -> wasmtime::Result<Self::Linked> {
        WorkflowPre::new(pre)
    }

    fn describe(pre: Self::Linked, call: &mut Call) -> Result<(Self, Named), PluginError> {
        let said = call.enter(|store| {
            let guest = pre.instantiate(&mut *store)?;
            guest.pairing_console_workflow_machine().call_describe(store)
        })?;
        let (writes_schema, reads_schemas) = (said.writes_schema, said.reads_schemas);
        let named = Named { name: said.name, version: said.version };
        let reads_schemas = reads_schemas.into_iter().chain([writes_schema]).collect();
        Ok((Self { pre, writes_schema, reads_schemas }, named))
    }
}

impl Served for WorkflowWorld {
    const HAS_STATE: bool = true;

    fn writes(&self) -> Option<u32> {
        Some(self.writes_schema)
    }

    fn reads(&self, schema: u32) -> bool {
        self.reads_schemas.contains(&schema)
    }
}

impl WorkflowWorld {
    /// One decision, checked.
    pub(crate) fn transition(
        &self,
        call: &mut Call,
        limits: &Limits,
        state: Option<&VersionedState>,
        input: &machine::Input,
        context: &machine::Context,
    ) -> Result<Transition, PluginError> {
        let state = state.map(|state| self.current(call, state)).transpose()?;
        let decided = call.enter(|store| {
            let guest = self.pre.instantiate(&mut *store)?;
            let machine = guest.pairing_console_workflow_machine();
            machine.call_handle(store, state.as_deref(), input, context)
        })?;
        let transition =
            decided.map(convert::transition).map_err(|error| refused(meaning(error)))?;
        check(&transition, limits)?;
        Ok(transition)
    }

    /// The state in this component's own schema.
    pub(crate) fn current<'a>(
        &self,
        call: &mut Call,
        state: &'a VersionedState,
    ) -> Result<Cow<'a, [u8]>, PluginError> {
        if state.schema_version == self.writes_schema {
            return Ok(Cow::Borrowed(&state.bytes));
        }
        if !self.reads(state.schema_version) {
            return Err(refused(format!(
                "the state has schema {}, but this component reads {:?} only",
                state.schema_version, self.reads_schemas
            )));
        }
        let migrated = call.enter(|store| {
            let guest = self.pre.instantiate(&mut *store)?;
            guest.pairing_console_workflow_machine().call_migrate(store, state)
        })?;
        migrated.map(Cow::Owned).map_err(|error| refused(meaning(error)))
    }
}

#[async_trait]
impl Workflow for Plugin<WorkflowWorld> {
    fn info(&self) -> PluginInfo {
        Plugin::info(self)
    }

    async fn handle(
        &self,
        state: Option<(u32, &[u8])>,
        input: &Input,
        context: &Context,
    ) -> Result<Decision, PluginError> {
        let limit = self.limits().bytes;
        at_most(SLOT, "the state", state.map_or(0, |(_, bytes)| bytes.len()), limit)?;
        at_most(SLOT, "the input", size(input), limit)?;
        let caller =
            Caller { session: &context.session_name, schema: state.map(|(schema, _)| schema) };
        let state = state.map(|(schema_version, bytes)| VersionedState {
            schema_version,
            bytes: bytes.to_vec(),
        });
        let (input, context) = (convert::input(input), convert::context(context));
        self.call(caller, move |version, call, limits| {
            let world = &version.world;
            let transition = world.transition(call, limits, state.as_ref(), &input, &context)?;
            Ok(Decision {
                transition,
                state_schema: world.writes_schema,
                digest: version.info.digest.clone(),
                fuel: call.fuel_used(),
            })
        })
        .await
    }
}

fn check(transition: &Transition, limits: &Limits) -> Result<(), PluginError> {
    let Transition { state, view, events, effects, wake_up_at: _ } = transition;
    at_most(SLOT, "the new state", state.len(), limits.bytes)?;
    at_most(SLOT, "the list of effects", effects.len(), limits.effects)?;
    at_most(SLOT, "the list of events", events.len(), limits.effects)?;
    at_most(SLOT, "the answer", size(&(view, events, effects)), limits.bytes)?;
    let deletion = effects.iter().position(|effect| *effect == Effect::DeleteSession);
    if deletion.is_some_and(|place| place + 1 < effects.len()) {
        return Err(refused("it wants effects after `delete-session`, which must be the last"));
    }
    Ok(())
}

fn refused(message: impl Into<String>) -> PluginError {
    PluginError::Refused { slot: SLOT, message: message.into() }
}

fn meaning(error: machine::WorkflowError) -> String {
    let (what, why) = match error {
        machine::WorkflowError::BadState(why) => ("the state can't be read: ", why),
        machine::WorkflowError::BadInput(why) => ("the input makes no sense: ", why),
        machine::WorkflowError::Other(why) => ("", why),
    };
    format!("{what}{}", excerpt(&why))
}

#[cfg(test)]
mod tests {
    use pairing_core::session::View;

    use super::*;

    fn transition(effects: Vec<Effect>) -> Transition {
        let (state, view) = (Vec::new(), View::not_started());
        Transition { state, view, events: Vec::new(), effects, wake_up_at: None }
    }

    fn too_large(transition: &Transition) -> &'static str {
        match check(transition, &Limits::default()) {
            Err(PluginError::TooLarge { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_decision_is_bounded_in_every_direction() {
        let good = transition(vec![Effect::StartEngine; 64]);
        assert_eq!(check(&good, &Limits::default()), Ok(()));
        assert_eq!(too_large(&transition(vec![Effect::StartEngine; 65])), "the list of effects");
        let state = vec![b'x'; (256 << 10) + 1];
        assert_eq!(too_large(&Transition { state, ..good.clone() }), "the new state");
        let events = vec![pairing_core::event::EventData::SessionDeleted; 65];
        assert_eq!(too_large(&Transition { events, ..good }), "the list of events");
        let phone_number = "1".repeat(256 << 10);
        let long = transition(vec![Effect::RequestPairingCode { phone_number }]);
        assert_eq!(too_large(&long), "the answer");
    }

    #[test]
    fn nothing_follows_a_deletion() {
        let last = transition(vec![Effect::WipeProfile, Effect::DeleteSession]);
        assert_eq!(check(&last, &Limits::default()), Ok(()));
        let first = transition(vec![Effect::DeleteSession, Effect::WipeProfile]);
        assert!(matches!(check(&first, &Limits::default()), Err(PluginError::Refused { .. })));
    }
}
