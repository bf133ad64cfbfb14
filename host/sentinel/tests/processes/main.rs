//! Sentinels with real processes: a fake browser that is quick to start, and
//! Chromium where it matters.
//!
//! ```text
//! harness.rs    what the tests share: hosts in processes of their own, and what is left of them
//! door.rs       who can reach the browser
//! ends.rs       what ends when something is killed or frozen
//! cycles.rs     many starts and stops leave nothing
//! confined.rs   as which user, in which namespaces and with how much memory browsers run
//! profile.rs    Chromium's profile survives its host's death
//! ```
//!
//! `SENTINEL_KILLS`, `BROWSER_CYCLES` and `PROFILE_KILLS` set how often; the
//! defaults are for `make test`.

#![expect(clippy::unwrap_used, reason = "a test should end where a step failed")]

mod confined;
mod cycles;
mod door;
mod ends;
mod harness;
mod profile;
