//! One session of one subscription.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use pairing_core::{
    clock::Timestamp,
    delivery_store::{self, DeadLetter, Gap},
    event::{Cursor, JournalEvent},
    id::SessionName,
};

use crate::{gap::OpenGap, schedule};

/// A lane that waits longer than this keeps nothing in memory.
const SHORT_WAIT: Duration = Duration::from_secs(2);

/// Where a session stands.
#[derive(Default)]
pub(crate) struct Lane {
    /// What comes next, oldest first. The first stays until it is settled.
    pub(crate) queue: VecDeque<JournalEvent>,
    /// What comes up to here is in the queue or settled.
    pub(crate) loaded: Cursor,
    /// There may be events after `loaded` that were left in the journal.
    pub(crate) behind: bool,
    /// One was left there while others were being read.
    pub(crate) missed: bool,
    /// Failed attempts at what comes next.
    pub(crate) trial: Option<Trial>,
    /// To be told before what comes next.
    pub(crate) gap: Option<OpenGap>,
    /// Dead letters that are tried once more.
    pub(crate) letters: BTreeMap<Cursor, Letter>,
    pub(crate) phase: Phase,
    /// It lags: it has a row, or is to have one, and does not hold the cursor back.
    pub(crate) lags: bool,
    /// The last event that was settled.
    pub(crate) settled: Cursor,
}

/// In which of the sets of `Lanes` it is.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    #[default]
    Idle,
    Ready,
    Hungry,
    Waiting(Timestamp),
    /// An event is being handed over, or the journal is being read.
    Busy,
}

/// What can be done for a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Call(What),
    Refill,
    Wait(Timestamp),
    Nothing,
}

/// What is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The first of the queue.
    Event(Cursor),
    Gap(Gap),
    Letter(Cursor),
}

/// Attempts that failed.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    pub(crate) attempts: u32,
    pub(crate) first_at: Timestamp,
    pub(crate) next_at: Timestamp,
    pub(crate) error: String,
}

/// A dead letter that is tried once more.
pub(crate) struct Letter {
    pub(crate) dead: DeadLetter,
    /// Since it was requeued.
    pub(crate) trial: Option<Trial>,
}

impl Lane {
    /// As it was saved. `expired` says what its gap is.
    pub(crate) fn restored(
        row: delivery_store::Lane,
        cursor: Cursor,
        expired: bool,
        now: Timestamp,
    ) -> Self {
        // Were the clock set back, it would wait for ever.
        let next_at = row.next_attempt_at.min(now.after(schedule::LONGEST + schedule::LONGEST / 8));
        let trial = (row.attempts > 0).then_some(Trial {
            attempts: row.attempts,
            first_at: row.first_attempt_at,
            next_at,
            error: row.error,
        });
        Self {
            loaded: row.settled,
            settled: row.settled,
            behind: row.settled < cursor,
            trial,
            gap: row.gap.map(|range| OpenGap { range, expired, rests: false }),
            lags: true,
            ..Self::default()
        }
    }

    /// As it is to be saved. `read` is how far the subscription has read.
    pub(crate) fn row(&self, session: &SessionName, read: Cursor) -> delivery_store::Lane {
        let trial = self.trial.as_ref();
        delivery_store::Lane {
            session: session.clone(),
            settled: match self.queue.front() {
                Some(next) => Cursor(next.id.0.saturating_sub(1)),
                None if self.behind => self.loaded,
                None => read.max(self.loaded),
            },
            attempts: trial.map_or(0, |trial| trial.attempts),
            first_attempt_at: trial.map(|trial| trial.first_at).unwrap_or_default(),
            next_attempt_at: trial.map(|trial| trial.next_at).unwrap_or_default(),
            error: trial.map(|trial| trial.error.clone()).unwrap_or_default(),
            gap: self.gap.map(|gap| gap.range),
        }
    }

    /// What can be done now.
    pub(crate) fn step(&self, now: Timestamp) -> Step {
        let due =
            |letter: &Letter| letter.trial.as_ref().map_or(Timestamp(0), |trial| trial.next_at);
        let letter = self.letters.iter().map(|(place, letter)| (due(letter), *place)).min();
        if let Some((due, place)) = letter
            && due <= now
        {
            return Step::Call(What::Letter(place));
        }
        match (self.next_in_order(now), letter) {
            (Step::Wait(time), Some((due, _))) => Step::Wait(time.min(due)),
            (Step::Nothing, Some((due, _))) => Step::Wait(due),
            (step, _) => step,
        }
    }

    fn next_in_order(&self, now: Timestamp) -> Step {
        if let Some(trial) = &self.trial
            && now < trial.next_at
        {
            return Step::Wait(trial.next_at);
        }
        match (&self.gap, self.queue.front()) {
            (_, None) if self.behind => Step::Refill,
            (Some(gap), None) if gap.rests => Step::Nothing,
            (Some(gap), _) => Step::Call(What::Gap(gap.range)),
            (None, Some(next)) => Step::Call(What::Event(next.id)),
            (None, None) => Step::Nothing,
        }
    }

    /// Its next attempt is far away.
    pub(crate) fn waits_long(&self, now: Timestamp) -> bool {
        self.trial.as_ref().is_some_and(|trial| trial.next_at.since(now) > SHORT_WAIT)
    }

    /// Nothing of it needs a row.
    pub(crate) fn has_caught_up(&self) -> bool {
        self.queue.is_empty() && !self.behind && self.trial.is_none() && self.gap.is_none()
    }

    /// Nothing is left of it at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.has_caught_up() && !self.lags && self.letters.is_empty() && self.phase == Phase::Idle
    }

    /// Moves all its times back, as the clock was.
    pub(crate) fn shift(&mut self, by: Duration) {
        let letters = self.letters.values_mut().filter_map(|letter| letter.trial.as_mut());
        for trial in self.trial.iter_mut().chain(letters) {
            trial.next_at = trial.next_at.before(by);
        }
    }
}
