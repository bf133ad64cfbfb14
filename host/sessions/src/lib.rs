//! Session workers: one task for each session, which takes one input at a time,
//! asks the workflow plugin what follows, commits that, and carries it out.
//!
//! ```text
//! HTTP, engine, timer ─► mailbox ─► workflow plugin ─► one transaction ─► effects
//!                                                            └─► event bus ─► subscribers
//! ```
//!
//! Browsers start one after the other, in a line that anybody can see
//! (`browser_slots`); who looks at a session is counted (`watching`), because codes
//! are made for nobody else.
//!
//! Nothing here decides how pairing goes (`plugins/pairing-workflow` does) and
//! nothing knows of browsers, SQL or HTTP: those are traits of `pairing-core`.

mod asking;
mod backoff;
mod browser_slots;
mod commands;
mod commit;
mod committed;
mod engine_lane;
mod event_bus;
mod event_queue;
mod live_code;
mod parking;
mod recording;
mod retention;
mod session_actions;
mod session_task;
mod sessions;
mod snapshot;
mod space;
mod subscription;
mod supervisor;
mod watching;

pub use browser_slots::{QueuePlace, QueueReason};
pub use commands::{CommandError, CommandReply};
pub use event_bus::{EventBus, EventsError, Page};
pub use sessions::{Sessions, SessionsConfig, SessionsParts};
pub use snapshot::{QrImage, SessionSnapshot};
pub use subscription::{Routed, Subscription, SubscriptionEnd};
pub use watching::WatchGuard;
