//! Grant `random`.

use rand::RngCore;

use super::super::state::HandlerState;
use crate::bindings::handler::pairing_console::handler::random::Host;

/// Bytes at once.
const MOST: u32 = 4096;

impl Host for HandlerState {
    async fn bytes(&mut self, count: u32) -> wasmtime::Result<Vec<u8>> {
        let mut bytes = vec![0; count.min(MOST) as usize];
        if self.bound.is_some() {
            rand::rng().fill_bytes(&mut bytes);
        }
        Ok(bytes)
    }
}
