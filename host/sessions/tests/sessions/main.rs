//! Sessions from mailbox to subscriber: real SQLite, a page that the test plays,
//! and a clock that the test moves.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod codes;
mod components;
mod deletion;
mod events;
mod evidence;
mod faulty_store;
mod host;
mod inputs;
mod numbers;
mod outage;
mod parking;
mod pauses;
mod plugin_failure;
mod restart;
mod slots;
mod watching;
