//! The runtime as the host sees it: real components, and guests that misbehave.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../../../../tests/guests/compile_bomb.rs"]
mod compile_bomb;
mod compiled_code;
mod guests;
mod handlers;
mod hostile;
mod limits;
mod messages;
mod metrics;
mod museum;
mod refusals;
mod schemas;
mod shipped;
