//! Which component fills which slot: how one comes in, what it has to prove
//! before it may decide anything, the swap, and the way back.
//!
//! ```text
//! push ─► size ─► signature ─► compile (a child process) ─► world ─► probe ─► known version
//! activate ─► (grants) ─► replay of recorded histories ─► (canary) ─► one atomic swap
//! subscription ─► rules ─► grants of the active version ─► sealed secrets ─► runtime
//! ```
//!
//! The database is the truth: what fills a slot, and every change that was tried,
//! stand there. What runs is `pairing-plugin-runtime`'s.

mod activate;
mod earlier;
mod errors;
mod histories;
mod loading;
mod push;
mod registry;
mod replay;
mod replay_report;
mod reports;
mod roll_back;
mod secrets;
mod seed;
mod signature;
mod subscription_rules;
mod subscriptions;
mod supervise;
mod watch;

pub use errors::{OpenError, RegistryError};
pub use registry::{Registry, RegistryConfig, RegistryParts};
pub use replay_report::{Difference, ReplayReport, ReplayResult, SessionReplay};
pub use reports::{Activate, Activated, Push, Pushed, Rollback, SlotReport};
pub use signature::{KeyError, TrustedKeys};
pub use subscriptions::{Begin, PutSubscription, Subscribed};
