//! Which browser may start next. Few are in the middle of their start at once, and
//! no more run than the machine can bear; all others wait in a line that anybody
//! can see.
//!
//! People go first, then the sessions that were active most recently. A session
//! whose last start failed or hung goes last and never gets all permits, so that
//! it delays nobody.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use pairing_core::{clock::Timestamp, id::SessionName};
use tokio::sync::oneshot;

/// Where a session stands that waits for its browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuePlace {
    /// Counted from 1.
    pub position: usize,
    /// How many wait.
    pub waiting: usize,
    /// What they wait for.
    pub reason: QueueReason,
}

/// What those in the line wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueReason {
    /// Others are in the middle of their start.
    Starting,
    /// As many browsers run as may.
    Slots,
    /// The disk has no room.
    Space,
}

impl QueueReason {
    /// On the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Slots => "slots",
            Self::Space => "space",
        }
    }
}

/// Who wants a browser to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// Somebody asked for it just now.
    Person,
    /// The host: at its start, or once more after a failure.
    Automatic,
}

/// A session that wants its browser.
pub(crate) struct Applicant {
    pub(crate) session: SessionName,
    pub(crate) urgency: Urgency,
    pub(crate) last_active: Timestamp,
    /// Its last start failed or hung.
    pub(crate) is_suspect: bool,
}

/// The line, and what is taken.
#[derive(Clone)]
pub(crate) struct BrowserSlots(Arc<Mutex<State>>);

struct State {
    max_starting: usize,
    max_running: Option<usize>,
    starting: usize,
    suspects_starting: usize,
    running: usize,
    waiting: BTreeMap<Rank, Waiting>,
    ranks: BTreeMap<SessionName, Rank>,
    tickets: u64,
    /// Sessions that were not yet taken up since the host started: only when the
    /// whole line stands it is known who is first.
    taking_up: usize,
    /// The disk has no room for what a browser writes.
    is_held: bool,
}

/// The place in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    goes_last: bool,
    urgency: Urgency,
    last_active: Reverse<Timestamp>,
    ticket: u64,
}

struct Waiting {
    session: SessionName,
    is_suspect: bool,
    turn: oneshot::Sender<Turn>,
}

impl BrowserSlots {
    /// At most `starting` browsers start at once, and `running` run, if that is limited.
    pub(crate) fn new(starting: usize, running: Option<usize>) -> Self {
        Self(Arc::new(Mutex::new(State {
            max_starting: starting.max(1),
            max_running: running.map(|running| running.max(1)),
            starting: 0,
            suspects_starting: 0,
            running: 0,
            waiting: BTreeMap::new(),
            ranks: BTreeMap::new(),
            tickets: 0,
            taking_up: 0,
            is_held: false,
        })))
    }

    /// Joins the line.
    pub(crate) fn join(&self, applicant: Applicant) -> Place {
        let Applicant { session, urgency, last_active, is_suspect } = applicant;
        let (turn, comes) = oneshot::channel();
        let ticket = {
            let mut state = self.state();
            state.tickets += 1;
            let ticket = state.tickets;
            let rank = state.rank(is_suspect, urgency, Reverse(last_active), ticket);
            state.ranks.insert(session.clone(), rank);
            state.waiting.insert(rank, Waiting { session: session.clone(), is_suspect, turn });
            ticket
        };
        self.grant();
        Place { slots: self.clone(), session, ticket, comes }
    }

    /// Somebody asks for a session that waits because the host wanted it.
    pub(crate) fn hasten(&self, session: &SessionName) {
        let mut state = self.state();
        let Some(old) = state.ranks.get(session).copied() else { return };
        let Some(waiting) = state.waiting.remove(&old) else { return };
        let rank = state.rank(waiting.is_suspect, Urgency::Person, old.last_active, old.ticket);
        state.ranks.insert(session.clone(), rank);
        state.waiting.insert(rank, waiting);
        drop(state);
        self.grant();
    }

    /// Where a session stands, if it waits.
    pub(crate) fn place(&self, session: &SessionName) -> Option<QueuePlace> {
        let state = self.state();
        let rank = state.ranks.get(session)?;
        let is_full = state.max_running.is_some_and(|max| state.running >= max);
        Some(QueuePlace {
            position: state.waiting.range(..=rank).count(),
            waiting: state.waiting.len(),
            reason: match (state.is_held, is_full) {
                (true, _) => QueueReason::Space,
                (false, true) => QueueReason::Slots,
                (false, false) => QueueReason::Starting,
            },
        })
    }

    /// Nobody but people gets a turn until this pass and all others are dropped.
    pub(crate) fn take_up(&self) -> TakingUp {
        self.state().taking_up += 1;
        TakingUp(self.clone())
    }

    /// Whoever is not in the line by now comes too late.
    pub(crate) fn all_taken_up(&self) {
        self.state().taking_up = 0;
        self.grant();
    }

    /// While this holds nobody starts.
    pub(crate) fn hold(&self, is_held: bool) {
        self.state().is_held = is_held;
        self.grant();
    }

    /// Gives turns as long as there is somebody to get one.
    fn grant(&self) {
        loop {
            let next = self.state().next();
            let Some(waiting) = next else { return };
            let turn = Turn {
                start: StartPermit { slots: self.clone(), is_suspect: waiting.is_suspect },
                slot: BrowserSlot(self.clone()),
            };
            // Who has just left gives it back by dropping it.
            let _ = waiting.turn.send(turn);
        }
    }

    fn leave(&self, session: &SessionName, ticket: u64) {
        let mut state = self.state();
        if let Some(rank) = state.ranks.get(session).copied()
            && rank.ticket == ticket
        {
            state.ranks.remove(session);
            state.waiting.remove(&rank);
            state.measure();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn rank(
        &self,
        is_suspect: bool,
        urgency: Urgency,
        last_active: Reverse<Timestamp>,
        ticket: u64,
    ) -> Rank {
        // Where there are permits to spare a person need not wait for all others.
        let may_hurry = urgency == Urgency::Person && self.max_starting > 1;
        Rank { goes_last: is_suspect && !may_hurry, urgency, last_active, ticket }
    }

    /// Takes the next one out of the line, if it may start.
    fn next(&mut self) -> Option<Waiting> {
        self.measure();
        if self.is_held
            || self.starting >= self.max_starting
            || self.max_running.is_some_and(|max| self.running >= max)
        {
            return None;
        }
        let for_suspects = (self.max_starting - 1).max(1);
        let may_start = |(rank, waiting): &(&Rank, &Waiting)| {
            (self.taking_up == 0 || rank.urgency == Urgency::Person)
                && (!waiting.is_suspect || self.suspects_starting < for_suspects)
        };
        let rank = *self.waiting.iter().find(may_start)?.0;
        let waiting = self.waiting.remove(&rank)?;
        self.ranks.remove(&waiting.session);
        self.running += 1;
        self.starting += 1;
        self.suspects_starting += usize::from(waiting.is_suspect);
        self.measure();
        Some(waiting)
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody runs so many browsers")]
    fn measure(&self) {
        metrics::gauge!("browsers_running").set(self.running as f64);
        metrics::gauge!("browsers_starting").set(self.starting as f64);
        metrics::gauge!("browsers_waiting").set(self.waiting.len() as f64);
    }
}

/// A place in the line. Dropping it leaves.
pub(crate) struct Place {
    slots: BrowserSlots,
    session: SessionName,
    ticket: u64,
    comes: oneshot::Receiver<Turn>,
}

impl Place {
    /// Returns when it is this session's turn. Cancel-safe.
    pub(crate) async fn turn(&mut self) -> Turn {
        match (&mut self.comes).await {
            Ok(turn) => turn,
            // The line's end of it goes only with a turn, or when the place is left.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.slots.leave(&self.session, self.ticket);
    }
}

/// A browser may start, and run.
pub(crate) struct Turn {
    pub(crate) start: StartPermit,
    pub(crate) slot: BrowserSlot,
}

/// Held while a browser is in the middle of its start.
pub(crate) struct StartPermit {
    slots: BrowserSlots,
    is_suspect: bool,
}

impl Drop for StartPermit {
    fn drop(&mut self) {
        {
            let mut state = self.slots.state();
            state.starting -= 1;
            state.suspects_starting -= usize::from(self.is_suspect);
        }
        self.slots.grant();
    }
}

/// Held as long as a browser runs.
pub(crate) struct BrowserSlot(BrowserSlots);

impl Drop for BrowserSlot {
    fn drop(&mut self) {
        self.0.state().running -= 1;
        self.0.grant();
    }
}

/// A session that is still to be taken up after the host's start.
pub(crate) struct TakingUp(BrowserSlots);

impl Drop for TakingUp {
    fn drop(&mut self) {
        {
            let mut state = self.0.state();
            state.taking_up = state.taking_up.saturating_sub(1);
        }
        self.0.grant();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> SessionName {
        text.parse().unwrap()
    }

    fn automatic(session: &str, last_active: u64) -> Applicant {
        Applicant {
            session: name(session),
            urgency: Urgency::Automatic,
            last_active: Timestamp(last_active),
            is_suspect: false,
        }
    }

    fn suspect(session: &str, last_active: u64) -> Applicant {
        Applicant { is_suspect: true, ..automatic(session, last_active) }
    }

    fn person(session: &str) -> Applicant {
        Applicant { urgency: Urgency::Person, ..automatic(session, 0) }
    }

    /// Who gets the turns, if each browser has started when the next one may.
    fn order(slots: &BrowserSlots, mut places: Vec<Place>) -> Vec<String> {
        let mut order = Vec::new();
        while !places.is_empty() {
            let came = places
                .iter_mut()
                .position(|place| place.comes.try_recv().map(|turn| drop(turn.start)).is_ok());
            order.push(places.remove(came.expect("nobody gets a turn")).session.to_string());
        }
        assert_eq!(slots.state().starting, 0);
        order
    }

    #[test]
    fn a_full_disk_holds_all_until_there_is_room() {
        let slots = BrowserSlots::new(2, None);
        slots.hold(true);
        let mut place = slots.join(person("one"));
        assert_eq!(slots.place(&name("one")).unwrap().reason, QueueReason::Space);
        assert!(place.comes.try_recv().is_err(), "nobody starts");
        slots.hold(false);
        assert!(place.comes.try_recv().is_ok());
    }

    #[test]
    fn people_go_first_then_who_was_active_last_and_suspects_go_last() {
        let slots = BrowserSlots::new(1, None);
        let first = slots.take_up();
        let places =
            [automatic("old", 1), suspect("bad", 9), automatic("new", 8), automatic("newer", 9)]
                .map(|applicant| slots.join(applicant));
        let mut places = Vec::from(places);
        drop(first);
        places.push(slots.join(person("asked")));
        // The turn came to the first as soon as the line stood.
        assert_eq!(order(&slots, places), ["newer", "asked", "new", "old", "bad"]);
    }

    #[test]
    fn suspects_never_hold_all_permits() {
        let slots = BrowserSlots::new(2, None);
        let mut first = slots.join(suspect("bad", 1));
        let _turn = first.comes.try_recv().unwrap();
        let mut second = slots.join(suspect("worse", 1));
        assert!(second.comes.try_recv().is_err());
        let mut good = slots.join(automatic("good", 0));
        let _good = good.comes.try_recv().unwrap();
        assert!(second.comes.try_recv().is_err());
    }

    #[test]
    fn who_asks_for_a_session_that_waits_hastens_it() {
        let slots = BrowserSlots::new(1, None);
        let mut busy = slots.join(person("busy"));
        let turn = busy.comes.try_recv().unwrap();
        let places = vec![slots.join(automatic("new", 9)), slots.join(automatic("old", 1))];
        assert_eq!(slots.place(&name("old")).unwrap().position, 2);
        slots.hasten(&name("old"));
        assert_eq!(slots.place(&name("old")).unwrap().position, 1);
        drop(turn.start);
        assert_eq!(order(&slots, places), ["old", "new"]);
    }

    #[test]
    fn a_place_that_is_left_is_given_to_the_next_and_so_is_a_slot() {
        let slots = BrowserSlots::new(2, Some(1));
        let mut running = slots.join(automatic("running", 1));
        let Turn { start, slot } = running.comes.try_recv().unwrap();
        drop(start);
        let left = slots.join(automatic("left", 9));
        let mut next = slots.join(automatic("next", 5));
        let place = slots.place(&name("next")).unwrap();
        let expected = QueuePlace { position: 2, waiting: 2, reason: QueueReason::Slots };
        assert_eq!(place, expected);
        drop(left);
        assert_eq!(slots.place(&name("next")).unwrap().position, 1);
        assert!(next.comes.try_recv().is_err());
        drop(slot);
        // A turn that nobody takes is not lost.
        let mut last = slots.join(automatic("last", 1));
        assert!(last.comes.try_recv().is_err());
        assert_eq!(slots.place(&name("next")), None);
        drop(next);
        assert!(last.comes.try_recv().is_ok());
        assert_eq!(slots.state().running, 0);
    }
}
