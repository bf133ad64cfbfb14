//! Hands committed events to subscribers, in the journal's order.
//!
//! Events arrive from many session tasks, each after its commit, so they may
//! overtake each other on the way. The journal's places have no gaps: an event
//! waits here for the ones before it, and what does not come in time (its task
//! died between commit and hand-over) is read from the journal.
//!
//! The fan-out plugin is asked once for each event, with the distinct interests;
//! a body is made once and shared by all clients with that interest. While it is
//! busy or paused all events wait; one that it fails at is parked, and readers go
//! on after it. A reader that is too slow loses its subscription and is told where
//! it stood; with that it can resume from the journal.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::FutureExt;
use pairing_core::{
    clock::SharedClock,
    event::{Cursor, JournalEvent},
    fan_out::{FanOut, Interest},
    plugin::{PluginDigest, PluginError},
    store::{Records, StoreError},
};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    backoff::Backoff,
    committed::{Committed, NO_PLACE},
    event_queue::EventQueue,
    live_code::fill_in,
    parking::park_event,
    snapshot::SessionSnapshot,
    subscription::{Routed, Subscription},
};

/// How long an event waits for the ones before it before the journal is asked.
const PATIENCE: Duration = Duration::from_millis(50);
/// How many entries are read from the journal at once.
const READ_AHEAD: u32 = 500;
/// How often that is done for one page, however few events are of interest.
const READS_A_PAGE: u32 = 10;
/// How many parked events are known.
const PARKED: usize = 1_000;

/// A page of the journal, routed.
pub struct Page {
    /// In the journal's order.
    pub deliveries: Vec<Arc<Routed>>,
    /// Where to go on. Equal to the place asked for when there is no more.
    pub next: Cursor,
    /// The journal's end was reached.
    pub at_end: bool,
}

/// Why no page could be given.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// The place lies before the oldest entry that is kept.
    #[error(
        "events after {asked} are no longer kept; the oldest that can be resumed from is {oldest}"
    )]
    CursorExpired {
        /// What was asked for.
        asked: Cursor,
        /// Ask for events after this.
        oldest: Cursor,
    },
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// See there.
    #[error(transparent)]
    Plugin(#[from] PluginError),
}

async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Shared by session tasks (in) and the API (out). Cheap to clone.
#[derive(Clone)]
pub struct EventBus(Arc<Shared>);

/// Equal interests are routed once.
type Subscribers = BTreeMap<Arc<Interest>, Vec<mpsc::Sender<Arc<Routed>>>>;

struct Shared {
    store: Arc<dyn Records>,
    fan_out: Arc<dyn FanOut>,
    clock: SharedClock,
    incoming: mpsc::UnboundedSender<Vec<Committed>>,
    subscribers: Mutex<Subscribers>,
    /// Events that were parked, and which component failed at them: it is not
    /// asked again for every reader that comes by.
    parked: Mutex<BTreeMap<Cursor, PluginDigest>>,
    head: watch::Sender<Cursor>,
    stopping: CancellationToken,
}

impl EventBus {
    /// A bus that begins at the journal's end, and the task that drives it.
    pub(crate) async fn open(
        store: Arc<dyn Records>,
        fan_out: Arc<dyn FanOut>,
        clock: SharedClock,
        stopping: CancellationToken,
    ) -> Result<(Self, impl Future<Output = ()> + Send), StoreError> {
        let (_, newest) = store.bounds().await?;
        let (incoming, inbox) = mpsc::unbounded_channel();
        let bus = Self(Arc::new(Shared {
            store,
            fan_out,
            clock,
            incoming,
            subscribers: Mutex::default(),
            parked: Mutex::default(),
            head: watch::Sender::new(newest),
            stopping,
        }));
        let task = bus.clone().run(inbox);
        Ok((bus, task))
    }

    /// Goes on after a mistake of our own: readers resume from the journal.
    async fn run(self, mut inbox: mpsc::UnboundedReceiver<Vec<Committed>>) {
        while AssertUnwindSafe(self.hand_out(&mut inbox)).catch_unwind().await.is_err() {
            tracing::error!("the event bus panicked; all subscribers must resume");
            self.subscribers().clear();
        }
        self.subscribers().clear();
    }

    /// All that happens from now on and is of interest. `capacity` events may
    /// wait; one more ends the subscription.
    pub fn subscribe(&self, interest: Interest, capacity: usize) -> Subscription {
        let (sender, events) = mpsc::channel(capacity);
        let mut subscribers = self.subscribers();
        let last = self.head();
        subscribers.entry(Arc::new(interest)).or_default().push(sender);
        Subscription { events, last, stopping: self.0.stopping.clone() }
    }

    /// The place of the last event that was handed out.
    pub fn head(&self) -> Cursor {
        *self.0.head.borrow()
    }

    /// Tells of each move of that place.
    pub fn head_watch(&self) -> watch::Receiver<Cursor> {
        self.0.head.subscribe()
    }

    /// Up to `limit` deliveries from the journal after `after`, perhaps none before
    /// the end. Live codes are null in them. An event that can't be routed is left
    /// out, and parked.
    ///
    /// # Errors
    /// Those of the plugin only while it is busy or paused.
    pub async fn page(
        &self,
        interest: &Interest,
        after: Cursor,
        limit: u32,
    ) -> Result<Page, EventsError> {
        let (oldest, _) = self.0.store.bounds().await?;
        let resumable = Cursor(oldest.0.saturating_sub(1));
        if after < resumable {
            return Err(EventsError::CursorExpired { asked: after, oldest: resumable });
        }
        let interests = [Arc::new(interest.clone())];
        let mut page = Page { deliveries: Vec::new(), next: after, at_end: false };
        for _ in 0..READS_A_PAGE {
            let events = self.0.store.read(page.next, READ_AHEAD).await?;
            page.at_end = events.len() < READ_AHEAD as usize;
            for event in events {
                if page.deliveries.len() == limit as usize {
                    page.at_end = false;
                    return Ok(page);
                }
                if event.id.0 != page.next.0 + 1 {
                    // What came next has just become too old.
                    let oldest = Cursor(event.id.0.saturating_sub(1));
                    return Err(EventsError::CursorExpired { asked: page.next, oldest });
                }
                page.next = event.id;
                let routed =
                    self.route_or_park(&Committed { event, code: None }, &interests).await?;
                page.deliveries.extend(routed.into_iter().map(|(_, routed)| routed));
            }
            if page.at_end {
                break;
            }
        }
        Ok(page)
    }

    /// The codes that these sessions show now, as events without a place.
    pub(crate) async fn codes_of(
        &self,
        sessions: &[Arc<SessionSnapshot>],
        interest: &Interest,
    ) -> Vec<Arc<Routed>> {
        let now = self.0.clock.now();
        let interests = [Arc::new(interest.clone())];
        let mut codes = Vec::new();
        for session in sessions {
            let Some(committed) = Committed::shown_by(session, now) else { continue };
            match self.route(&committed, &interests).await {
                Ok(routed) => codes.extend(routed.into_iter().map(|(_, routed)| routed)),
                Err(error) => {
                    tracing::warn!(kind = error.kind(), "a live code could not be routed");
                }
            }
        }
        codes
    }

    /// Hands over what was committed.
    pub(crate) fn publish(&self, committed: Vec<Committed>) {
        // Fails only when the host stops; then readers resume from the journal.
        let _ = self.0.incoming.send(committed);
    }

    fn subscribers(&self) -> MutexGuard<'_, Subscribers> {
        self.0.subscribers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn hand_out(&self, inbox: &mut mpsc::UnboundedReceiver<Vec<Committed>>) {
        let mut queue = EventQueue::default();
        let mut gap_until = None;
        loop {
            tokio::select! {
                Some(arrived) = inbox.recv() => queue.add(arrived, self.head()),
                () = sleep_until(gap_until) => {
                    gap_until = None;
                    self.fill_gap(&mut queue).await;
                }
                () = self.0.stopping.cancelled() => return,
            }
            while let Some(committed) = queue.next(self.head()) {
                gap_until = None;
                let mut backoff = Backoff::default();
                while let Err(error) = self.deliver(&committed).await {
                    let again = backoff.wait(&error, &self.0.clock);
                    tokio::select! {
                        () = again => {}
                        () = queue.fill(inbox, self.head()) => {}
                        () = self.0.stopping.cancelled() => return,
                    }
                }
            }
            if queue.has_gap() {
                gap_until = gap_until.or_else(|| Some(Instant::now() + PATIENCE));
            }
        }
    }

    async fn fill_gap(&self, queue: &mut EventQueue) {
        match self.0.store.read(self.head(), READ_AHEAD).await {
            Ok(events) => queue.add_from_journal(events),
            Err(error) => tracing::warn!(%error, "the journal could not be read; trying again"),
        }
    }

    /// # Errors
    /// Nobody has it yet, because the plugin is busy or paused.
    async fn deliver(&self, committed: &Committed) -> Result<(), PluginError> {
        let mut bodies: BTreeMap<Arc<Interest>, Arc<Routed>> = BTreeMap::new();
        let mut asked: BTreeSet<Arc<Interest>> = BTreeSet::new();
        loop {
            let new = self.interests_beyond(&asked);
            let routed = self.route_or_park(committed, &new).await?;
            bodies.extend(
                routed.into_iter().map(|(interest, routed)| (new[interest].clone(), routed)),
            );
            asked.extend(new);
            let mut subscribers = self.subscribers();
            // Somebody may have subscribed while the plugin was asked.
            if subscribers.keys().any(|interest| !asked.contains(interest)) {
                continue;
            }
            for (interest, senders) in subscribers.iter_mut() {
                if let Some(routed) = bodies.get(interest) {
                    // A full outbox ends the subscription; see the header.
                    senders.retain(|sender| sender.try_send(routed.clone()).is_ok());
                }
            }
            if committed.event.id != NO_PLACE {
                self.0.head.send_replace(committed.event.id);
            }
            return Ok(());
        }
    }

    fn interests_beyond(&self, asked: &BTreeSet<Arc<Interest>>) -> Vec<Arc<Interest>> {
        let mut subscribers = self.subscribers();
        subscribers.retain(|_, senders| {
            senders.retain(|sender| !sender.is_closed());
            !senders.is_empty()
        });
        subscribers.keys().filter(|interest| !asked.contains(*interest)).cloned().collect()
    }

    /// As [`EventBus::route`]; an event that the plugin fails at goes to nobody.
    ///
    /// # Errors
    /// The plugin is busy or paused.
    async fn route_or_park(
        &self,
        committed: &Committed,
        interests: &[Arc<Interest>],
    ) -> Result<Vec<(usize, Arc<Routed>)>, PluginError> {
        if self.is_parked(committed.event.id) {
            return Ok(Vec::new());
        }
        match self.route(committed, interests).await {
            Err(error) if !error.is_temporary() => {
                self.park(&committed.event, &error).await;
                Ok(Vec::new())
            }
            answer => answer,
        }
    }

    fn is_parked(&self, place: Cursor) -> bool {
        let failed = self.parked().get(&place).cloned();
        failed.is_some_and(|digest| digest == self.0.fan_out.info().digest)
    }

    async fn park(&self, event: &JournalEvent, error: &PluginError) {
        tracing::error!(session.name = %event.session, event.id = %event.id, kind = error.kind(), "an event could not be routed; readers go on after it");
        if event.id == NO_PLACE {
            // A live code that is sent again is not in the journal.
            return;
        }
        {
            let mut parked = self.parked();
            parked.insert(event.id, self.0.fan_out.info().digest);
            if parked.len() > PARKED {
                parked.pop_first();
            }
        }
        park_event(&*self.0.store, &self.0.clock, event, error).await;
    }

    fn parked(&self) -> MutexGuard<'_, BTreeMap<Cursor, PluginDigest>> {
        self.0.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pairs of an index into `interests` and what is to be sent.
    async fn route(
        &self,
        committed: &Committed,
        interests: &[Arc<Interest>],
    ) -> Result<Vec<(usize, Arc<Routed>)>, PluginError> {
        if interests.is_empty() {
            return Ok(Vec::new());
        }
        let deliveries = self.0.fan_out.route(&committed.event, interests).await?;
        let now = self.0.clock.now();
        let id = Some(committed.event.id).filter(|id| *id != NO_PLACE);
        let routed = deliveries.into_iter().filter(|delivery| delivery.interest < interests.len());
        Ok(routed
            .map(|delivery| {
                let body = fill_in(delivery.body, committed.code.as_ref(), now);
                (delivery.interest, Arc::new(Routed { id, name: delivery.name, body }))
            })
            .collect())
    }
}
