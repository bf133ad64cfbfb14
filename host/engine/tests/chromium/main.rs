//! The engine in real Chromium against the stand-in. Each test has a stand-in,
//! a folder of profiles and browsers of its own.
//!
//! ```text
//! harness.rs    what the tests share: sessions whose events are told in words
//! linking.rs    by QR code, by pairing code, again after a restart
//! trouble.rs    what the page can do wrong, and in which typed reason it ends
//! ends.rs       logouts, crashes, stops: what is told, and that nothing is left
//! liveness.rs   pages that stop answering: noticed, repaired, or given up, with evidence
//! hooks.rs      what is known of the page: tried, and changed while engines run
//! failure_modes.rs  known failures of drivers that have no test elsewhere
//! catalogue.rs  the README's table of all known failures names tests that exist
//! disguise.rs   what the page and the system can see of the browser
//! ```

#![expect(clippy::unwrap_used, reason = "a test should end where a step failed")]

mod catalogue;
mod disguise;
mod ends;
mod failure_modes;
mod harness;
mod hooks;
mod linking;
mod liveness;
mod trouble;
