//! What is kept of subscriptions: how far each has come, what was given up, and
//! what handlers keep for themselves.

use async_trait::async_trait;

use crate::{
    clock::Timestamp,
    event::{Cursor, JournalEvent},
    id::SessionName,
    store::{JournalStore, SessionStore, StoreError},
    subscription::{Subscription, SubscriptionId},
};

/// How far a subscription has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Every event up to here is settled (handled, given up, or not wanted), but
    /// for those of the sessions in `lanes`.
    pub cursor: Cursor,
    /// Sessions that lag behind, by name.
    pub lanes: Vec<Lane>,
    /// Another one after each `put_subscription` of a new one and each `seek`, and
    /// never given twice, not even to a subscription that was removed and made
    /// again: a random number will do.
    pub epoch: u64,
}

/// Where a subscription stands with one session that lags behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// Whose events.
    pub session: SessionName,
    /// The session's events up to here are settled.
    pub settled: Cursor,
    /// Attempts at the next event so far.
    pub attempts: u32,
    /// When the first of them was made; of no meaning without attempts.
    pub first_attempt_at: Timestamp,
    /// No attempt before this.
    pub next_attempt_at: Timestamp,
    /// How the last attempt failed.
    pub error: String,
    /// Events that were given up, of which the subscriber does not know yet.
    pub gap: Option<Gap>,
}

/// A range of a session's events that were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The first.
    pub from: Cursor,
    /// The last.
    pub to: Cursor,
}

/// An event that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The event, whole: the journal may have forgotten it.
    pub event: JournalEvent,
    /// How often it was tried.
    pub attempts: u32,
    /// How the last attempt failed.
    pub reason: String,
    /// When it was given up.
    pub at: Timestamp,
    /// It is to be tried once more: since when.
    pub requeued_at: Option<Timestamp>,
}

/// What happened since progress was last saved: written all or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProgressChange {
    /// Replaces the cursor.
    pub cursor: Cursor,
    /// Lanes that lag, each in place of what was there.
    pub lanes: Vec<Lane>,
    /// Sessions that do not lag any more.
    pub caught_up: Vec<SessionName>,
    /// Events given up; one that is there already is replaced.
    pub dead: Vec<DeadLetter>,
    /// Dead letters that were handled after all: their events.
    pub revived: Vec<Cursor>,
    /// That of the progress which was read. If the subscription has another one by
    /// now, it was moved, and nothing is written.
    pub epoch: u64,
}

/// Subscriptions and how far they have come.
#[async_trait]
pub trait DeliveryStore: Send + Sync + 'static {
    /// All subscriptions, by handler and name.
    async fn subscriptions(&self) -> Result<Vec<Subscription>, StoreError>;

    /// Adds or replaces one. One that is new begins after `from`; one that was
    /// there keeps its place and time of making.
    async fn put_subscription(
        &self,
        subscription: &Subscription,
        from: Cursor,
    ) -> Result<(), StoreError>;

    /// Moves a subscription to a place: everything after it is handed over (again),
    /// and lanes are forgotten. False if there is no such subscription.
    async fn seek(&self, id: &SubscriptionId, cursor: Cursor) -> Result<bool, StoreError>;

    /// Switches off (why), or on again (none); false if there is no such one.
    async fn set_disabled(
        &self,
        id: &SubscriptionId,
        why: Option<&str>,
    ) -> Result<bool, StoreError>;

    /// Removes one with all that belongs to it; false if there is none.
    async fn remove_subscription(&self, id: &SubscriptionId) -> Result<bool, StoreError>;

    /// How far it has come; none if there is no such subscription.
    async fn progress(&self, id: &SubscriptionId) -> Result<Option<Progress>, StoreError>;

    /// Saves; false, and nothing is written, if there is no such subscription any
    /// more or it is in another epoch.
    async fn save_progress(
        &self,
        id: &SubscriptionId,
        change: &ProgressChange,
    ) -> Result<bool, StoreError>;

    /// One session's journal entries after `after`, oldest first.
    async fn session_events(
        &self,
        session: &SessionName,
        after: Cursor,
        limit: u32,
    ) -> Result<Vec<JournalEvent>, StoreError>;

    /// Dead letters whose event is after `after`, oldest event first.
    async fn dead_letters(
        &self,
        id: &SubscriptionId,
        after: Cursor,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError>;

    /// One dead letter.
    async fn dead_letter(
        &self,
        id: &SubscriptionId,
        event: Cursor,
    ) -> Result<Option<DeadLetter>, StoreError>;

    /// How many dead letters there are.
    async fn count_dead_letters(&self, id: &SubscriptionId) -> Result<u64, StoreError>;

    /// Marks dead letters, from one event to another inclusive, to be tried once
    /// more; how many.
    async fn requeue(
        &self,
        id: &SubscriptionId,
        from: Cursor,
        to: Cursor,
        at: Timestamp,
    ) -> Result<u64, StoreError>;

    /// Dead letters that are to be tried once more, oldest event first.
    async fn requeued(
        &self,
        id: &SubscriptionId,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError>;

    /// Removes dead letters given up before this; how many.
    async fn purge_dead_letters(&self, before: Timestamp) -> Result<u64, StoreError>;
}

/// What deliveries need of a database.
pub trait DeliveryJournal: DeliveryStore + JournalStore + SessionStore {}

impl<T: DeliveryStore + JournalStore + SessionStore + ?Sized> DeliveryJournal for T {}

/// A value that a handler keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KvEntry {
    /// The bytes.
    pub value: Vec<u8>,
    /// Grows with each write of any key of the subscription.
    pub revision: u64,
}

/// When a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KvExpected {
    /// Always.
    Anything,
    /// If there is no such key.
    Absent,
    /// If the key has this revision.
    Revision(u64),
}

/// What came of writing a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KvPut {
    /// Written, with this revision.
    Stored(u64),
    /// It was not as expected: what is there.
    Stale(Option<KvEntry>),
    /// It would be more than allowed; nothing was written.
    OverQuota,
}

/// How much a subscription may keep.
#[derive(Debug, Clone, Copy)]
pub struct KvQuota {
    /// Keys.
    pub keys: u64,
    /// Bytes of keys and values together.
    pub bytes: u64,
}

/// What handlers keep: each subscription sees its own alone, and it goes with
/// the subscription.
#[async_trait]
pub trait KvStore: Send + Sync + 'static {
    /// Reads.
    async fn kv_get(&self, id: &SubscriptionId, key: &str) -> Result<Option<KvEntry>, StoreError>;

    /// Writes. There being no such subscription is `Refused`.
    async fn kv_put(
        &self,
        id: &SubscriptionId,
        key: &str,
        value: &[u8],
        expected: KvExpected,
        quota: KvQuota,
    ) -> Result<KvPut, StoreError>;

    /// Removes; false if there was none.
    async fn kv_delete(&self, id: &SubscriptionId, key: &str) -> Result<bool, StoreError>;

    /// Keys that begin so, in the order of their bytes, after this one.
    async fn kv_keys(
        &self,
        id: &SubscriptionId,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<String>, StoreError>;
}
