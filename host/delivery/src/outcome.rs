//! What follows from how a call has ended.

use std::time::Duration;

use pairing_core::{
    clock::Timestamp,
    delivery_store::{DeadLetter, Gap},
    event::{Cursor, JournalEvent},
    id::SessionName,
    subscription::SubscriptionSettings,
};

use crate::{
    gap::OpenGap,
    lane::{Lane, Trial, What},
    lanes::{Call, Lanes},
    schedule,
};

/// So much of what a handler says is kept.
const LONGEST_REASON: usize = 1_024;

/// How an attempt has failed.
pub(crate) struct Failure {
    pub(crate) why: String,
    /// It must not be tried again.
    pub(crate) is_final: bool,
    pub(crate) after: Option<Duration>,
}

/// What became of a failed attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is made again.
    Waits,
    /// The event is a dead letter.
    Dead(Cursor),
    /// The subscriber does not want to know of a gap, or can't be told for now.
    GapLeft,
}

impl Lanes {
    /// It was handled.
    pub(crate) fn handled(&mut self, call: &Call, now: Timestamp) {
        let session = &call.session;
        match call.what {
            What::Event(_) => {
                self.settle(session);
            }
            What::Gap(told) => self.told(session, told),
            What::Letter(place) => {
                if let Some(lane) = self.lanes.get_mut(session) {
                    lane.letters.remove(&place);
                }
                self.unsaved.revived.push(place);
            }
        }
        self.free(session, now);
    }

    fn told(&mut self, session: &SessionName, told: Gap) {
        if let Some(lane) = self.lanes.get_mut(session) {
            lane.gap = lane.gap.and_then(|gap| gap.without(told));
            // The receiver is back: what comes next begins anew.
            lane.trial = None;
        }
        self.lag(session);
    }

    /// It was not handled, but an attempt was made.
    pub(crate) fn failed(
        &mut self,
        call: &Call,
        failure: Failure,
        settings: &SubscriptionSettings,
        now: Timestamp,
        chance: f64,
    ) -> Verdict {
        let session = &call.session;
        let reason = fit(failure.why);
        let trial = self.lanes.get(session).and_then(|lane| lane.trial_of(call.what));
        let attempts = trial.map_or(0, |trial| trial.attempts).saturating_add(1);
        let delay = schedule::delay(&settings.retry_seconds, attempts, failure.after, chance);
        let verdict = match delay.filter(|_| !failure.is_final) {
            Some(delay) => {
                let trial = Trial {
                    attempts,
                    first_at: call.attempt.first_at,
                    next_at: now.after(delay),
                    error: reason,
                };
                self.wait(call, trial, now);
                Verdict::Waits
            }
            None => self.give_up(call, reason, attempts, failure.is_final, now),
        };
        self.free(session, now);
        verdict
    }

    fn wait(&mut self, call: &Call, trial: Trial, now: Timestamp) {
        let session = &call.session;
        let Some(lane) = self.lanes.get_mut(session) else { return };
        if let What::Letter(place) = call.what {
            if let Some(letter) = lane.letters.get_mut(&place) {
                letter.trial = Some(trial);
            }
            return;
        }
        lane.trial = Some(trial);
        let is_long = lane.waits_long(now);
        self.lag(session);
        if is_long {
            self.spill(session);
        }
    }

    fn give_up(
        &mut self,
        call: &Call,
        reason: String,
        attempts: u32,
        is_final: bool,
        now: Timestamp,
    ) -> Verdict {
        let session = &call.session;
        let Some(lane) = self.lanes.get_mut(session) else { return Verdict::GapLeft };
        match call.what {
            What::Letter(place) => {
                if let Some(letter) = lane.letters.remove(&place) {
                    let attempts = letter.dead.attempts.saturating_add(attempts);
                    self.bury(letter.dead.event, attempts, reason, now);
                }
                Verdict::Dead(place)
            }
            // It said that it does not care.
            What::Gap(told) if is_final => {
                self.told(session, told);
                Verdict::GapLeft
            }
            What::Gap(_) if lane.queue.is_empty() => {
                lane.trial = None;
                // Unless an event has come meanwhile, which was left in the journal.
                lane.gap = lane.gap.map(|gap| OpenGap { rests: true, ..gap });
                self.lag(session);
                Verdict::GapLeft
            }
            What::Gap(_) | What::Event(_) => {
                let Some(event) = self.settle(session) else { return Verdict::GapLeft };
                let place = event.id;
                if !is_final && let Some(lane) = self.lanes.get_mut(session) {
                    let range = Gap { from: place, to: place };
                    lane.gap = Some(OpenGap::extended(lane.gap, range, false));
                    self.lag(session);
                }
                self.bury(event, attempts, reason, now);
                Verdict::Dead(place)
            }
        }
    }

    fn bury(&mut self, event: JournalEvent, attempts: u32, reason: String, at: Timestamp) {
        self.unsaved.dead.push(DeadLetter { event, attempts, reason, at, requeued_at: None });
    }
}

impl Lane {
    fn trial_of(&self, what: What) -> Option<&Trial> {
        match what {
            What::Letter(place) => self.letters.get(&place)?.trial.as_ref(),
            What::Event(_) | What::Gap(_) => self.trial.as_ref(),
        }
    }
}

/// Short enough to be kept, and without what Postgres can't store.
pub(crate) fn fit(why: String) -> String {
    let mut why = why.replace('\0', "\u{fffd}");
    why.truncate(why.floor_char_boundary(LONGEST_REASON));
    why
}
