//! A journal in memory, handlers that do what the test says, and the engine.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use pairing_core::{
    clock::{Clock, Timestamp},
    event::{Cursor, EventData},
    fakes::{FakeClock, FakeDeliveryStore},
    handler::{Attempt, EventHandlers, HandleError, HandlerEvent},
    id::SessionName,
    plugin::{PluginError, Slot},
    session::{SessionRecord, View},
    subscription::{SubscriptionId, SubscriptionSettings},
};
use pairing_delivery::{Deliveries, DeliveryParts};
use tokio::sync::watch;

/// Against hanging only.
const PATIENCE: Duration = Duration::from_secs(3600);

type Script = dyn FnMut(&SubscriptionId, &HandlerEvent, Attempt) -> Answer + Send;

/// How a call goes.
pub(crate) enum Answer {
    Now(Result<(), HandleError>),
    /// After so much of tokio's time.
    After(Duration, Result<(), HandleError>),
    Never,
    Panic,
}

/// A call that was made.
#[derive(Debug, Clone)]
pub(crate) struct Called {
    pub(crate) subscription: SubscriptionId,
    pub(crate) event: Arc<HandlerEvent>,
    pub(crate) attempt: Attempt,
    /// How it ended; none as long as it has not.
    pub(crate) result: Option<Result<(), HandleError>>,
}

/// Remembers all calls, and watches over what must never happen.
pub(crate) struct Handlers {
    script: Mutex<Box<Script>>,
    calls: Mutex<Vec<Called>>,
    busy: Mutex<HashMap<SubscriptionId, Vec<SessionName>>>,
    most_at_once: Mutex<usize>,
    changed: watch::Sender<()>,
}

/// A session is being served until this is dropped, as in a cancelled call.
struct Busy<'a>(&'a Handlers, SubscriptionId, SessionName);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut busy = self.0.busy.lock().unwrap();
        busy.get_mut(&self.1).unwrap().retain(|session| *session != self.2);
    }
}

#[async_trait]
impl EventHandlers for Handlers {
    async fn handle(
        &self,
        subscription: &SubscriptionId,
        event: Arc<HandlerEvent>,
        attempt: Attempt,
    ) -> Result<(), HandleError> {
        {
            let mut busy = self.busy.lock().unwrap();
            let sessions = busy.entry(subscription.clone()).or_default();
            assert!(!sessions.contains(&event.session), "two events of a session at once");
            sessions.push(event.session.clone());
            let mut most = self.most_at_once.lock().unwrap();
            *most = sessions.len().max(*most);
        }
        let _busy = Busy(self, subscription.clone(), event.session.clone());
        let answer = (self.script.lock().unwrap())(subscription, &event, attempt);
        let place = {
            let mut calls = self.calls.lock().unwrap();
            let subscription = subscription.clone();
            calls.push(Called { subscription, event, attempt, result: None });
            calls.len() - 1
        };
        self.changed.send_replace(());
        let result = match answer {
            Answer::Now(result) => result,
            Answer::After(time, result) => {
                tokio::time::sleep(time).await;
                result
            }
            Answer::Never => std::future::pending().await,
            Answer::Panic => panic!("as the test says"),
        };
        self.calls.lock().unwrap()[place].result = Some(result.clone());
        self.changed.send_replace(());
        result
    }
}

impl Handlers {
    pub(crate) fn calls(&self) -> Vec<Called> {
        self.calls.lock().unwrap().clone()
    }

    /// From now on calls go so.
    pub(crate) fn answer(
        &self,
        script: impl FnMut(&SubscriptionId, &HandlerEvent, Attempt) -> Answer + Send + 'static,
    ) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// From now on all calls go so.
    pub(crate) fn always(&self, result: Result<(), HandleError>) {
        self.answer(move |_, _, _| Answer::Now(result.clone()));
    }

    /// So many calls of different sessions were made at once.
    pub(crate) fn most_at_once(&self) -> usize {
        *self.most_at_once.lock().unwrap()
    }

    /// Waits until the calls are as wanted.
    pub(crate) async fn wait_until(&self, wanted: impl Fn(&[Called]) -> bool) {
        let mut changed = self.changed.subscribe();
        let waiting = async {
            while !wanted(&self.calls()) {
                changed.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            panic!("it did not come to that: {:#?}", self.calls());
        }
    }

    /// Events of these calls, in the order in which they were made.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.event.id.clone()).collect()
    }
}

/// All that a test has in its hands.
pub(crate) struct World {
    pub(crate) store: FakeDeliveryStore,
    pub(crate) handlers: Arc<Handlers>,
    pub(crate) clock: Arc<FakeClock>,
    head: watch::Sender<Cursor>,
}

impl World {
    /// Handlers handle everything at once.
    pub(crate) fn new() -> Self {
        Self {
            store: FakeDeliveryStore::default(),
            handlers: Arc::new(Handlers {
                script: Mutex::new(Box::new(|_, _, _| Answer::Now(Ok(())))),
                calls: Mutex::default(),
                busy: Mutex::default(),
                most_at_once: Mutex::default(),
                changed: watch::Sender::new(()),
            }),
            clock: Arc::default(),
            head: watch::Sender::new(Cursor(0)),
        }
    }

    /// With one subscription, `id()`.
    pub(crate) fn with(settings: SubscriptionSettings) -> Self {
        let world = Self::new();
        world.store.subscribe(&id(), settings, Cursor(0));
        world
    }

    pub(crate) async fn start(&self) -> Deliveries {
        let parts = DeliveryParts {
            store: Arc::new(self.store.clone()),
            handlers: self.handlers.clone(),
            clock: self.clock.clone(),
            head: self.head.subscribe(),
        };
        Deliveries::start(parts).await.unwrap()
    }

    /// Something happens to a session.
    pub(crate) fn happens(&self, name: &str) -> Cursor {
        let data = EventData::Loading { percent: 7 };
        let place = self.store.append(&session(name), self.clock.now(), data);
        self.head.send_replace(place);
        place
    }

    /// Time goes by, and everybody does what is then due.
    pub(crate) async fn pass(&self, seconds: u64) {
        self.settle().await;
        self.clock.advance(Duration::from_secs(seconds));
        self.settle().await;
    }

    /// Waits until nothing more happens. In tokio's paused time that costs nothing.
    pub(crate) async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }

    /// Waits until all is settled and saved.
    pub(crate) async fn wait_for_all(&self, id: &SubscriptionId, last: Cursor) {
        let done = self
            .store
            .wait_for(id, |progress| progress.cursor == last && progress.lanes.is_empty());
        if tokio::time::timeout(PATIENCE, done).await.is_err() {
            panic!("not all was settled: {:#?}", self.handlers.calls());
        }
    }
}

pub(crate) fn id() -> SubscriptionId {
    subscription("default")
}

pub(crate) fn subscription(name: &str) -> SubscriptionId {
    SubscriptionId { handler: "webhook".parse().unwrap(), name: session(name) }
}

pub(crate) fn session(name: &str) -> SessionName {
    name.parse().unwrap()
}

/// With these delays between attempts.
pub(crate) fn retrying(retry_seconds: &[u32]) -> SubscriptionSettings {
    SubscriptionSettings { retry_seconds: retry_seconds.to_vec(), ..Default::default() }
}

pub(crate) fn retry() -> HandleError {
    HandleError::Retry { why: "the test says so".into(), after: None }
}

pub(crate) fn trapped() -> HandleError {
    HandleError::from(PluginError::Trapped { slot: slot(), message: "unreachable".into() })
}

pub(crate) fn slot() -> Slot {
    "webhook".parse().unwrap()
}

/// A session's row.
pub(crate) fn record(name: &str, created_at: Timestamp) -> SessionRecord {
    SessionRecord {
        name: session(name),
        view: View::not_started(),
        state: Vec::new(),
        state_schema: 1,
        input_number: 1,
        wake_up_at: None,
        created_at,
        updated_at: created_at,
    }
}
