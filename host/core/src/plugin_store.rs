//! What is kept of plugins: components, what is known of them, which one fills
//! which slot, who decided so, and what went wrong.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    id::SessionName,
    plugin::{PluginDigest, Slot},
    store::StoreError,
};

/// A component that was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginVersion {
    /// The slot that it can fill.
    pub slot: Slot,
    /// SHA-256 of the component.
    pub digest: PluginDigest,
    /// Its own name.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// The component's size in bytes.
    pub size: u64,
    /// How it came in: `embedded`, `folder` or `upload`.
    pub source: String,
    /// The name of the key that signed it.
    pub signed_by: Option<String>,
    /// Who accepted it without a signature.
    pub accepted_by: Option<String>,
    /// What the gate found out about it.
    pub facts: PluginFacts,
    /// When it came in.
    pub created_at: Timestamp,
    /// Who sent it.
    pub created_by: String,
}

/// What can be said of a component without running it for anybody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PluginFacts {
    /// The interface that makes it fit the slot.
    pub interface: String,
    /// What it imports, of a handler: interfaces and functions.
    pub imports: Vec<String>,
    /// Bytes of memory that each instance begins with.
    pub initial_memory: u64,
    /// The schema of the states that it writes; of a workflow only.
    pub writes_schema: Option<u32>,
    /// The schemas of the states that it reads; of a workflow only.
    pub reads_schemas: BTreeSet<u32>,
    /// Fuel that each test vector used.
    pub fuel: Vec<(String, u64)>,
}

/// What fills a slot now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotState {
    /// Which slot.
    pub slot: Slot,
    /// The activation that made it so.
    pub generation: u64,
    /// The version for all sessions that are neither pinned nor canaries.
    pub active: PluginDigest,
    /// A version that serves a share of the sessions on trial.
    pub canary: Option<Canary>,
}

/// A version on trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// Which.
    pub digest: PluginDigest,
    /// Percent of the sessions, 1 to 99.
    pub share: u8,
}

/// What was done to a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PluginAction {
    /// The slot was empty, or the host brought a newer component of its own.
    Seed,
    /// A version was sent in.
    Push,
    /// A version without a signature was accepted by name of its digest.
    AcceptUnsigned,
    /// A version was made active.
    Activate,
    /// A version was put on trial, or its share changed.
    Canary,
    /// An operator went back.
    Rollback,
    /// The host went back by itself.
    AutomaticRollback,
    /// The host stopped calling a version that failed again and again.
    Quarantine,
    /// A subscription of the handler was made or changed.
    Grant,
    /// A subscription was removed.
    Unsubscribe,
    /// A subscription was moved to another place of the journal.
    Seek,
    /// A subscription was switched on.
    Enable,
    /// A subscription was switched off.
    Disable,
}

impl PluginAction {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Seed,
        Self::Push,
        Self::AcceptUnsigned,
        Self::Activate,
        Self::Canary,
        Self::Rollback,
        Self::AutomaticRollback,
        Self::Quarantine,
        Self::Grant,
        Self::Unsubscribe,
        Self::Seek,
        Self::Enable,
        Self::Disable,
    ];

    /// The word for it, such as `automatic-rollback`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Push => "push",
            Self::AcceptUnsigned => "accept-unsigned",
            Self::Activate => "activate",
            Self::Canary => "canary",
            Self::Rollback => "rollback",
            Self::AutomaticRollback => "automatic-rollback",
            Self::Quarantine => "quarantine",
            Self::Grant => "grant",
            Self::Unsubscribe => "unsubscribe",
            Self::Seek => "seek",
            Self::Enable => "enable",
            Self::Disable => "disable",
        }
    }
}

/// One line of a slot's history, which is only ever added to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginChange {
    /// Which slot.
    pub slot: Slot,
    /// When.
    pub at: Timestamp,
    /// Who: a token's subject, or `host`.
    pub who: String,
    /// What was tried.
    pub action: PluginAction,
    /// What was active before.
    pub from: Option<PluginDigest>,
    /// What it was about. None: it never came so far that it had a digest.
    pub to: Option<PluginDigest>,
    /// Percent of the sessions, of a canary.
    pub share: Option<u8>,
    /// Why, in the words of who did it.
    pub why: String,
    /// None: it was done. Else why not, and what to do.
    pub refusal: Option<String>,
    /// More for people: how many sessions stayed behind, and so on.
    pub detail: String,
}

/// A line of history with its number. Numbers count the changes of all slots,
/// from 1; those that changed what is active are the slot's generations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedChange {
    /// Its number.
    pub number: u64,
    /// What was done.
    pub change: PluginChange,
}

/// What an activation writes, all or nothing.
#[derive(Debug, Clone)]
pub struct Activation {
    /// For the history.
    pub change: PluginChange,
    /// The generation that the new state was built upon; none for an empty slot.
    pub expected: Option<u64>,
    /// The new version for all.
    pub active: PluginDigest,
    /// The new trial.
    pub canary: Option<Canary>,
    /// Sessions that stay with a version: replaces all pins of the slot.
    pub pins: Vec<Pin>,
}

/// A session that stays with a version until it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Which session.
    pub session: SessionName,
    /// Which version.
    pub digest: PluginDigest,
    /// Why.
    pub why: String,
    /// Since when.
    pub at: Timestamp,
}

/// What a gate said about a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Which slot.
    pub slot: Slot,
    /// Which version. None: it was not even a component.
    pub digest: Option<PluginDigest>,
    /// When.
    pub at: Timestamp,
    /// Which gate, such as `signature` or `replay`.
    pub gate: String,
    /// Did it pass?
    pub passed: bool,
    /// What the gate found, and what to do about it.
    pub message: String,
    /// The whole report as JSON, if there is more to say.
    pub report: Option<String>,
}

/// An input or event that a plugin could not work.
#[derive(Clone, PartialEq, Eq)]
pub struct Parked {
    /// Which slot failed.
    pub slot: Slot,
    /// Whose it is.
    pub session: SessionName,
    /// When.
    pub at: Timestamp,
    /// What it is: an input's cause, or `event` with its place.
    pub what: String,
    /// Why it was parked: the last attempt's error.
    pub reason: String,
    /// The input as JSON; of the workflow only.
    pub input: Option<String>,
    /// Its context as JSON; of the workflow only.
    pub context: Option<String>,
}

/// The input may name phone numbers, which are not for logs.
impl std::fmt::Debug for Parked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parked")
            .field("slot", &self.slot)
            .field("session", &self.session)
            .field("what", &self.what)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// Plugins: components, slots, and what came of them.
#[async_trait]
pub trait PluginStore: Send + Sync + 'static {
    /// Keeps a component. One that is there already gets these bytes and facts, and
    /// keeps its first time and sender.
    async fn add_version(
        &self,
        version: &PluginVersion,
        component: &[u8],
    ) -> Result<(), StoreError>;

    /// The versions of a slot, newest first.
    async fn versions(&self, slot: Slot) -> Result<Vec<PluginVersion>, StoreError>;

    /// A component's bytes.
    async fn component(&self, digest: &PluginDigest) -> Result<Option<Vec<u8>>, StoreError>;

    /// What fills the slots, in their order; empty ones are left out.
    async fn slots(&self) -> Result<Vec<SlotState>, StoreError>;

    /// Makes a version active. Answers the new generation; none if the slot is
    /// not at `expected` any more, and then nothing is written.
    async fn activate(&self, activation: &Activation) -> Result<Option<u64>, StoreError>;

    /// Adds a line that changes nothing: a refusal, a push.
    async fn note(&self, change: &PluginChange) -> Result<u64, StoreError>;

    /// Lines of a slot's history with a number below `before`, newest first.
    async fn changes(
        &self,
        slot: Slot,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<NumberedChange>, StoreError>;

    /// All pins of the workflow, by session. A pin ends with its session.
    async fn pins(&self) -> Result<Vec<Pin>, StoreError>;

    /// Adds or replaces one pin; nothing happens if there is no such session.
    async fn pin(&self, pin: &Pin) -> Result<(), StoreError>;

    /// Keeps a verdict.
    async fn add_verdict(&self, verdict: &Verdict) -> Result<(), StoreError>;

    /// The last hundred verdicts on a version, oldest first.
    async fn verdicts(&self, slot: Slot, digest: &PluginDigest)
    -> Result<Vec<Verdict>, StoreError>;

    /// What could not be worked, newest first.
    async fn parked(&self, slot: Slot, limit: u32) -> Result<Vec<Parked>, StoreError>;
}

/// Compiled components. Everything in here can be made anew, so a miss is never
/// an error; what is in here is sealed by the one who wrote it.
#[async_trait]
pub trait NativeCodeStore: Send + Sync + 'static {
    /// The code of a component, for one compiler, processor and host key.
    async fn native_code(
        &self,
        digest: &PluginDigest,
        compatibility: &str,
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps code, in place of what was there. Code of other compilers for the
    /// same component and the same key is not touched.
    async fn put_native_code(
        &self,
        digest: &PluginDigest,
        compatibility: &str,
        sealed: &[u8],
    ) -> Result<(), StoreError>;
}
