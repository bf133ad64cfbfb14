//! The rules of pairing, told as stories; the whole table; and what holds after
//! any sequence of inputs.

mod codes;
mod commands;
mod conflict;
mod contract;
mod events;
mod failures;
mod host_start;
mod invariants;
mod linking;
mod phone;
mod situations;
mod table;
mod unlinking;
mod watched;
pub(crate) mod world;
