//! The pairing workflow: decides what a session does next, and never acts.
//!
//! ```text
//!                  init, reconnect,                      authenticated
//!    ┌─────┐       refresh-qr        ┌─────────┐ ──────────────────────► ┌─────────┐
//!    │ Off │ ──────────────────────► │ Pairing │                         │ Linking │
//!    └─────┘ ◄────────────────────── └─────────┘ ◄────────────────────── └─────────┘
//!     ▲ ▲ │   parked, disconnect,                 a QR code: the link failed  │
//!     │ │ │   failed too often                                                │ ready
//!     │ │ │           init, reconnect, host-started                           ▼
//!     │ │ └───────────────────────────────────────────────────────────► ┌────────┐
//!     │ └────────────────────────────────────────────────────────────── │ Linked │
//!     │     disconnect, unlinked from the phone, conflict, banned, …    └────────┘
//!     │                                                                      │
//!     │  the page confirms                                  logout, delete,  │
//!     │  ┌───────────┐                                      a wrong number   │
//!     └─ │ Unlinking │ ◄─────────────────────────────────────────────────────┘
//!        └───────────┘
//! ```
//!
//! A phase is an enum variant with its own data ([`state`]); the function of an
//! input is pure ([`machine::handle`]); what the world sees follows from the state
//! alone ([`view`]), and so does the time at which the session is to be woken.
//!
//! Two rules stand above all: a link is given up only when somebody confirmed it,
//! and no failure ends a link; a linked session tries for ever.

pub mod bindings;
mod contract;
mod failure;
mod machine;
mod messages;
mod phone;
mod state;
mod view;

use contract::{Context, Description, Guest, Input, Transition, VersionedState, WorkflowError};
use state::{SCHEMA, State};

/// The component.
pub struct Workflow;

impl Guest for Workflow {
    fn describe() -> Description {
        Description {
            name: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            writes_schema: SCHEMA,
            reads_schemas: vec![SCHEMA],
            extra: Vec::new(),
        }
    }

    fn handle(
        state: Option<Vec<u8>>,
        input: Input,
        context: Context,
    ) -> Result<Transition, WorkflowError> {
        let before = state.as_deref().map_or_else(|| Ok(State::new()), State::read)?;
        machine::handle(before, input, &context).into_transition()
    }

    fn migrate(state: VersionedState) -> Result<Vec<u8>, WorkflowError> {
        match state.schema_version {
            SCHEMA => Ok(state.bytes),
            other => Err(WorkflowError::BadState(format!(
                "schema {other} is not known; this component reads {SCHEMA}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
