//! Which components fill the slots: what is known of them, how one comes in, the
//! swap and the way back; and who gets which events of handlers.

pub(super) mod activate;
pub(super) mod dead_letters;
pub(super) mod history;
mod input;
pub(super) mod logs;
pub(super) mod parked;
pub(super) mod push;
pub(super) mod put_subscription;
pub(super) mod replay;
pub(super) mod slots;
pub(super) mod subscriptions;
pub(super) mod switches;
pub(super) mod versions;

/// Entries of one answer, at most.
const PAGE: u32 = 200;
