//! Decides who gets which event, and writes it in the shape of each transport.
//!
//! Every subscription gets the events of the sessions and kinds that it asked
//! for. Socket.IO gets the values flat, beside `sessionName`; a WebSocket gets a
//! frame; event streams, journal pages, webhooks and handlers get the event.
//! Where a live secret belongs stands a placeholder, which the host fills in.

pub mod bindings;
mod data;
mod shape;

use bindings::exports::pairing_console::events::router::{
    Delivery, Description, Event, Guest, RouteError, Subscription,
};

/// The component.
pub struct FanOut;

impl Guest for FanOut {
    fn describe() -> Description {
        Description {
            name: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            extra: Vec::new(),
        }
    }

    fn route(event: Event, subscriptions: Vec<Subscription>) -> Result<Vec<Delivery>, RouteError> {
        let kind = data::kind(&event.data);
        let data = data::data(&event.data);
        let deliver = |subscription: Subscription| Delivery {
            subscription: subscription.id,
            name: kind.to_owned(),
            body: shape::body(subscription.transport, &event, kind, &data),
        };
        let wants = |subscription: &Subscription| {
            asks_for(subscription.sessions.as_ref(), &event.session_name)
                && asks_for(subscription.types.as_ref(), kind)
        };
        Ok(subscriptions.into_iter().filter(wants).map(deliver).collect())
    }
}

/// A list that is not there asks for everything.
fn asks_for(list: Option<&Vec<String>>, one: &str) -> bool {
    list.is_none_or(|list| list.iter().any(|entry| entry == one))
}

#[cfg(test)]
mod tests;
