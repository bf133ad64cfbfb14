//! A journal and subscriptions in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{
    clock::Timestamp,
    delivery_store::{DeadLetter, DeliveryStore, Lane, Progress, ProgressChange},
    event::{Cursor, EventData, JournalEvent},
    evidence::Evidence,
    id::SessionName,
    plugin_store::Parked,
    session::SessionRecord,
    store::{Commit, HistoryEntry, JournalStore, RecordedInput, SessionStore, StoreError},
    subscription::{Subscription, SubscriptionId, SubscriptionSettings},
};

/// Keeps what it is told, unless told to fail. Clones share it.
#[derive(Clone, Default)]
pub struct FakeDeliveryStore(Arc<Shared>);

#[derive(Default)]
struct Shared {
    tables: Mutex<Tables>,
    saves: watch::Sender<u64>,
}

#[derive(Default)]
struct Tables {
    sessions: BTreeMap<SessionName, SessionRecord>,
    journal: Vec<JournalEvent>,
    newest: u64,
    subscriptions: BTreeMap<SubscriptionId, Row>,
    epochs: u64,
    reads_fail: bool,
    writes_fail: bool,
}

struct Row {
    subscription: Subscription,
    cursor: Cursor,
    epoch: u64,
    lanes: BTreeMap<SessionName, Lane>,
    dead: BTreeMap<Cursor, DeadLetter>,
}

fn away() -> StoreError {
    StoreError::Unavailable("the test says so".into())
}

impl FakeDeliveryStore {
    /// Adds an entry to the journal.
    pub fn append(&self, session: &SessionName, at: Timestamp, data: EventData) -> Cursor {
        self.with(|tables| {
            tables.newest += 1;
            let id = Cursor(tables.newest);
            tables.journal.push(JournalEvent { id, session: session.clone(), at, data });
            id
        })
    }

    /// Adds a session, or replaces it.
    pub fn put_session(&self, record: SessionRecord) {
        self.with(|tables| tables.sessions.insert(record.name.clone(), record));
    }

    /// Removes entries of the journal up to this one; the newest one stays.
    pub fn forget(&self, up_to: Cursor) {
        self.with(|tables| {
            let newest = tables.newest;
            tables.journal.retain(|event| event.id > up_to || event.id.0 == newest);
        });
    }

    /// Adds a subscription with these settings that begins after `from`.
    pub fn subscribe(&self, id: &SubscriptionId, settings: SubscriptionSettings, from: Cursor) {
        let subscription = Subscription {
            id: id.clone(),
            settings,
            secrets: BTreeMap::new(),
            disabled: None,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            updated_by: "test".into(),
        };
        self.with(|tables| tables.put(&subscription, from));
    }

    /// From now on reading fails, or does not.
    pub fn fail_reads(&self, fail: bool) {
        self.with(|tables| tables.reads_fail = fail);
    }

    /// From now on writing fails, or does not.
    pub fn fail_writes(&self, fail: bool) {
        self.with(|tables| tables.writes_fail = fail);
    }

    /// How often progress was saved.
    pub fn saves(&self) -> u64 {
        *self.0.saves.borrow()
    }

    /// Waits until progress was saved that is as wanted.
    pub async fn wait_for(&self, id: &SubscriptionId, wanted: impl Fn(&Progress) -> bool) {
        let mut saves = self.0.saves.subscribe();
        loop {
            saves.borrow_and_update();
            let progress = self.with(|tables| tables.subscriptions.get(id).map(Row::progress));
            if progress.is_some_and(|progress| wanted(&progress)) {
                return;
            }
            if saves.changed().await.is_err() {
                return;
            }
        }
    }

    fn with<T>(&self, with: impl FnOnce(&mut Tables) -> T) -> T {
        with(&mut self.0.tables.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn read<T>(&self, read: impl FnOnce(&Tables) -> T) -> Result<T, StoreError> {
        self.with(|tables| if tables.reads_fail { Err(away()) } else { Ok(read(tables)) })
    }

    fn write<T>(&self, write: impl FnOnce(&mut Tables) -> T) -> Result<T, StoreError> {
        self.with(|tables| if tables.writes_fail { Err(away()) } else { Ok(write(tables)) })
    }
}

impl Tables {
    fn put(&mut self, subscription: &Subscription, from: Cursor) {
        self.epochs += 1;
        let new = || Row {
            subscription: subscription.clone(),
            cursor: from,
            epoch: self.epochs,
            lanes: BTreeMap::new(),
            dead: BTreeMap::new(),
        };
        let row = self.subscriptions.entry(subscription.id.clone()).or_insert_with(new);
        let created_at = row.subscription.created_at;
        row.subscription = Subscription { created_at, ..subscription.clone() };
    }

    fn dead(&self, id: &SubscriptionId) -> impl Iterator<Item = &DeadLetter> {
        self.subscriptions.get(id).into_iter().flat_map(|row| row.dead.values())
    }
}

impl Row {
    fn progress(&self) -> Progress {
        let lanes = self.lanes.values().cloned().collect();
        Progress { cursor: self.cursor, lanes, epoch: self.epoch }
    }

    fn save(&mut self, change: &ProgressChange) -> bool {
        if change.epoch != self.epoch {
            return false;
        }
        self.cursor = change.cursor;
        for lane in &change.lanes {
            self.lanes.insert(lane.session.clone(), lane.clone());
        }
        for session in &change.caught_up {
            self.lanes.remove(session);
        }
        for dead in &change.dead {
            self.dead.insert(dead.event.id, dead.clone());
        }
        for event in &change.revived {
            self.dead.remove(event);
        }
        true
    }
}

fn size(limit: u32) -> usize {
    limit.try_into().unwrap_or(usize::MAX)
}

#[async_trait]
impl DeliveryStore for FakeDeliveryStore {
    async fn subscriptions(&self) -> Result<Vec<Subscription>, StoreError> {
        self.read(|tables| {
            tables.subscriptions.values().map(|row| row.subscription.clone()).collect()
        })
    }

    async fn put_subscription(
        &self,
        subscription: &Subscription,
        from: Cursor,
    ) -> Result<(), StoreError> {
        self.write(|tables| tables.put(subscription, from))
    }

    async fn seek(&self, id: &SubscriptionId, cursor: Cursor) -> Result<bool, StoreError> {
        self.write(|tables| {
            tables.epochs += 1;
            let epoch = tables.epochs;
            let Some(row) = tables.subscriptions.get_mut(id) else { return false };
            (row.cursor, row.epoch) = (cursor, epoch);
            row.lanes.clear();
            true
        })
    }

    async fn set_disabled(
        &self,
        id: &SubscriptionId,
        why: Option<&str>,
    ) -> Result<bool, StoreError> {
        self.write(|tables| {
            let Some(row) = tables.subscriptions.get_mut(id) else { return false };
            row.subscription.disabled = why.map(str::to_owned);
            true
        })
    }

    async fn remove_subscription(&self, id: &SubscriptionId) -> Result<bool, StoreError> {
        self.write(|tables| tables.subscriptions.remove(id).is_some())
    }

    async fn progress(&self, id: &SubscriptionId) -> Result<Option<Progress>, StoreError> {
        self.read(|tables| tables.subscriptions.get(id).map(Row::progress))
    }

    async fn save_progress(
        &self,
        id: &SubscriptionId,
        change: &ProgressChange,
    ) -> Result<bool, StoreError> {
        let is_saved = self
            .write(|tables| tables.subscriptions.get_mut(id).is_some_and(|row| row.save(change)));
        self.0.saves.send_modify(|saves| *saves += 1);
        is_saved
    }

    async fn session_events(
        &self,
        session: &SessionName,
        after: Cursor,
        limit: u32,
    ) -> Result<Vec<JournalEvent>, StoreError> {
        self.read(|tables| {
            let events = tables.journal.iter();
            let events = events.filter(|event| event.session == *session && event.id > after);
            events.take(size(limit)).cloned().collect()
        })
    }

    async fn dead_letters(
        &self,
        id: &SubscriptionId,
        after: Cursor,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.read(|tables| {
            let dead = tables.dead(id).filter(|dead| dead.event.id > after);
            dead.take(size(limit)).cloned().collect()
        })
    }

    async fn dead_letter(
        &self,
        id: &SubscriptionId,
        event: Cursor,
    ) -> Result<Option<DeadLetter>, StoreError> {
        self.read(|tables| tables.dead(id).find(|dead| dead.event.id == event).cloned())
    }

    async fn count_dead_letters(&self, id: &SubscriptionId) -> Result<u64, StoreError> {
        self.read(|tables| tables.dead(id).map(|_| 1).sum())
    }

    async fn requeue(
        &self,
        id: &SubscriptionId,
        from: Cursor,
        to: Cursor,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.write(|tables| {
            let Some(row) = tables.subscriptions.get_mut(id) else { return 0 };
            let dead = row.dead.values_mut().filter(|dead| (from..=to).contains(&dead.event.id));
            dead.map(|dead| dead.requeued_at = Some(at)).map(|()| 1).sum()
        })
    }

    async fn requeued(
        &self,
        id: &SubscriptionId,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.read(|tables| {
            let requeued = tables.dead(id).filter(|dead| dead.requeued_at.is_some());
            requeued.take(size(limit)).cloned().collect()
        })
    }

    async fn purge_dead_letters(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.write(|tables| {
            let mut removed = 0;
            for row in tables.subscriptions.values_mut() {
                let count = row.dead.len();
                row.dead.retain(|_, dead| dead.at >= before);
                removed += (count - row.dead.len()) as u64;
            }
            removed
        })
    }
}

#[async_trait]
impl JournalStore for FakeDeliveryStore {
    async fn read(&self, after: Cursor, limit: u32) -> Result<Vec<JournalEvent>, StoreError> {
        self.read(|tables| {
            let events = tables.journal.partition_point(|event| event.id <= after);
            tables.journal.iter().skip(events).take(size(limit)).cloned().collect()
        })
    }

    async fn append(
        &self,
        session: &SessionName,
        at: Timestamp,
        events: &[EventData],
    ) -> Result<Vec<JournalEvent>, StoreError> {
        let event = |data: &EventData| JournalEvent {
            id: Self::append(self, session, at, data.clone()),
            session: session.clone(),
            at,
            data: data.clone(),
        };
        Ok(events.iter().map(event).collect())
    }

    async fn bounds(&self) -> Result<(Cursor, Cursor), StoreError> {
        self.read(|tables| {
            let oldest = tables.journal.first().map_or(tables.newest + 1, |event| event.id.0);
            (Cursor(oldest), Cursor(tables.newest))
        })
    }

    async fn purge(&self, journal_before: Timestamp, _: Timestamp) -> Result<u64, StoreError> {
        self.write(|tables| {
            let (count, newest) = (tables.journal.len(), tables.newest);
            tables.journal.retain(|event| event.at >= journal_before || event.id.0 == newest);
            (count - tables.journal.len()) as u64
        })
    }
}

/// Sessions are there to be listed; nothing happens to them.
#[async_trait]
impl SessionStore for FakeDeliveryStore {
    async fn sessions(&self) -> Result<Vec<SessionRecord>, StoreError> {
        self.read(|tables| tables.sessions.values().cloned().collect())
    }

    async fn commit(&self, _: &Commit) -> Result<Vec<JournalEvent>, StoreError> {
        Err(StoreError::Refused("this store takes entries by `append`".into()))
    }

    async fn history(
        &self,
        _: &SessionName,
        _: u64,
        _: u32,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        Ok(Vec::new())
    }

    async fn inputs(
        &self,
        _: &SessionName,
        _: u64,
        _: u32,
    ) -> Result<Vec<RecordedInput>, StoreError> {
        Ok(Vec::new())
    }

    async fn evidence(&self, _: &SessionName, _: u64) -> Result<Option<Evidence>, StoreError> {
        Ok(None)
    }

    async fn park(&self, _: &Parked) -> Result<(), StoreError> {
        Ok(())
    }
}
