//! Events written straight into a host's journal, beside the running host.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use pairing_core::{
    clock::Timestamp,
    event::{EventData, JournalEvent},
    plugin::PluginDigest,
    session::{SessionRecord, View},
    store::{Commit, RecordedInput, Store, StoreError},
};

use crate::TestHost;

/// The journal of a host, to be written to by way of the store's own commits.
pub struct WrittenJournal {
    store: Arc<dyn Store>,
    commits: AtomicU64,
}

impl WrittenJournal {
    /// Of this host, which may run or not, but has made its database.
    pub async fn of(host: &TestHost) -> Self {
        let config = pairing_store::Config::new(host.database_url());
        let store = pairing_store::connect(&config).await.expect("the host has made it");
        Self { store, commits: AtomicU64::new(1) }
    }

    /// Writes what happened to a session, in one commit, after which the session
    /// is gone: no host takes it up.
    pub async fn tell(&self, session: &str, events: Vec<EventData>) -> Vec<JournalEvent> {
        let now = Timestamp(jsonwebtoken::get_current_timestamp() * 1000);
        let commit = self.commits.fetch_add(1, Ordering::Relaxed);
        let commit = Commit {
            record: SessionRecord {
                name: session.parse().expect("a name by the rule"),
                view: View::not_started(),
                state: Vec::new(),
                state_schema: 1,
                input_number: 1,
                wake_up_at: None,
                created_at: now,
                updated_at: now,
            },
            input: RecordedInput {
                number: 1,
                at: now,
                digest: PluginDigest("0".repeat(64).into()),
                state_schema: 1,
                fuel: 0,
                input: "{}".into(),
                // No two commits are taken for the same.
                context: format!("{{\"commit\":{commit}}}"),
                transition: "{}".into(),
            },
            events,
            history: None,
            evidence: None,
            delete: true,
        };
        loop {
            match self.store.commit(&commit).await {
                Ok(entries) => return entries,
                // The host is writing, or is being killed.
                Err(StoreError::Unavailable(_)) => continue,
                Err(error) => panic!("the journal can't be written: {error}"),
            }
        }
    }
}

/// An event that says no more than which one of its session it is.
pub fn tick(number: u64) -> EventData {
    EventData::Other { kind: "tick".into(), fields: vec![("number".into(), number.to_string())] }
}
