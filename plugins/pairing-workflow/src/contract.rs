//! The contract's words under short names.

pub(crate) use crate::bindings::{
    exports::pairing_console::workflow::machine::{
        CodeFailure, CodeFailureKind, Command, CommandId, Context, Description, Effect,
        EngineEvent, EngineFailure, EngineFailureKind, Guest, Input, Outcome, Refusal, RefusalCode,
        Reply, Settings, ShownCode, Transition, VersionedState, View, WorkflowError,
    },
    pairing_console::types::{
        events::{EventData, OtherEvent},
        types::{Account, CodeKind, Detail, Duration, Reason, Status, Timestamp},
    },
};
