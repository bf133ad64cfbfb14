//! What is to be written, until it is.

use std::collections::HashSet;

use pairing_core::{
    delivery_store::{self, DeadLetter, ProgressChange},
    event::Cursor,
    id::SessionName,
};

use crate::lanes::Lanes;

/// So many rows, and so many dead letters, are written at once.
const AT_ONCE: usize = 2_000;

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

    /// What is to be saved next; there may be more. Until all of it is, the cursor
    /// stays: to save dead letters and rows earlier than it does no harm, and so no
    /// change grows until the database is too slow for it.
    pub(crate) fn change(&mut self) -> ProgressChange {
        let dead = self.unsaved.dead.len().min(AT_ONCE);
        let are_all_dead = dead == self.unsaved.dead.len();
        let is_all = are_all_dead && self.unsaved.lanes.len() <= AT_ONCE;
        let cursor = if is_all { self.cursor() } else { self.unsaved.cursor };
        // No row may go before the dead letters that it has settled.
        let rows = match (is_all, are_all_dead) {
            (true, _) => usize::MAX,
            (false, true) => AT_ONCE,
            (false, false) => 0,
        };
        let mut change = ProgressChange {
            cursor,
            dead: self.unsaved.dead.iter().take(dead).cloned().collect(),
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
        let sessions: Vec<_> = self.unsaved.lanes.iter().take(rows).cloned().collect();
        for session in sessions {
            self.unsaved.lanes.remove(&session);
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

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use pairing_core::{
        clock::Timestamp,
        delivery_store::Progress,
        event::{EventData, JournalEvent},
        subscription::SubscriptionSettings,
    };

    use super::*;
    use crate::{journal::Page, outcome::Failure};

    const SESSIONS: u64 = 4_700;
    const NOW: Timestamp = Timestamp(9);

    /// Lanes of which each has just failed.
    fn failed(is_final: bool) -> Lanes {
        let settings =
            SubscriptionSettings { retry_seconds: Vec::new(), ..SubscriptionSettings::default() };
        let mut lanes = Lanes::restored(Progress::default(), &BTreeSet::new(), NOW);
        let event = |place: u64| JournalEvent {
            id: Cursor(place),
            session: format!("s{place}").parse().unwrap(),
            at: NOW,
            data: EventData::SessionDeleted,
        };
        let events = (1..=SESSIONS).map(event).collect();
        lanes.push(Page { events, at_end: true, expired: None }, &settings, NOW);
        for _ in 0..SESSIONS {
            let call = lanes.next_call(&settings, NOW).unwrap();
            let failure = Failure { why: "down".into(), is_final, after: None };
            lanes.failed(&call, failure, &settings, NOW, 0.5);
        }
        lanes
    }

    #[test]
    fn the_cursor_waits_for_dead_letters_without_a_row() {
        let mut lanes = failed(true);
        let mut dead = 0;
        while lanes.has_changed() {
            let change = lanes.change();
            dead += change.dead.len() as u64;
            assert_eq!(change.cursor, Cursor(if dead == SESSIONS { SESSIONS } else { 0 }));
            lanes.saved(&change);
        }
        assert_eq!(dead, SESSIONS);
    }

    #[test]
    fn what_is_too_much_for_one_change_is_saved_in_several_and_the_cursor_comes_last() {
        let mut lanes = failed(false);
        let (mut dead, mut rows) = (BTreeSet::new(), BTreeMap::new());
        while lanes.has_changed() {
            let change = lanes.change();
            assert!(change.dead.len().max(change.lanes.len()) <= AT_ONCE);
            dead.extend(change.dead.iter().map(|dead| dead.event.id));
            rows.extend(change.lanes.iter().map(|lane| (lane.session.clone(), lane.gap.unwrap())));
            assert!(rows.values().all(|gap| dead.contains(&gap.to)), "a row came too early");
            let is_all = rows.len() as u64 == SESSIONS;
            assert_eq!(change.cursor, Cursor(if is_all { SESSIONS } else { 0 }));
            lanes.saved(&change);
        }
        assert_eq!((dead.len() as u64, rows.len() as u64), (SESSIONS, SESSIONS));
    }
}
