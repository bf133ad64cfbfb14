//! The whole API over real connections; WhatsApp's page and time are played.

#![expect(clippy::unwrap_used, reason = "all of it is tests, functions that they share too")]

mod authorisation;
mod bad_input;
mod browser_requests;
mod connections;
mod events;
mod forge;
mod issuers;
mod kept_calls;
mod limits;
mod page;
mod public_face;
mod revocation;
mod sessions;
mod sign_in;
mod socketio;
mod tls;
mod token_corpus;
mod websocket;
