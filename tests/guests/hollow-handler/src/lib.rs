//! A handler for tests that imports WASI alone, as languages' runtimes do, and
//! tries every door of it at each event. What it sees it writes to its standard
//! output.

#![expect(clippy::unwrap_used, reason = "a trap is an answer, too")]

pub mod bindings;
#[path = "../../probe-handler/src/look.rs"]
mod look;

use bindings::exports::pairing_console::handler::handler::{
    Delivery, Description, Event, Guest, HandleError,
};

/// The component.
pub struct HollowHandler;

impl Guest for HollowHandler {
    fn describe() -> Description {
        Description {
            name: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            types: None,
            extra: Vec::new(),
        }
    }

    fn handle(_: Event, _: Delivery) -> Result<(), HandleError> {
        look::around();
        Ok(())
    }
}

pub(crate) fn say(line: &str) {
    let line = format!("{line}\n");
    wasip2::cli::stdout::get_stdout().blocking_write_and_flush(line.as_bytes()).unwrap();
}
