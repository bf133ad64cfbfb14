//! Grant `kv`.

use std::{sync::Arc, time::Duration};

use pairing_core::{
    delivery_store::{KvEntry, KvExpected, KvPut, KvQuota, KvStore},
    store::StoreError,
    subscription::SubscriptionId,
};

use super::super::state::{CallFacts, HandlerState};
use crate::bindings::handler::pairing_console::handler::kv::{Entry, Host, KvError, Swap};

const QUOTA: KvQuota = KvQuota { keys: 1_000, bytes: 16 << 20 };
/// Bytes of a key, and of a value.
const LONGEST_KEY: usize = 256;
const LONGEST_VALUE: usize = 256 << 10;
/// Keys of one answer.
const PAGE: u32 = 100;
/// The database has so long.
const PATIENCE: Duration = Duration::from_secs(2);

impl Host for HandlerState {
    async fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<Entry>, KvError>> {
        let keep = Keep::of(self);
        Ok(async { keep?.read(&key).await }.await)
    }

    async fn put(&mut self, key: String, value: Vec<u8>) -> wasmtime::Result<Result<u64, KvError>> {
        let keep = Keep::of(self);
        let put = async { keep?.write(&key, &value, KvExpected::Anything).await }.await;
        Ok(put.and_then(|put| match put {
            KvPut::Stored(revision) => Ok(revision),
            KvPut::OverQuota => Err(over_quota()),
            KvPut::Stale(_) => Err(KvError::Other("it was changed meanwhile".into())),
        }))
    }

    async fn compare_and_set(
        &mut self,
        key: String,
        expected: Option<u64>,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<Swap, KvError>> {
        let keep = Keep::of(self);
        let expected = expected.map_or(KvExpected::Absent, KvExpected::Revision);
        let put = async { keep?.write(&key, &value, expected).await }.await;
        Ok(put.and_then(|put| match put {
            KvPut::Stored(revision) => Ok(Swap::Stored(revision)),
            KvPut::Stale(there) => Ok(Swap::Stale(there.map(entry))),
            KvPut::OverQuota => Err(over_quota()),
        }))
    }

    async fn delete(&mut self, key: String) -> wasmtime::Result<Result<bool, KvError>> {
        let keep = Keep::of(self);
        Ok(async { keep?.remove(&key).await }.await)
    }

    async fn keys(
        &mut self,
        prefix: String,
        after: Option<String>,
    ) -> wasmtime::Result<Result<Vec<String>, KvError>> {
        let keep = Keep::of(self);
        Ok(async { keep?.list(&prefix, after.as_deref()).await }.await)
    }
}

/// One subscription's own values.
struct Keep {
    id: SubscriptionId,
    kv: Arc<dyn KvStore>,
    call: Arc<CallFacts>,
}

impl Keep {
    fn of(state: &HandlerState) -> Result<Self, KvError> {
        let bound = state.bound.as_ref();
        let bound = bound.ok_or_else(|| KvError::Other("nothing is granted here".into()))?;
        let kv = state.host.parts.kv.clone();
        Ok(Self { id: bound.id.clone(), kv, call: state.call.clone() })
    }

    async fn read(&self, key: &str) -> Result<Option<Entry>, KvError> {
        check(key)?;
        Ok(self.in_time(self.kv.kv_get(&self.id, key)).await?.map(entry))
    }

    async fn write(&self, key: &str, value: &[u8], expected: KvExpected) -> Result<KvPut, KvError> {
        check(key)?;
        if value.len() > LONGEST_VALUE {
            return Err(KvError::Quota("a value has at most 256 KiB".into()));
        }
        self.in_time(self.kv.kv_put(&self.id, key, value, expected, QUOTA)).await
    }

    async fn remove(&self, key: &str) -> Result<bool, KvError> {
        check(key)?;
        self.in_time(self.kv.kv_delete(&self.id, key)).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, KvError> {
        self.in_time(self.kv.kv_keys(&self.id, prefix, after, PAGE)).await
    }

    async fn in_time<T>(
        &self,
        asked: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, KvError> {
        match tokio::time::timeout(self.call.at_most(PATIENCE), asked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(StoreError::Refused(_))) => Err(KvError::Other("the store refused".into())),
            Ok(Err(_)) | Err(_) => Err(KvError::Unavailable),
        }
    }
}

/// Postgres keeps no NUL in text.
fn check(key: &str) -> Result<(), KvError> {
    if key.is_empty() || key.len() > LONGEST_KEY || key.contains('\0') {
        return Err(KvError::BadKey("a key has 1 to 256 bytes, and no NUL".into()));
    }
    Ok(())
}

fn entry(entry: KvEntry) -> Entry {
    Entry { value: entry.value, revision: entry.revision }
}

fn over_quota() -> KvError {
    KvError::Quota("at most 1,000 keys, and 16 MiB altogether".into())
}
