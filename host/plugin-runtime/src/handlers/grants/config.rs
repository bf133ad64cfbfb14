//! Grant `config`.

use super::super::state::HandlerState;
use crate::bindings::handler::pairing_console::handler::config::Host;

impl Host for HandlerState {
    async fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        Ok(self.bound.as_ref().and_then(|bound| bound.settings.config.get(&key).cloned()))
    }

    async fn entries(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        let all = self.bound.iter().flat_map(|bound| &bound.settings.config);
        Ok(all.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}
