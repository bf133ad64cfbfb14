//! Tells a chat when a session disconnects.

mod outgoing;

wit_bindgen::generate!({ path: "wit", world: "plugin", generate_all });

use exports::pairing_console::handler::handler::{Delivery, Description, Guest, HandleError};
use pairing_console::{
    handler::{
        config,
        log::{Level, log},
    },
    types::events::{Event, EventData},
};

struct Handler;

impl Guest for Handler {
    fn describe() -> Description {
        Description {
            name: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            types: Some(vec!["session-disconnected".into()]),
            extra: Vec::new(),
        }
    }

    fn handle(event: Event, _delivery: Delivery) -> Result<(), HandleError> {
        std::panic::set_hook(Box::new(|panic| log(Level::Error, &panic.to_string())));
        let EventData::SessionDisconnected(reason) = event.data else { return Ok(()) };
        let name = event.session_name;
        let url = config::get("url")
            .ok_or_else(|| HandleError::Retry("the setting `url` is missing".into()))?;
        let text = format!("{name} is disconnected: {}", kebab(&format!("{reason:?}")));
        let headers = [
            ("content-type", "application/json"),
            // The host fills the secret in, on the way to a granted host.
            ("authorization", "Bearer {{secret:chat-token}}"),
        ];
        let body = serde_json::json!({ "text": text }).to_string();
        let status = outgoing::post(&url, &headers, body.as_bytes())
            .map_err(|why| HandleError::Retry(format!("the chat can't be reached: {why}")))?;
        match status {
            ..300 => {
                log(Level::Info, &format!("told the chat that {name} is disconnected"));
                Ok(())
            }
            429 | 500.. => Err(HandleError::Retry(format!("the chat answered {status}"))),
            _ => Err(HandleError::Reject(format!("the chat answered {status}"))),
        }
    }
}

/// `Reason::UnlinkedFromPhone` becomes `unlinked-from-phone`.
fn kebab(debug: &str) -> String {
    let name = debug.rsplit("::").next().unwrap_or(debug);
    let mut kebab = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.extend(letter.to_lowercase());
    }
    kebab
}

export!(Handler);
