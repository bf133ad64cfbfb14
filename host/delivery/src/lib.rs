//! Hands the journal to subscribers: at least once, in order for each session.
//!
//! [`Deliveries`] runs one task for each subscription, which owns that
//! subscription's place in the journal. Within it each session is a *lane*: one
//! event at a time, while many lanes are under way. What a task decides is in
//! `lanes` (no I/O), what it does in `subscription_task` and `work`.

mod attempt;
mod deliveries;
mod gap;
mod intake;
mod journal;
mod lane;
mod lanes;
mod outcome;
mod pace;
mod pause;
mod report;
mod schedule;
mod subscription_task;
mod unsaved;
mod work;

pub use deliveries::{Deliveries, DeliveryParts};
pub use report::{LaneReport, SubscriptionReport};
