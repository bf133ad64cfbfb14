//! What is to be written, until it is.

use std::collections::HashSet;

use pairing_core::{
    delivery_store::{DeadLetter, ProgressChange},
    event::Cursor,
    id::SessionName,
};

#[derive(Default)]
pub(crate) struct Unsaved {
    /// Lanes that have changed.
    pub(crate) lanes: HashSet<SessionName>,
    pub(crate) dead: Vec<DeadLetter>,
    pub(crate) revived: Vec<Cursor>,
    /// The cursor that is saved.
    pub(crate) cursor: Cursor,
}

impl Unsaved {
    pub(crate) fn is_empty(&self) -> bool {
        self.lanes.is_empty() && self.dead.is_empty() && self.revived.is_empty()
    }

    /// This was written.
    pub(crate) fn saved(&mut self, change: &ProgressChange) {
        // What came since stands behind it.
        self.dead.drain(..change.dead.len());
        self.revived.drain(..change.revived.len());
        self.cursor = change.cursor;
    }

    /// This was not, and what it says may be outdated by the next time.
    pub(crate) fn not_saved(&mut self, change: ProgressChange) {
        self.lanes.extend(change.lanes.into_iter().map(|lane| lane.session));
        self.lanes.extend(change.caught_up);
    }
}
