//! Grant `clock`.

use super::super::state::HandlerState;
use crate::bindings::handler::pairing_console::handler::clock::Host;

impl Host for HandlerState {
    async fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(if self.bound.is_some() { HandlerState::now(self).0 } else { 0 })
    }
}
