//! The task of one subscription: reads the journal, hands events over, and saves
//! how far it has come. It alone moves its place.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use pairing_core::{
    clock::{SharedClock, Timestamp},
    delivery_store::{DeliveryJournal, Progress},
    event::Cursor,
    handler::{EventHandlers, HandleError},
    id::SessionName,
    subscription::{SubscriptionId, SubscriptionSettings},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, Interval, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use crate::{
    attempt::Meters,
    journal::Page,
    lanes::{Call, Lanes},
    outcome::{Failure, Verdict},
    pace::Pace,
    pause::Pause,
    report::{SubscriptionReport, first_lanes},
    work::Done,
};

/// How often the clock and the journal are looked at, whatever happens.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Progress is saved once in this time, while there is any.
pub(crate) const SAVE_EVERY: Duration = Duration::from_millis(50);
/// While saving takes longer than this nothing more is read, so that memory stays
/// bounded.
const SLOW_SAVE: Duration = Duration::from_secs(2);
/// How long events in flight may take to end when the host stops.
const DRAIN: Duration = Duration::from_secs(5);
/// Less than this is no setting back of the clock.
const CLOCK_STEP: Duration = Duration::from_secs(1);

/// What others want of the task.
pub(crate) enum Ask {
    Settings(Arc<SubscriptionSettings>),
    /// Dead letters may have been requeued, and a paused handler may be back.
    LookAgain,
    Report(oneshot::Sender<SubscriptionReport>),
}

/// What the task is given.
pub(crate) struct Parts {
    pub(crate) id: SubscriptionId,
    pub(crate) settings: SubscriptionSettings,
    pub(crate) store: Arc<dyn DeliveryJournal>,
    pub(crate) handlers: Arc<dyn EventHandlers>,
    pub(crate) clock: SharedClock,
    pub(crate) newest: watch::Receiver<Cursor>,
    pub(crate) asks: mpsc::Receiver<Ask>,
    pub(crate) stopping: CancellationToken,
}

pub(crate) struct SubscriptionTask {
    pub(crate) parts: Parts,
    pub(crate) id: Arc<SubscriptionId>,
    pub(crate) settings: Arc<SubscriptionSettings>,
    pub(crate) lanes: Lanes,
    pub(crate) work: FuturesUnordered<BoxFuture<'static, Done>>,
    pub(crate) calls: usize,
    pub(crate) pace: Pace,
    pub(crate) refills: usize,
    pub(crate) is_reading: bool,
    pub(crate) read_at: Instant,
    pub(crate) saving_since: Option<Instant>,
    pub(crate) save_at: Instant,
    pub(crate) is_asking_for_letters: bool,
    pub(crate) ask_for_letters_at: Instant,
    pub(crate) pause: Pause,
    pub(crate) is_gone: bool,
    pub(crate) is_moved: bool,
    pub(crate) has_ended: bool,
    pub(crate) last_now: Timestamp,
    pub(crate) tick: Interval,
    pub(crate) meters: Meters,
}

impl SubscriptionTask {
    /// Begins where it was left. `expired` are lanes whose gap ends with what the
    /// journal has forgotten.
    pub(crate) fn new(parts: Parts, progress: Progress, expired: &BTreeSet<SessionName>) -> Self {
        let now = parts.clock.now();
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            id: Arc::new(parts.id.clone()),
            settings: Arc::new(parts.settings.clone()),
            lanes: Lanes::restored(progress, expired, now),
            work: FuturesUnordered::new(),
            calls: 0,
            pace: Pace::default(),
            refills: 0,
            is_reading: false,
            read_at: Instant::now(),
            saving_since: None,
            save_at: Instant::now(),
            is_asking_for_letters: false,
            ask_for_letters_at: Instant::now(),
            pause: Pause::default(),
            is_gone: false,
            is_moved: false,
            has_ended: false,
            last_now: now,
            tick,
            meters: Meters::of(&parts.id),
            parts,
        }
    }

    /// Ends when it is told to stop, when the subscription is gone, disabled or
    /// moved. Dropping it is safe at any time: what was not saved is handed over
    /// again.
    pub(crate) async fn run(mut self) {
        while !self.has_ended {
            self.follow_clock();
            self.begin_work();
            let due = self.due();
            let has_changed = self.saving_since.is_none() && self.lanes.has_changed();
            tokio::select! {
                () = self.parts.stopping.cancelled() => break,
                Some(done) = self.work.next() => {
                    self.finish(done);
                    // Instant handlers end many at a time.
                    while let Some(Some(done)) = self.work.next().now_or_never() {
                        self.finish(done);
                    }
                }
                ask = self.parts.asks.recv() => match ask {
                    Some(ask) => self.answer(ask),
                    None => break,
                },
                Ok(()) = self.parts.newest.changed() => {}
                () = sleep_until(&self.parts.clock, due) => {}
                () = tokio::time::sleep_until(self.save_at), if has_changed => self.save(),
                _ = self.tick.tick() => self.tell_lag(self.lag()),
            }
        }
        if tokio::time::timeout(DRAIN, self.finish_calls()).await.is_err() {
            let calls = self.calls;
            tracing::info!(subscription = %self.id, calls, "events are handed over again after this stop");
        }
        if tokio::time::timeout(DRAIN, self.save_all()).await.is_err() {
            tracing::warn!(subscription = %self.id, "progress could not be saved at this stop");
        }
    }

    async fn finish_calls(&mut self) {
        while self.calls > 0
            && let Some(done) = self.work.next().await
        {
            self.finish(done);
        }
    }

    async fn save_all(&mut self) {
        loop {
            if self.saving_since.is_none() && !self.is_asking_for_letters {
                if !self.lanes.has_changed() || self.is_moved {
                    return;
                }
                self.save();
            }
            let Some(done) = self.work.next().await else { return };
            self.finish(done);
        }
    }

    fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    fn follow_clock(&mut self) {
        let now = self.now();
        let back = self.last_now.since(now);
        if back > CLOCK_STEP {
            self.lanes.shift(back, now);
        }
        self.last_now = now;
        self.lanes.wake(now);
    }

    /// Until when to sleep, if nothing else happens.
    fn due(&self) -> Option<Timestamp> {
        let paused = self.pause.until(self.now()).filter(|_| self.lanes.are_ready());
        paused.into_iter().chain(self.lanes.due()).min()
    }

    /// Begins all that can be done now.
    fn begin_work(&mut self) {
        if self.is_gone {
            return;
        }
        let now = self.now();
        let is_slow = self.saving_since.is_some_and(|since| since.elapsed() > SLOW_SAVE);
        if !is_slow {
            self.read();
            self.refill();
        }
        let at_once = self.pace.at_once(self.settings.concurrency);
        if self.pause.until(now).is_none() {
            while self.calls < at_once
                && let Some(call) = self.lanes.next_call(&self.settings, now)
            {
                self.call(call);
            }
        }
        let asks = Instant::now() >= self.ask_for_letters_at;
        // While their end is being saved it is not certain which are still to come.
        if asks && !self.is_asking_for_letters && self.saving_since.is_none() {
            self.ask_for_letters();
        }
    }

    fn finish(&mut self, done: Done) {
        let now = self.now();
        match done {
            Done::Called(call, result, took) => {
                self.calls -= 1;
                if !matches!(result, Err(HandleError::NotCalled(_))) {
                    self.pace.took(took, self.settings.concurrency);
                }
                self.called(&call, result, now);
            }
            Done::Read(page) => {
                self.is_reading = false;
                if page.events.is_empty() {
                    // The journal ends before the place that was named.
                    self.read_at = Instant::now() + LOOK_EVERY;
                }
                self.note_expired(&page);
                self.lanes.push(page, &self.settings, now);
            }
            Done::Refilled(refill, page) => {
                self.refills -= 1;
                self.note_expired(&page);
                self.lanes.refilled(refill, page, &self.settings, now);
            }
            Done::Letters(letters) => {
                self.is_asking_for_letters = false;
                self.lanes.push_letters(letters, now);
            }
            Done::Saved(change, is_saved) => {
                self.saving_since = None;
                self.save_at = Instant::now() + SAVE_EVERY;
                if is_saved {
                    self.lanes.saved(&change);
                } else {
                    // Removed, or moved: somebody else goes on from there.
                    self.is_moved = true;
                    self.has_ended = true;
                }
            }
            Done::Disabled => self.has_ended = true,
        }
    }

    fn called(&mut self, call: &Call, result: Result<(), HandleError>, now: Timestamp) {
        if let Err(HandleError::NotCalled(error)) = &result {
            self.pause.not_called(error, now);
            return self.lanes.free(&call.session, now);
        }
        self.pause.called();
        let (why, kind, is_final, after) = match result {
            Ok(()) => return self.lanes.handled(call, now),
            Err(HandleError::Gone(why)) => {
                self.lanes.free(&call.session, now);
                return self.disable(why);
            }
            Err(HandleError::Reject(why)) => (why, "rejected", true, None),
            Err(HandleError::Retry { why, after }) => (why, "retry", false, after),
            Err(HandleError::Failed(error)) | Err(HandleError::NotCalled(error)) => {
                (error.to_string(), error.kind(), false, None)
            }
        };
        let failure = Failure { why, is_final, after };
        let chance = rand::random();
        let verdict = self.lanes.failed(call, failure, &self.settings, now, chance);
        let (id, event, attempt) = (&self.id, &call.event.id, call.attempt.number);
        match verdict {
            Verdict::Waits => {
                tracing::debug!(subscription = %id, event, attempt, kind, "an event was not handled");
            }
            Verdict::Dead(event) => {
                self.meters.dead.increment(1);
                tracing::warn!(subscription = %id, %event, attempt, kind, "an event was given up");
            }
            Verdict::GapLeft => {
                tracing::warn!(subscription = %id, event, attempt, kind, "a gap could not be told");
            }
        }
    }

    fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Settings(settings) => self.settings = settings,
            Ask::LookAgain => {
                self.ask_for_letters_at = Instant::now();
                self.pause.called();
            }
            // Who asked may be gone.
            Ask::Report(answer) => drop(answer.send(self.report())),
        }
    }

    fn lag(&self) -> u64 {
        self.parts.newest.borrow().0.saturating_sub(self.lanes.cursor().0)
    }

    fn report(&self) -> SubscriptionReport {
        SubscriptionReport {
            id: self.parts.id.clone(),
            cursor: self.lanes.cursor(),
            lag: self.lag(),
            in_flight: self.calls,
            lagging: self.lanes.lagging().count(),
            lanes: first_lanes(self.lanes.lagging()),
            disabled: None,
        }
    }

    fn tell_lag(&self, lag: u64) {
        let SubscriptionId { handler, name } = &self.parts.id;
        let (handler, name) = (handler.to_string(), name.to_string());
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
        metrics::gauge!("delivery_lag_events", "handler" => handler, "subscription" => name)
            .set(lag as f64);
    }

    fn note_expired(&self, page: &Page) {
        if let Some(expired) = &page.expired {
            let (from, to) = (expired.gap.from, expired.gap.to);
            tracing::warn!(
                subscription = %self.id, %from, %to,
                "the journal no longer has events that were to be handed over"
            );
        }
    }
}

/// Who is not there does not lag.
impl Drop for SubscriptionTask {
    fn drop(&mut self) {
        self.tell_lag(0);
    }
}

async fn sleep_until(clock: &SharedClock, time: Option<Timestamp>) {
    match time {
        Some(time) => clock.sleep_until(time).await,
        None => std::future::pending().await,
    }
}
