//! All lanes of one subscription: who is next, and what was settled so far. No
//! I/O happens here.
//!
//! Events are read in the journal's order and stand in their session's lane until
//! they are settled. The cursor follows the oldest one that is not. A lane that
//! lags (it failed, or more came than it can hold) gets a row of its own instead:
//! then the cursor moves on without it, and its events are read again from the
//! journal when their time comes.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use pairing_core::{
    clock::Timestamp,
    delivery_store::{self, Progress},
    event::{Cursor, JournalEvent},
    handler::{Attempt, HandlerEvent},
    id::SessionName,
    subscription::SubscriptionSettings,
};

use crate::{
    lane::{Lane, Phase, Step, What},
    unsaved::Unsaved,
};

pub(crate) struct Lanes {
    pub(crate) lanes: HashMap<SessionName, Lane>,
    /// Lanes with something to hand over, the one that waits longest first.
    pub(crate) ready: VecDeque<SessionName>,
    /// Lanes whose events must be read first.
    pub(crate) hungry: VecDeque<SessionName>,
    pub(crate) waiting: BTreeSet<(Timestamp, SessionName)>,
    /// Events of lanes that don't lag which are not settled.
    pub(crate) unsettled: BTreeSet<Cursor>,
    /// How far the journal was read.
    pub(crate) read: Cursor,
    /// How many events are in the lanes.
    pub(crate) held: usize,
    /// Dead letters that are here, or were until their end is saved.
    pub(crate) letters: HashSet<Cursor>,
    pub(crate) unsaved: Unsaved,
    /// Lanes that don't lag any more but still have a row.
    pub(crate) leaving: HashSet<SessionName>,
    pub(crate) epoch: u64,
}

/// An event that is handed over.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) session: SessionName,
    pub(crate) what: What,
    pub(crate) event: Arc<HandlerEvent>,
    pub(crate) attempt: Attempt,
}

impl Lanes {
    /// As they were saved. `expired` are lanes whose gap ends with what the journal
    /// has forgotten.
    pub(crate) fn restored(
        progress: Progress,
        expired: &BTreeSet<SessionName>,
        now: Timestamp,
    ) -> Self {
        let Progress { cursor, lanes, epoch } = progress;
        let sessions: Vec<_> = lanes.iter().map(|row| row.session.clone()).collect();
        let lane = |row: delivery_store::Lane| {
            let expired = expired.contains(&row.session);
            (row.session.clone(), Lane::restored(row, cursor, expired, now))
        };
        let mut restored = Self {
            lanes: lanes.into_iter().map(lane).collect(),
            ready: VecDeque::new(),
            hungry: VecDeque::new(),
            waiting: BTreeSet::new(),
            unsettled: BTreeSet::new(),
            read: cursor,
            held: 0,
            letters: HashSet::new(),
            unsaved: Unsaved { cursor, ..Unsaved::default() },
            leaving: HashSet::new(),
            epoch,
        };
        for session in sessions {
            restored.free(&session, now);
        }
        restored
    }

    /// How far the journal was read.
    pub(crate) fn read(&self) -> Cursor {
        self.read
    }

    /// Everything up to here is settled, but for lanes that lag.
    pub(crate) fn cursor(&self) -> Cursor {
        match self.unsettled.first() {
            Some(oldest) => Cursor(oldest.0.saturating_sub(1)),
            None => self.read,
        }
    }

    /// Gives the lane a row of its own, or says that its row has changed.
    pub(crate) fn lag(&mut self, session: &SessionName) {
        let Some(lane) = self.lanes.get_mut(session) else { return };
        if !lane.lags {
            lane.lags = true;
            for event in &lane.queue {
                self.unsettled.remove(&event.id);
            }
        }
        self.unsaved.lanes.insert(session.clone());
    }

    /// The lane leaves its events to the journal.
    pub(crate) fn spill(&mut self, session: &SessionName) {
        let Some(lane) = self.lanes.get_mut(session) else { return };
        if let Some(next) = lane.queue.front() {
            lane.loaded = Cursor(next.id.0.saturating_sub(1));
            lane.behind = true;
            self.lag(session);
            if let Some(lane) = self.lanes.get_mut(session) {
                self.held -= lane.queue.len();
                lane.queue.clear();
            }
        }
    }

    /// Takes the first event of the lane as settled.
    pub(crate) fn settle(&mut self, session: &SessionName) -> Option<JournalEvent> {
        let lane = self.lanes.get_mut(session)?;
        let event = lane.queue.pop_front()?;
        self.held -= 1;
        lane.trial = None;
        lane.settled = event.id;
        if lane.lags {
            self.unsaved.lanes.insert(session.clone());
        } else {
            self.unsettled.remove(&event.id);
        }
        Some(event)
    }

    /// Puts the lane where it belongs.
    pub(crate) fn place(&mut self, session: &SessionName, now: Timestamp) {
        let Some(lane) = self.lanes.get_mut(session) else { return };
        match lane.phase {
            // Asked again when its turn comes.
            Phase::Busy | Phase::Ready | Phase::Hungry => return,
            Phase::Waiting(time) => {
                self.waiting.remove(&(time, session.clone()));
            }
            Phase::Idle => {}
        }
        lane.phase = match lane.step(now) {
            Step::Call(_) => {
                self.ready.push_back(session.clone());
                Phase::Ready
            }
            Step::Refill => {
                self.hungry.push_back(session.clone());
                Phase::Hungry
            }
            Step::Wait(time) => {
                self.waiting.insert((time, session.clone()));
                Phase::Waiting(time)
            }
            Step::Nothing => Phase::Idle,
        };
        if lane.is_empty() {
            self.lanes.remove(session);
        }
    }

    /// The next event to hand over.
    pub(crate) fn next_call(
        &mut self,
        settings: &SubscriptionSettings,
        now: Timestamp,
    ) -> Option<Call> {
        while let Some(session) = self.ready.pop_front() {
            self.skip_unwanted(&session, settings);
            let Some(lane) = self.lanes.get_mut(&session) else { continue };
            lane.phase = Phase::Idle;
            if let Step::Call(what) = lane.step(now)
                && let Some(call) = lane.call(session.clone(), what, now)
            {
                lane.phase = Phase::Busy;
                return Some(call);
            }
            self.free(&session, now);
        }
        None
    }

    /// Settings may have changed since it was read.
    fn skip_unwanted(&mut self, session: &SessionName, settings: &SubscriptionSettings) {
        let next = |lanes: &Self| Some(settings.wants(lanes.lanes.get(session)?.queue.front()?));
        while next(self) == Some(false) {
            self.settle(session);
        }
    }

    /// The lane of a call or a reading is free again.
    pub(crate) fn free(&mut self, session: &SessionName, now: Timestamp) {
        if let Some(lane) = self.lanes.get_mut(session) {
            lane.phase = Phase::Idle;
            if lane.lags && lane.has_caught_up() {
                self.leaving.insert(session.clone());
            }
        }
        self.place(session, now);
    }

    /// When the next lane has waited long enough.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.waiting.first().map(|(time, _)| *time)
    }

    /// Somebody could be handed something.
    pub(crate) fn are_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Lanes that have waited long enough get their turn.
    pub(crate) fn wake(&mut self, now: Timestamp) {
        while self.due().is_some_and(|due| due <= now) {
            let Some((_, session)) = self.waiting.pop_first() else { return };
            self.free(&session, now);
        }
    }

    /// The clock was set back.
    pub(crate) fn shift(&mut self, by: Duration, now: Timestamp) {
        for (session, lane) in &mut self.lanes {
            lane.shift(by);
            if lane.trial.is_some() {
                self.unsaved.lanes.insert(session.clone());
            }
        }
        for (_, session) in std::mem::take(&mut self.waiting) {
            self.free(&session, now);
        }
    }
}

impl Lane {
    fn call(&self, session: SessionName, what: What, now: Timestamp) -> Option<Call> {
        let letter = |place| self.letters.get(&place);
        let trial = match what {
            What::Letter(place) => letter(place)?.trial.as_ref(),
            What::Event(_) | What::Gap(_) => self.trial.as_ref(),
        };
        let before = trial.map_or(0, |trial| trial.attempts);
        let first_at = trial.map_or(now, |trial| trial.first_at);
        let (event, before) = match what {
            What::Event(_) => (HandlerEvent::from(self.queue.front()?), before),
            What::Gap(_) => (self.gap?.event(session.clone(), now), before),
            What::Letter(place) => {
                let dead = &letter(place)?.dead;
                (HandlerEvent::from(&dead.event), before.saturating_add(dead.attempts))
            }
        };
        let attempt = Attempt { number: before.saturating_add(1), first_at };
        Some(Call { session, what, event: Arc::new(event), attempt })
    }
}
