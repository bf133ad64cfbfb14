//! What a handler keeps, for as long as a trial takes.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use pairing_core::{
    delivery_store::{KvEntry, KvExpected, KvPut, KvQuota, KvStore},
    store::StoreError,
    subscription::SubscriptionId,
};

/// One subscription's values: there is but one in a trial.
#[derive(Default)]
pub(super) struct MemoryKv(Mutex<Values>);

#[derive(Default)]
struct Values {
    entries: BTreeMap<String, KvEntry>,
    revision: u64,
}

impl MemoryKv {
    fn values(&self) -> MutexGuard<'_, Values> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets all of it.
    pub(super) fn clear(&self) {
        self.values().entries.clear();
    }
}

#[async_trait]
impl KvStore for MemoryKv {
    async fn kv_get(&self, _: &SubscriptionId, key: &str) -> Result<Option<KvEntry>, StoreError> {
        Ok(self.values().entries.get(key).cloned())
    }

    async fn kv_put(
        &self,
        _: &SubscriptionId,
        key: &str,
        value: &[u8],
        expected: KvExpected,
        quota: KvQuota,
    ) -> Result<KvPut, StoreError> {
        let mut values = self.values();
        let present = values.entries.get(key);
        let is_as_expected = match expected {
            KvExpected::Anything => true,
            KvExpected::Absent => present.is_none(),
            KvExpected::Revision(revision) => {
                present.is_some_and(|entry| entry.revision == revision)
            }
        };
        if !is_as_expected {
            return Ok(KvPut::Stale(present.cloned()));
        }
        let others = values.entries.iter().filter(|(other, _)| *other != key);
        let (keys, bytes) = others
            .fold((1, key.len() + value.len()), |(keys, bytes), (key, entry)| {
                (keys + 1, bytes + key.len() + entry.value.len())
            });
        if keys > quota.keys || bytes as u64 > quota.bytes {
            return Ok(KvPut::OverQuota);
        }
        values.revision += 1;
        let revision = values.revision;
        values.entries.insert(key.to_owned(), KvEntry { value: value.to_owned(), revision });
        Ok(KvPut::Stored(revision))
    }

    async fn kv_delete(&self, _: &SubscriptionId, key: &str) -> Result<bool, StoreError> {
        Ok(self.values().entries.remove(key).is_some())
    }

    async fn kv_keys(
        &self,
        _: &SubscriptionId,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let values = self.values();
        let keys = values.entries.keys().filter(|key| key.starts_with(prefix));
        let keys = keys.filter(|key| after.is_none_or(|after| key.as_str() > after));
        Ok(keys.take(limit as usize).cloned().collect())
    }
}
