//! The task of one subscription: reads the journal, hands events over, and saves
//! how far it has come. It alone moves its place.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use pairing_core::{
    clock::{SharedClock, Timestamp},
    delivery_store::{DeadLetter, Progress, ProgressChange},
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
    attempt::{self, Meters},
    journal::{self, DeliveryJournal, Page, until_done},
    lanes::{Call, Lanes, Refill},
    outcome::{Failure, Verdict, fit},
    pause::Pause,
    report::{SubscriptionReport, first_lanes},
};

/// Progress is saved once in this time, while there is any.
const SAVE_EVERY: Duration = Duration::from_millis(50);
/// While saving takes longer than this nothing more is read, so that memory stays
/// bounded.
const SLOW_SAVE: Duration = Duration::from_secs(2);
/// Sessions whose events are read at once.
const REFILLS: usize = 4;
/// Requeued dead letters that are read at once.
const LETTERS: u32 = 100;
/// Dead letters may be requeued without anybody saying so.
const ASK_FOR_LETTERS_EVERY: Duration = Duration::from_secs(10);
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

/// Work that has ended.
enum Done {
    Called(Call, Result<(), HandleError>),
    Read(Page),
    Refilled(Refill, Page),
    Letters(Vec<DeadLetter>),
    Saved(ProgressChange, bool),
    Disabled,
}

pub(crate) struct SubscriptionTask {
    parts: Parts,
    id: Arc<SubscriptionId>,
    settings: Arc<SubscriptionSettings>,
    lanes: Lanes,
    work: FuturesUnordered<BoxFuture<'static, Done>>,
    calls: usize,
    refills: usize,
    is_reading: bool,
    saving_since: Option<Instant>,
    save_at: Instant,
    is_asking_for_letters: bool,
    ask_for_letters_at: Instant,
    pause: Pause,
    is_gone: bool,
    has_ended: bool,
    last_now: Timestamp,
    tick: Interval,
    meters: Meters,
}

impl SubscriptionTask {
    /// Begins where it was left. `expired` are lanes whose gap ends with what the
    /// journal has forgotten.
    pub(crate) fn new(parts: Parts, progress: Progress, expired: &BTreeSet<SessionName>) -> Self {
        let now = parts.clock.now();
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            id: Arc::new(parts.id.clone()),
            settings: Arc::new(parts.settings.clone()),
            lanes: Lanes::restored(progress, expired, now),
            work: FuturesUnordered::new(),
            calls: 0,
            refills: 0,
            is_reading: false,
            saving_since: None,
            save_at: Instant::now(),
            is_asking_for_letters: false,
            ask_for_letters_at: Instant::now(),
            pause: Pause::default(),
            is_gone: false,
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
                _ = self.tick.tick() => self.tell_lag(),
            }
        }
        if tokio::time::timeout(DRAIN, self.drain()).await.is_err() {
            tracing::info!(
                subscription = %self.id,
                "events were still being handed over at the stop; they are handed over again"
            );
        }
    }

    /// Lets what is under way end, and saves for the last time.
    async fn drain(&mut self) {
        while self.calls > 0 || self.saving_since.is_some() {
            let Some(done) = self.work.next().await else { break };
            self.finish(done);
        }
        if self.lanes.has_changed() {
            self.save();
        }
        while self.saving_since.is_some() {
            let Some(done) = self.work.next().await else { break };
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
        let at_once = self.settings.concurrency.clamp(1, 64) as usize;
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

    fn read(&mut self) {
        let newest = *self.parts.newest.borrow_and_update();
        if self.is_reading || newest <= self.lanes.read() || !self.lanes.has_room() {
            return;
        }
        self.is_reading = true;
        let (id, store) = (self.id.clone(), self.parts.store.clone());
        let (settings, after) = (self.settings.clone(), self.lanes.read());
        self.work.push(Box::pin(async move {
            Done::Read(until_done(&id, || journal::read(&*store, &settings, after)).await)
        }));
    }

    fn refill(&mut self) {
        while self.refills < REFILLS
            && let Some(refill) = self.lanes.next_refill()
        {
            self.refills += 1;
            let (id, store) = (self.id.clone(), self.parts.store.clone());
            self.work.push(Box::pin(async move {
                let read = || journal::read_session(&*store, &refill.session, refill.after);
                let page = until_done(&id, read).await;
                Done::Refilled(refill, page)
            }));
        }
    }

    fn call(&mut self, call: Call) {
        self.calls += 1;
        let handlers = self.parts.handlers.clone();
        let made = attempt::make(handlers, self.id.clone(), call, self.meters.clone());
        self.work.push(Box::pin(made.map(|(call, result)| Done::Called(call, result))));
    }

    fn ask_for_letters(&mut self) {
        self.is_asking_for_letters = true;
        self.ask_for_letters_at = Instant::now() + ASK_FOR_LETTERS_EVERY;
        let (id, store) = (self.id.clone(), self.parts.store.clone());
        self.work.push(Box::pin(async move {
            Done::Letters(until_done(&id, || store.requeued(&id, LETTERS)).await)
        }));
    }

    fn save(&mut self) {
        if self.is_asking_for_letters {
            // As soon as that has ended.
            self.save_at = Instant::now() + SAVE_EVERY / 10;
            return;
        }
        self.saving_since = Some(Instant::now());
        let change = self.lanes.change();
        let (id, store) = (self.id.clone(), self.parts.store.clone());
        self.work.push(Box::pin(async move {
            let is_saved = until_done(&id, || store.save_progress(&id, &change)).await;
            Done::Saved(change, is_saved)
        }));
    }

    fn finish(&mut self, done: Done) {
        let now = self.now();
        match done {
            Done::Called(call, result) => {
                self.calls -= 1;
                self.called(&call, result, now);
            }
            Done::Read(page) => {
                self.is_reading = false;
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
                self.lanes.saved(change, is_saved);
                // Removed, or moved: somebody else goes on from there.
                self.has_ended |= !is_saved;
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

    fn disable(&mut self, why: String) {
        if std::mem::replace(&mut self.is_gone, true) {
            return;
        }
        tracing::warn!(subscription = %self.id, "switched off: its handler says that the receiver is gone");
        let (id, store) = (self.id.clone(), self.parts.store.clone());
        let why = format!("the receiver is gone: {}", fit(why));
        self.work.push(Box::pin(async move {
            until_done(&id, || store.set_disabled(&id, Some(&why))).await;
            Done::Disabled
        }));
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

    fn tell_lag(&self) {
        let SubscriptionId { handler, name } = &self.parts.id;
        let (handler, name) = (handler.to_string(), name.to_string());
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
        metrics::gauge!("delivery_lag_events", "handler" => handler, "subscription" => name)
            .set(self.lag() as f64);
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

async fn sleep_until(clock: &SharedClock, time: Option<Timestamp>) {
    match time {
        Some(time) => clock.sleep_until(time).await,
        None => std::future::pending().await,
    }
}
