//! Tests that run the whole host: the real binary, real Chromium, the stand-in.

mod api;
mod chromium_crash;
mod chromium_pairing;
mod cli;
mod console;
mod secrets;
