//! Which component fills which slot: how one comes in, what it has to prove
//! before it may decide anything, the swap, and the way back.
//!
//! ```text
//! push ─► signature ─► world ─► compile (child process) ─► probe ─► known version
//! activate ─► replay of recorded histories ─► (canary) ─► one atomic swap
//! ```
//!
//! The database is the truth; what runs is `pairing-plugin-runtime`'s.

mod errors;
mod registry;
mod replay_report;
mod reports;

pub use errors::RegistryError;
pub use registry::Registry;
pub use replay_report::{Difference, ReplayReport, ReplayResult, SessionReplay};
pub use reports::{Activate, Activated, Push, Pushed, Rollback, SlotReport};
