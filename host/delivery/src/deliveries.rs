//! Which subscriptions there are: keeps one task for each that is switched on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::future::join_all;
use pairing_core::{
    clock::SharedClock,
    delivery_store::{DeliveryJournal, Progress},
    event::Cursor,
    handler::EventHandlers,
    id::SessionName,
    store::StoreError,
    subscription::{Subscription, SubscriptionId, SubscriptionSettings},
};
use tokio::{
    sync::{Mutex, Notify, mpsc, oneshot, watch},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    report::{SubscriptionReport, first_lanes},
    subscription_task::{Ask, Parts, SubscriptionTask},
};

/// How often the journal's end is asked for, whatever the bus says.
const POLL: Duration = Duration::from_secs(1);
/// How often subscriptions are looked at, whether or not somebody says so.
const RELOAD: Duration = Duration::from_secs(5);
/// After a task has ended by itself.
const SOON: Duration = Duration::from_millis(100);
/// How often old dead letters are removed.
const PURGE: Duration = Duration::from_secs(3600);
/// How long dead letters are kept.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// What deliveries are made of.
pub struct DeliveryParts {
    /// Where the journal, subscriptions and their progress are.
    pub store: Arc<dyn DeliveryJournal>,
    /// Who gets the events.
    pub handlers: Arc<dyn EventHandlers>,
    /// Tells when to try again.
    pub clock: SharedClock,
    /// The journal's end as far as it is known here: a hint, which may be late.
    pub head: watch::Receiver<Cursor>,
}

/// Runs all subscriptions. Cheap to clone.
#[derive(Clone)]
pub struct Deliveries(Arc<Shared>);

struct Shared {
    store: Arc<dyn DeliveryJournal>,
    handlers: Arc<dyn EventHandlers>,
    clock: SharedClock,
    newest: watch::Sender<Cursor>,
    running: Mutex<BTreeMap<SubscriptionId, Running>>,
    /// A task has ended by itself, or something was missed: look soon.
    look: Arc<Notify>,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

/// A subscription's task.
struct Running {
    settings: SubscriptionSettings,
    epoch: u64,
    asks: mpsc::Sender<Ask>,
    stopping: CancellationToken,
    task: JoinHandle<()>,
}

impl Deliveries {
    /// Begins to deliver.
    ///
    /// # Errors
    /// If the subscriptions can't be read.
    pub async fn start(parts: DeliveryParts) -> Result<Self, StoreError> {
        let DeliveryParts { store, handlers, clock, head } = parts;
        let (_, newest) = store.bounds().await?;
        let deliveries = Self(Arc::new(Shared {
            store,
            handlers,
            clock,
            newest: watch::Sender::new(newest),
            running: Mutex::default(),
            look: Arc::default(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }));
        deliveries.0.reload(Thoroughness::Settings).await?;
        let tasks = &deliveries.0.tasks;
        tasks.spawn(deliveries.0.clone().follow_head(head));
        tasks.spawn(deliveries.0.clone().poll());
        tasks.spawn(deliveries.0.clone().purge());
        Ok(deliveries)
    }

    /// Subscriptions were added, changed, moved or removed, dead letters requeued,
    /// or a handler has got another version. Returns when each goes by what is
    /// stored now; if the database is away, that is made up for later.
    pub async fn reload(&self) {
        if let Err(error) = self.0.reload(Thoroughness::Places).await {
            tracing::warn!(%error, "subscriptions could not be read; trying again");
            self.0.look.notify_one();
        }
    }

    /// How all subscriptions stand, by handler and name.
    ///
    /// # Errors
    /// If the subscriptions can't be read.
    pub async fn reports(&self) -> Result<Vec<SubscriptionReport>, StoreError> {
        let subscriptions = self.0.store.subscriptions().await?;
        let mut reports = Vec::new();
        for Subscription { id, disabled, .. } in subscriptions {
            let running = self.0.report_of_task(&id).await;
            let report = match running.filter(|_| disabled.is_none()) {
                Some(report) => Some(report),
                None => self.0.stored_report(&id).await?,
            };
            reports.extend(report.map(|report| SubscriptionReport { disabled, ..report }));
        }
        Ok(reports)
    }

    /// Stops: what is being handed over gets a few seconds to end, and all progress
    /// is saved.
    pub async fn stop(&self) {
        self.0.stopping.cancel();
        let running = std::mem::take(&mut *self.0.running.lock().await);
        join_all(running.into_values().map(Running::stop)).await;
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

/// How closely it is looked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Thoroughness {
    /// At settings alone, and whether all that should run does.
    Settings,
    /// At everything.
    Places,
}

impl Shared {
    async fn reload(&self, thoroughness: Thoroughness) -> Result<(), StoreError> {
        let mut running = self.running.lock().await;
        let subscriptions = self.store.subscriptions().await?;
        let mut wanted = BTreeMap::new();
        for subscription in subscriptions {
            wanted.insert(subscription.id.clone(), subscription);
        }
        let unwanted = running.extract_if(.., |id, _| !wanted.contains_key(id));
        join_all(unwanted.map(|(_, task)| task.abandon())).await;
        let disabled = running.extract_if(.., |id, _| wanted[id].disabled.is_some());
        join_all(disabled.map(|(_, task)| task.stop())).await;

        for (id, subscription) in wanted {
            if subscription.disabled.is_some() || self.stopping.is_cancelled() {
                continue;
            }
            let is_there = match running.get(&id) {
                Some(task) => self.is_current(&id, task, thoroughness).await?,
                None => false,
            };
            match running.get_mut(&id).filter(|_| is_there) {
                Some(task) => task.tell(subscription.settings, thoroughness).await,
                None => {
                    // It must be over before its successor begins.
                    if let Some(task) = running.remove(&id) {
                        task.abandon().await;
                    }
                    if let Some(task) = self.begin(subscription).await? {
                        running.insert(id, task);
                    }
                }
            }
        }
        Ok(())
    }

    /// The task runs, and from where the subscription stands now.
    async fn is_current(
        &self,
        id: &SubscriptionId,
        task: &Running,
        thoroughness: Thoroughness,
    ) -> Result<bool, StoreError> {
        if task.task.is_finished() || thoroughness == Thoroughness::Settings {
            return Ok(!task.task.is_finished());
        }
        let progress = self.store.progress(id).await?;
        Ok(progress.is_some_and(|progress| progress.epoch == task.epoch))
    }

    async fn begin(&self, subscription: Subscription) -> Result<Option<Running>, StoreError> {
        let Subscription { id, settings, .. } = subscription;
        // It may have been removed meanwhile.
        let Some(progress) = self.store.progress(&id).await? else { return Ok(None) };
        let expired = expired_gaps(&*self.store, &id, &progress).await?;
        let (ask, asks) = mpsc::channel(8);
        let stopping = self.stopping.child_token();
        let epoch = progress.epoch;
        let parts = Parts {
            id,
            settings: settings.clone(),
            store: self.store.clone(),
            handlers: self.handlers.clone(),
            clock: self.clock.clone(),
            newest: self.newest.subscribe(),
            asks,
            stopping: stopping.clone(),
        };
        let (task, look) = (SubscriptionTask::new(parts, progress, &expired), self.look.clone());
        let task = self.tasks.spawn(async move {
            task.run().await;
            look.notify_one();
        });
        Ok(Some(Running { settings, epoch, asks: ask, stopping, task }))
    }

    async fn follow_head(self: Arc<Self>, mut head: watch::Receiver<Cursor>) {
        loop {
            self.newer(*head.borrow_and_update());
            tokio::select! {
                () = self.stopping.cancelled() => return,
                changed = head.changed() => if changed.is_err() { return },
            }
        }
    }

    fn newer(&self, place: Cursor) {
        self.newest.send_if_modified(|newest| {
            let is_newer = place > *newest;
            *newest = place.max(*newest);
            is_newer
        });
    }

    async fn poll(self: Arc<Self>) {
        let mut polls = tokio::time::interval(POLL);
        let mut reloads = tokio::time::interval(RELOAD);
        let mut thoroughness = Thoroughness::Settings;
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => return,
                _ = polls.tick() => match self.store.bounds().await {
                    Ok((_, newest)) => self.newer(newest),
                    Err(error) => tracing::debug!(%error, "the journal's end is not known"),
                },
                _ = reloads.tick() => match self.reload(thoroughness).await {
                    Ok(()) => thoroughness = Thoroughness::Settings,
                    Err(error) => tracing::debug!(%error, "subscriptions could not be read"),
                },
                () = self.look.notified() => {
                    thoroughness = Thoroughness::Places;
                    reloads.reset_after(SOON);
                }
            }
        }
    }

    async fn purge(self: Arc<Self>) {
        loop {
            let now = self.clock.now();
            match self.store.purge_dead_letters(now.before(KEPT)).await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "old dead letters were removed"),
                Err(error) => {
                    tracing::warn!(%error, "old dead letters could not be removed; trying again in an hour");
                }
            }
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = self.clock.sleep_until(now.after(PURGE)) => {}
            }
        }
    }

    async fn report_of_task(&self, id: &SubscriptionId) -> Option<SubscriptionReport> {
        let asks = self.running.lock().await.get(id)?.asks.clone();
        let (ask, answer) = oneshot::channel();
        asks.send(Ask::Report(ask)).await.ok()?;
        answer.await.ok()
    }

    async fn stored_report(
        &self,
        id: &SubscriptionId,
    ) -> Result<Option<SubscriptionReport>, StoreError> {
        let progress = self.store.progress(id).await?;
        let newest = self.newest.borrow().0;
        Ok(progress.map(|progress| SubscriptionReport {
            id: id.clone(),
            cursor: progress.cursor,
            lag: newest.saturating_sub(progress.cursor.0),
            in_flight: 0,
            lagging: progress.lanes.len(),
            lanes: first_lanes(progress.lanes.into_iter()),
            disabled: None,
        }))
    }
}

/// Lanes whose gap ends with what the journal has forgotten: what ends with an
/// event that was given up has a dead letter there.
async fn expired_gaps(
    store: &dyn DeliveryJournal,
    id: &SubscriptionId,
    progress: &Progress,
) -> Result<BTreeSet<SessionName>, StoreError> {
    let mut expired = BTreeSet::new();
    for lane in &progress.lanes {
        if let Some(gap) = lane.gap
            && store.dead_letter(id, gap.to).await?.is_none()
        {
            expired.insert(lane.session.clone());
        }
    }
    Ok(expired)
}

impl Running {
    async fn tell(&mut self, settings: SubscriptionSettings, thoroughness: Thoroughness) {
        if settings != self.settings {
            self.settings = settings.clone();
            // It may just have ended; then it is found so at the next look.
            let _ = self.asks.send(Ask::Settings(Arc::new(settings))).await;
        }
        if thoroughness == Thoroughness::Places {
            let _ = self.asks.send(Ask::LookAgain).await;
        }
    }

    /// Ends it in peace.
    async fn stop(self) {
        self.stopping.cancel();
        // A panic is in the log already.
        let _ = self.task.await;
    }

    /// Ends it at once; what it knows is of no use any more.
    async fn abandon(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}
