//! Tests that run the whole host: the real binary, real Chromium, the stand-in.

#![expect(clippy::unwrap_used, reason = "all of it is tests, functions that they share too")]

mod api;
mod chromium_crash;
mod chromium_killed_while_pairing;
mod chromium_pairing;
mod chromium_swap;
mod chromium_swap_crash;
mod cli;
mod console;
mod delivery_under_kills;
mod endurance;
mod failpoints;
mod handler_sandbox;
mod handlers;
mod plugins;
mod plugins_under_load;
mod secrets;
mod webhooks;
