//! The workflow: state is brought to the component's schema, then it decides.

use async_trait::async_trait;
use pairing_core::{
    plugin::{PluginError, PluginInfo, Slot},
    workflow::{Context, Decision, Effect, Input, Transition, Workflow},
};
use wasmtime::component::InstancePre;

use crate::{
    bindings::{machine, workflow::WorkflowPre},
    call::{Call, CallState},
    config::Limits,
    convert,
    error::Refusal,
    load::Interface,
    measure::{at_most, excerpt, size},
    plugin::{Named, Plugin, World},
};

const SLOT: Slot = Slot::Workflow;

type Handle<'a> = (Option<&'a [u8]>, &'a machine::Input, &'a machine::Context);

pub(crate) struct WorkflowWorld {
    pre: WorkflowPre<CallState>,
    writes_schema: u32,
    reads_schemas: Vec<u32>,
}

impl World for WorkflowWorld {
    const SLOT: Slot = SLOT;
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
        Ok((Self { pre, writes_schema, reads_schemas }, named))
    }
}

impl WorkflowWorld {
    fn current(
        &self,
        call: &mut Call,
        (schema, bytes): (u32, Vec<u8>),
    ) -> Result<Vec<u8>, PluginError> {
        if schema == self.writes_schema {
            return Ok(bytes);
        }
        if !self.reads_schemas.contains(&schema) {
            return Err(refused(format!(
                "the state has schema {schema}, but this component reads {:?} only",
                self.reads_schemas
            )));
        }
        let old = machine::VersionedState { schema_version: schema, bytes };
        let migrated = call.enter(|store| {
            let guest = self.pre.instantiate(&mut *store)?;
            guest.pairing_console_workflow_machine().call_migrate(store, &old)
        })?;
        migrated.map_err(|error| refused(meaning(error)))
    }

    fn decide(
        &self,
        call: &mut Call,
        state: Option<Vec<u8>>,
        input: &machine::Input,
        context: &machine::Context,
    ) -> Result<Transition, PluginError> {
        let decided = call.enter(|store| {
            let guest = self.pre.instantiate(&mut *store)?;
            let machine = guest.pairing_console_workflow_machine();
            machine.call_handle(store, state.as_deref(), input, context)
        })?;
        decided.map(convert::transition).map_err(|error| refused(meaning(error)))
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
        let state = state.map(|(schema, bytes)| (schema, bytes.to_vec()));
        let (input, context) = (convert::input(input), convert::context(context));
        self.call(move |version, call, limits| {
            let world = &version.world;
            let state = state.map(|state| world.current(call, state)).transpose()?;
            let transition = world.decide(call, state, &input, &context)?;
            check(&transition, limits)?;
            let (state_schema, digest) = (world.writes_schema, version.info.digest.clone());
            Ok(Decision { transition, state_schema, digest })
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
