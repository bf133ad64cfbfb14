//! Webhooks: each event becomes a signed POST, after the Standard Webhooks
//! specification (https://www.standardwebhooks.com).
//!
//! A subscription is an endpoint. Its settings:
//! - `url`: where to post to, http or https;
//! - `header.NAME`: more headers; `{{secret:NAME}}` in a value is filled in by
//!   the host.
//!
//! Each of its secrets whose name begins with `signing` signs every request: two
//! of them while a key is replaced.

mod answer;
pub mod bindings;
// The same file: webhooks and the API show events alike.
#[path = "../../event-fan-out/src/data.rs"]
mod data;
mod endpoint;
mod message;
mod outgoing;
mod signature;

use bindings::{
    exports::pairing_console::handler::handler::{
        Delivery, Description, Event, Guest, HandleError,
    },
    pairing_console::handler::{clock, config, log, secrets},
};
use endpoint::Endpoint;

/// The component.
pub struct Webhook;

impl Guest for Webhook {
    fn describe() -> Description {
        Description {
            name: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            types: None,
            extra: Vec::new(),
        }
    }

    fn handle(event: Event, _delivery: Delivery) -> Result<(), HandleError> {
        // What an operator can repair is no reason to lose events: they are tried
        // again, by the subscription's schedule.
        let endpoint = Endpoint::read(&config::entries()).map_err(HandleError::Retry)?;
        let now = clock::now();
        let id = message::id(&event);
        let body = message::body(&event);
        let signatures = signature::sign(
            &secrets::names(),
            &signature::signed(&id, now, &body),
            |name, bytes| secrets::sign(name, bytes).map_err(|error| format!("{error:?}")),
        );
        let signatures = signatures.map_err(HandleError::Retry)?;
        let headers = [
            ("content-type", "application/json"),
            ("user-agent", concat!("pairing-console-webhook/", env!("CARGO_PKG_VERSION"))),
            ("webhook-id", &id),
            ("webhook-timestamp", &signature::seconds(now)),
            ("webhook-signature", &signatures),
        ];
        let answer = outgoing::post(&endpoint, &headers, &body).map_err(HandleError::Retry)?;
        let outcome = answer::outcome(&answer, now);
        if let Err(HandleError::Gone(why)) = &outcome {
            log::log(log::Level::Warn, why);
        }
        outcome
    }
}

#[cfg(test)]
mod tests;
