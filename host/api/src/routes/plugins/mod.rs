//! Which components fill the slots: what is known of them, how one comes in, the
//! swap and the way back.

pub(super) mod activate;
pub(super) mod history;
mod input;
pub(super) mod parked;
pub(super) mod push;
pub(super) mod replay;
pub(super) mod slots;
pub(super) mod versions;

/// Entries of one answer, at most.
const PAGE: u32 = 200;
