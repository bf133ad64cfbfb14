//! What is to be written, until it is.

use std::collections::HashSet;

use pairing_core::{
    delivery_store::{self, DeadLetter, ProgressChange},
    event::Cursor,
    id::SessionName,
};

use crate::lanes::Lanes;

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
    fn is_empty(&self) -> bool {
        self.lanes.is_empty() && self.dead.is_empty() && self.revived.is_empty()
    }
}

impl Lanes {
    /// Something is to be saved.
    pub(crate) fn has_changed(&self) -> bool {
        !self.unsaved.is_empty() || self.cursor() != self.unsaved.cursor
    }

    /// What is to be saved.
    pub(crate) fn change(&mut self) -> ProgressChange {
        let cursor = self.cursor();
        let mut change = ProgressChange {
            cursor,
            dead: self.unsaved.dead.clone(),
            revived: self.unsaved.revived.clone(),
            epoch: self.epoch,
            ..ProgressChange::default()
        };
        // A row may only go when the cursor says all that it said.
        for session in std::mem::take(&mut self.leaving) {
            match self.lanes.get_mut(&session) {
                None => {}
                Some(lane) if !lane.has_caught_up() => {}
                Some(lane) if lane.settled <= cursor => {
                    lane.lags = false;
                    self.unsaved.lanes.insert(session.clone());
                    if lane.is_empty() {
                        self.lanes.remove(&session);
                    }
                }
                Some(_) => {
                    self.leaving.insert(session);
                }
            }
        }
        for session in std::mem::take(&mut self.unsaved.lanes) {
            match self.lanes.get(&session) {
                Some(lane) if lane.lags => change.lanes.push(lane.row(&session, self.read)),
                _ => change.caught_up.push(session),
            }
        }
        change
    }

    /// It was saved; what came since is not in it.
    pub(crate) fn saved(&mut self, change: &ProgressChange) {
        let ends = change.dead.iter().map(|dead| dead.event.id).chain(change.revived.clone());
        for place in ends {
            self.letters.remove(&place);
        }
        self.unsaved.dead.drain(..change.dead.len());
        self.unsaved.revived.drain(..change.revived.len());
        self.unsaved.cursor = change.cursor;
    }

    /// Lanes that lag, as they would be saved.
    pub(crate) fn lagging(&self) -> impl Iterator<Item = delivery_store::Lane> + '_ {
        let lagging = self.lanes.iter().filter(|(_, lane)| lane.lags && !lane.has_caught_up());
        lagging.map(|(session, lane)| lane.row(session, self.read))
    }
}
