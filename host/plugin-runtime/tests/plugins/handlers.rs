//! A runtime that runs handlers, whose values are kept nowhere.

use std::sync::Arc;

use async_trait::async_trait;
use pairing_core::{
    clock::SystemClock,
    delivery_store::{KvEntry, KvExpected, KvPut, KvQuota, KvStore},
    store::StoreError,
    subscription::SubscriptionId,
};
use pairing_egress::{Egress, EgressConfig};
use pairing_plugin_runtime::{GuestLogs, HandlerParts, PluginsConfig, Runtime};

pub(crate) fn runtime() -> Runtime {
    let parts = HandlerParts {
        kv: Arc::new(Nothing),
        egress: Egress::new(EgressConfig::default()).unwrap(),
        clock: Arc::new(SystemClock),
        logs: GuestLogs::default(),
    };
    Runtime::start_with_handlers(PluginsConfig::default(), parts).unwrap()
}

struct Nothing;

#[async_trait]
impl KvStore for Nothing {
    async fn kv_get(&self, _: &SubscriptionId, _: &str) -> Result<Option<KvEntry>, StoreError> {
        Ok(None)
    }

    async fn kv_put(
        &self,
        _: &SubscriptionId,
        _: &str,
        _: &[u8],
        _: KvExpected,
        _: KvQuota,
    ) -> Result<KvPut, StoreError> {
        Ok(KvPut::OverQuota)
    }

    async fn kv_delete(&self, _: &SubscriptionId, _: &str) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn kv_keys(
        &self,
        _: &SubscriptionId,
        _: &str,
        _: Option<&str>,
        _: u32,
    ) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}
