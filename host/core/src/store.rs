//! What is kept: sessions with their recorded inputs, the journal, and the
//! console's logins. One trait for each; a store has them all.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    budget::BudgetStore,
    clock::Timestamp,
    delivery_store::{DeliveryJournal, DeliveryStore, KvStore},
    event::{Cursor, EventData, JournalEvent},
    evidence::Evidence,
    id::SessionName,
    page_hooks::HooksStore,
    plugin::PluginDigest,
    plugin_store::{NativeCodeStore, Parked, PluginStore},
    session::{Detail, Reason, SessionRecord, Status},
};

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer was first: the row's input number is not the expected one.
    #[error("session `{session}` is not at input {expected}: another writer was first")]
    Conflict {
        /// Whose row.
        session: SessionName,
        /// The input number that the writer built upon.
        expected: u64,
    },
    /// The database can't be reached, is full, or is too slow. Try again later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// A row can't be read: says table, column and row.
    #[error("{table}.{column} of `{row}` can't be read: {message}")]
    Corrupt {
        /// Where.
        table: &'static str,
        /// Where.
        column: &'static str,
        /// Its key.
        row: String,
        /// What is wrong.
        message: String,
    },
    /// Anything else that the database said.
    #[error("the database refused: {0}")]
    Refused(String),
}

/// An input as it was handed to the workflow, and what came of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedInput {
    /// Counts the session's inputs, from 1, without gaps.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Which component decided.
    pub digest: PluginDigest,
    /// The schema of the state in `transition`.
    pub state_schema: u32,
    /// Units of work that the decision took; 0 where that was not counted.
    pub fuel: u64,
    /// [`crate::workflow::Input`] as JSON.
    pub input: String,
    /// [`crate::workflow::Context`] as JSON.
    pub context: String,
    /// [`crate::workflow::Transition`] as JSON.
    pub transition: String,
}

/// What was handed over may name phone numbers, which are not for logs.
impl std::fmt::Debug for RecordedInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordedInput")
            .field("number", &self.number)
            .field("at", &self.at)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// A change of state, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The number of the input that caused it: increasing within a session.
    pub input_number: u64,
    /// When.
    pub at: Timestamp,
    /// The new status.
    pub status: Status,
    /// Why.
    pub reason: Option<Reason>,
    /// More about it.
    pub detail: Option<Detail>,
    /// The kind of input that caused it, such as `command:init`, or the step of a
    /// repair, such as `repair:reload`.
    pub cause: String,
    /// There is evidence under the same number.
    pub has_evidence: bool,
}

/// All that one input changes, written in one transaction.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The new row; its `input_number` is the recorded input's.
    pub record: SessionRecord,
    /// The input. The row must be at `input.number - 1` (absent for 1).
    pub input: RecordedInput,
    /// For the journal, in order.
    pub events: Vec<EventData>,
    /// If the view's status, reason or detail changed, or there is evidence.
    pub history: Option<HistoryEntry>,
    /// What was seen; kept with the line of history. Of each session the newest 50
    /// are kept.
    pub evidence: Option<Evidence>,
    /// The session ends here: after the journal is written its row, inputs and
    /// history are removed.
    pub delete: bool,
}

/// Sessions and what they went through.
#[async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// All sessions, by name.
    async fn sessions(&self) -> Result<Vec<SessionRecord>, StoreError>;

    /// Writes all or nothing. Answers the journal's entries with their places.
    /// Safe to repeat after `Unavailable`: a commit that had gone through
    /// already is recognised by its input number and equal input, and answered
    /// as if it were done now.
    async fn commit(&self, commit: &Commit) -> Result<Vec<JournalEvent>, StoreError>;

    /// Changes of state with `input_number > after`, oldest first.
    async fn history(
        &self,
        session: &SessionName,
        after: u64,
        limit: u32,
    ) -> Result<Vec<HistoryEntry>, StoreError>;

    /// What was seen at this input, if anything.
    async fn evidence(
        &self,
        session: &SessionName,
        input_number: u64,
    ) -> Result<Option<Evidence>, StoreError>;

    /// Recorded inputs with `number > after`, oldest first.
    async fn inputs(
        &self,
        session: &SessionName,
        after: u64,
        limit: u32,
    ) -> Result<Vec<RecordedInput>, StoreError>;

    /// Keeps what a plugin could not work; it goes when its session is deleted.
    /// The newest 1,000 of a slot are kept.
    async fn park(&self, parked: &Parked) -> Result<(), StoreError>;
}

/// The journal.
#[async_trait]
pub trait JournalStore: Send + Sync + 'static {
    /// Entries after `after`, oldest first.
    async fn read(&self, after: Cursor, limit: u32) -> Result<Vec<JournalEvent>, StoreError>;

    /// Writes events that follow from no input, such as the host's own. Not safe to
    /// repeat after `Unavailable`: they may then be there twice.
    async fn append(
        &self,
        session: &SessionName,
        at: Timestamp,
        events: &[EventData],
    ) -> Result<Vec<JournalEvent>, StoreError>;

    /// The places of the oldest and the newest entry. An empty journal has
    /// `(next, next - 1)`: readers after `oldest - 1` miss nothing.
    async fn bounds(&self) -> Result<(Cursor, Cursor), StoreError>;

    /// Removes journal entries older than `journal_before` and recorded inputs
    /// and history older than `history_before`; tells how many rows went. The
    /// newest entry stays, so that places are never given twice, and so does
    /// each session's newest input, by which a repeated commit is recognised.
    /// The journal is never left with a hole, even if the clock was set back.
    async fn purge(
        &self,
        journal_before: Timestamp,
        history_before: Timestamp,
    ) -> Result<u64, StoreError>;
}

/// What sessions need of a database.
pub trait Records: SessionStore + JournalStore {}

impl<T: SessionStore + JournalStore + ?Sized> Records for T {}

/// A person who may use the console.
#[derive(Clone, PartialEq, Eq)]
pub struct Admin {
    /// The key.
    pub id: Uuid,
    /// Unique, compared without case.
    pub username: String,
    /// Argon2id, in PHC form.
    pub password_hash: String,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// The password's hash never prints.
impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin").field("username", &self.username).finish_non_exhaustive()
    }
}

/// A sign-in: one chain of refresh tokens. Tokens are made from the id and the
/// counter with a key that is not in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The key.
    pub id: Uuid,
    /// Whose.
    pub admin: Uuid,
    /// The token that may be presented next.
    pub counter: u64,
    /// When that token was first handed out.
    pub rotated_at: Timestamp,
    /// When the person signed in.
    pub created_at: Timestamp,
}

/// What came of presenting a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// It was the current one, and its successor is current now; or it was the
    /// one before, its successor is still unused, and little time has passed (a
    /// second tab, or a lost answer). The login has the counter to hand out.
    Accepted(Login),
    /// It was spent. The login is revoked.
    Reused,
    /// No such login, or revoked, idle or old for too long.
    Unknown,
}

/// How long logins live.
#[derive(Debug, Clone, Copy)]
pub struct LoginLimits {
    /// A token not presented before this time ago is void.
    pub idle_since: Timestamp,
    /// A login made before this time is void.
    pub created_since: Timestamp,
    /// A spent token is accepted again if its successor came after this time.
    pub grace_since: Timestamp,
}

/// The console's logins.
#[async_trait]
pub trait LoginStore: Send + Sync + 'static {
    /// How many admins there are.
    async fn admin_count(&self) -> Result<u64, StoreError>;

    /// By name, without case.
    async fn admin(&self, username: &str) -> Result<Option<Admin>, StoreError>;

    /// By key.
    async fn admin_by_id(&self, id: Uuid) -> Result<Option<Admin>, StoreError>;

    /// All, by name.
    async fn admins(&self) -> Result<Vec<Admin>, StoreError>;

    /// Adds an admin; false if the name is taken.
    async fn add_admin(&self, admin: &Admin) -> Result<bool, StoreError>;

    /// Adds the first admin and spends the set-up token, both or neither; false
    /// if there is an admin already or the token is not the valid one. Of many
    /// racing callers one succeeds.
    async fn claim_setup(
        &self,
        token_hash: &[u8; 32],
        now: Timestamp,
        admin: &Admin,
    ) -> Result<bool, StoreError>;

    /// Replaces the set-up token.
    async fn put_setup_token(
        &self,
        token_hash: &[u8; 32],
        expires_at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Changes a password and revokes all logins of that admin; false if there
    /// is no such admin.
    async fn set_password(&self, admin: Uuid, password_hash: &str) -> Result<bool, StoreError>;

    /// Keeps the same password under a new hash, and all logins; false if the
    /// hash is no longer `old`, so that a password changed meanwhile stays.
    async fn update_password_hash(
        &self,
        admin: Uuid,
        old: &str,
        new: &str,
    ) -> Result<bool, StoreError>;

    /// Removes an admin with all logins; false if there is no such admin.
    async fn remove_admin(&self, admin: Uuid) -> Result<bool, StoreError>;

    /// Begins a login.
    async fn add_login(&self, login: &Login) -> Result<(), StoreError>;

    /// Presents refresh token `counter` of a login.
    async fn rotate_login(
        &self,
        login: Uuid,
        counter: u64,
        now: Timestamp,
        limits: LoginLimits,
    ) -> Result<Rotation, StoreError>;

    /// Ends a login.
    async fn revoke_login(&self, login: Uuid) -> Result<(), StoreError>;

    /// Which of these logins are still valid: for sockets that stay open.
    async fn live_logins(&self, logins: &[Uuid]) -> Result<Vec<Uuid>, StoreError>;

    /// Removes logins made before `before`.
    async fn purge_logins(&self, before: Timestamp) -> Result<u64, StoreError>;
}

/// A database.
#[async_trait]
pub trait Store:
    Records
    + LoginStore
    + PluginStore
    + NativeCodeStore
    + DeliveryStore
    + DeliveryJournal
    + KvStore
    + BudgetStore
    + HooksStore
{
    /// Can the database be read and written now?
    async fn check(&self) -> Result<(), StoreError>;
}
