//! The whole API over real connections; WhatsApp's page and time are played.

mod authorisation;
mod bad_input;
mod browser_requests;
mod connections;
mod events;
mod evidence;
mod forge;
mod full_disk;
mod issuers;
mod kept_calls;
mod limits;
mod page;
mod page_hooks;
mod plugins;
mod public_face;
mod revocation;
mod sessions;
mod sign_in;
mod socket;
mod socketio;
mod tls;
mod token_corpus;
mod watching;
mod websocket;
