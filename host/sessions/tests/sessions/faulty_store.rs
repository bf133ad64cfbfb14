//! A store that is away, or loses its answers, when the test says so.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use pairing_core::{
    clock::Timestamp,
    event::{Cursor, EventData, JournalEvent},
    evidence::Evidence,
    id::SessionName,
    plugin::Slot,
    plugin_store::Parked,
    session::SessionRecord,
    store::{Commit, HistoryEntry, JournalStore, RecordedInput, SessionStore, Store, StoreError},
};
use tokio::sync::watch;

pub(crate) struct FaultyStore {
    inner: Arc<dyn Store>,
    /// What becomes of the next commits, one after the other.
    faults: Mutex<Vec<Fault>>,
    /// Nothing can be parked or announced.
    refuses_parking: AtomicBool,
    /// Sessions whose commits wait.
    held: watch::Sender<BTreeSet<SessionName>>,
    frozen: watch::Sender<bool>,
    /// How many commits have begun.
    begun: watch::Sender<u64>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// Nothing is written.
    Away,
    /// All is written, but nobody hears of it.
    AnswerLost,
    /// Neither an answer nor an error, as from a database that froze; it goes on
    /// with [`FaultyStore::thaw`].
    Frozen,
    /// Something that is neither a conflict nor an outage, such as a full disk that
    /// the driver has no word for.
    Refused,
}

impl FaultyStore {
    pub(crate) fn around(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            faults: Mutex::default(),
            refuses_parking: AtomicBool::default(),
            held: watch::Sender::default(),
            frozen: watch::Sender::new(false),
            begun: watch::Sender::new(0),
        }
    }

    pub(crate) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        let mut next = self.faults.lock().unwrap();
        next.extend(faults);
        next.reverse();
    }

    pub(crate) fn faults_left(&self) -> usize {
        self.faults.lock().unwrap().len()
    }

    /// From now on nothing can be parked or announced.
    pub(crate) fn refuse_parking(&self) {
        self.refuses_parking.store(true, Ordering::Relaxed);
    }

    pub(crate) fn thaw(&self) {
        self.frozen.send_replace(false);
    }

    /// What was parked, oldest first.
    pub(crate) async fn parked(&self, slot: Slot) -> Vec<Parked> {
        let mut parked = self.inner.parked(slot, 100).await.unwrap();
        parked.reverse();
        parked
    }

    /// Commits of this session wait until [`FaultyStore::release`].
    pub(crate) fn hold(&self, session: &SessionName) {
        self.held.send_modify(|held| {
            held.insert(session.clone());
        });
    }

    pub(crate) fn release(&self, session: &SessionName) {
        self.held.send_modify(|held| {
            held.remove(session);
        });
    }

    /// So many attempts to commit have been made, failed ones included.
    pub(crate) fn attempts(&self) -> u64 {
        *self.begun.borrow()
    }

    /// Waits for the attempt with this number.
    pub(crate) async fn attempt(&self, number: u64) {
        self.begun.subscribe().wait_for(|begun| *begun >= number).await.unwrap();
    }
}

#[async_trait]
impl SessionStore for FaultyStore {
    async fn sessions(&self) -> Result<Vec<SessionRecord>, StoreError> {
        self.inner.sessions().await
    }

    async fn commit(&self, commit: &Commit) -> Result<Vec<JournalEvent>, StoreError> {
        self.begun.send_modify(|begun| *begun += 1);
        let name = &commit.record.name;
        self.held.subscribe().wait_for(|held| !held.contains(name)).await.unwrap();
        let fault = self.faults.lock().unwrap().pop();
        match fault {
            None => self.inner.commit(commit).await,
            Some(Fault::Frozen) => {
                self.frozen.send_replace(true);
                self.frozen.subscribe().wait_for(|frozen| !frozen).await.unwrap();
                self.inner.commit(commit).await
            }
            Some(Fault::Refused) => Err(StoreError::Refused("disk I/O error".into())),
            Some(Fault::Away) => Err(StoreError::Unavailable("the test took it away".into())),
            Some(Fault::AnswerLost) => {
                self.inner.commit(commit).await?;
                Err(StoreError::Unavailable("the test lost the answer".into()))
            }
        }
    }

    async fn history(
        &self,
        session: &SessionName,
        after: u64,
        limit: u32,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        self.inner.history(session, after, limit).await
    }

    async fn evidence(
        &self,
        session: &SessionName,
        input_number: u64,
    ) -> Result<Option<Evidence>, StoreError> {
        self.inner.evidence(session, input_number).await
    }

    async fn inputs(
        &self,
        session: &SessionName,
        after: u64,
        limit: u32,
    ) -> Result<Vec<RecordedInput>, StoreError> {
        self.inner.inputs(session, after, limit).await
    }

    async fn park(&self, parked: &Parked) -> Result<(), StoreError> {
        if self.refuses_parking.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("the test took it away".into()));
        }
        self.inner.park(parked).await
    }
}

#[async_trait]
impl JournalStore for FaultyStore {
    async fn read(&self, after: Cursor, limit: u32) -> Result<Vec<JournalEvent>, StoreError> {
        self.inner.read(after, limit).await
    }

    async fn append(
        &self,
        session: &SessionName,
        at: Timestamp,
        events: &[EventData],
    ) -> Result<Vec<JournalEvent>, StoreError> {
        if self.refuses_parking.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("the test took it away".into()));
        }
        self.inner.append(session, at, events).await
    }

    async fn bounds(&self) -> Result<(Cursor, Cursor), StoreError> {
        self.inner.bounds().await
    }

    async fn purge(&self, journal: Timestamp, history: Timestamp) -> Result<u64, StoreError> {
        self.inner.purge(journal, history).await
    }
}
