//! What a subscription's task has under way. Each piece ends by itself and is
//! repeated until the database has done it.

use std::time::Duration;

use futures::FutureExt;
use pairing_core::{
    delivery_store::{DeadLetter, ProgressChange},
    handler::HandleError,
};
use tokio::time::Instant;

use crate::{
    attempt,
    intake::Refill,
    journal::{self, Page, until_done},
    lanes::Call,
    outcome::fit,
    subscription_task::{SAVE_EVERY, SubscriptionTask},
};

/// Sessions whose events are read at once.
const REFILLS: usize = 4;
/// Requeued dead letters that are read at once.
const LETTERS: u32 = 100;
/// Dead letters may be requeued without anybody saying so.
const ASK_FOR_LETTERS_EVERY: Duration = Duration::from_secs(10);
/// Work that has ended.
pub(crate) enum Done {
    Called(Call, Result<(), HandleError>, Duration),
    Read(Page),
    Refilled(Refill, Page),
    Letters(Vec<DeadLetter>),
    Saved(ProgressChange, bool),
    Disabled,
}

impl SubscriptionTask {
    pub(crate) fn read(&mut self) {
        let newest = *self.parts.newest.borrow_and_update();
        let is_due = newest > self.lanes.read() && Instant::now() >= self.read_at;
        if self.is_reading || !is_due || !self.lanes.has_room() {
            return;
        }
        self.is_reading = true;
        let (id, store) = (self.id.clone(), self.parts.store.clone());
        let (settings, after) = (self.settings.clone(), self.lanes.read());
        self.work.push(Box::pin(async move {
            Done::Read(until_done(&id, || journal::read(&*store, &settings, after)).await)
        }));
    }

    pub(crate) fn refill(&mut self) {
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

    pub(crate) fn call(&mut self, call: Call) {
        self.calls += 1;
        let handlers = self.parts.handlers.clone();
        let made = attempt::make(handlers, self.id.clone(), call, self.meters.clone());
        self.work.push(Box::pin(made.map(|(call, result, took)| Done::Called(call, result, took))));
    }

    pub(crate) fn ask_for_letters(&mut self) {
        self.is_asking_for_letters = true;
        self.ask_for_letters_at = Instant::now() + ASK_FOR_LETTERS_EVERY;
        let (id, store) = (self.id.clone(), self.parts.store.clone());
        self.work.push(Box::pin(async move {
            Done::Letters(until_done(&id, || store.requeued(&id, LETTERS)).await)
        }));
    }

    pub(crate) fn save(&mut self) {
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

    pub(crate) fn disable(&mut self, why: String) {
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
}
