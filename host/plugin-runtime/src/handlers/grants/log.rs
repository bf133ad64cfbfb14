//! Grant `log`.

use super::super::{logs::LogLevel, state::HandlerState};
use crate::bindings::handler::pairing_console::handler::log::{Host, Level};

impl Host for HandlerState {
    async fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        self.say(level, &message);
        Ok(())
    }
}
