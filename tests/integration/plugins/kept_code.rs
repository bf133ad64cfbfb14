//! Where the tests' compiled code is kept.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use pairing_core::{plugin::PluginDigest, plugin_store::NativeCodeStore, store::StoreError};
use pairing_tests::SharedCode;

/// Compiled code that all tests share, which this test may lose or spoil.
#[derive(Default)]
pub(crate) struct KeptCode {
    shared: SharedCode,
    is_lost: AtomicBool,
    is_spoilt: AtomicBool,
    compiled: AtomicUsize,
}

impl KeptCode {
    /// None is found any more.
    pub(crate) fn lose(&self) {
        self.is_lost.store(true, Ordering::Relaxed);
    }

    /// One byte of each is another from now on.
    pub(crate) fn spoil(&self) {
        self.is_spoilt.store(true, Ordering::Relaxed);
    }

    /// How often code was kept, which is how often something was compiled.
    pub(crate) fn compiled(&self) -> usize {
        self.compiled.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl NativeCodeStore for KeptCode {
    async fn native_code(
        &self,
        digest: &PluginDigest,
        compatibility: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        if self.is_lost.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut code = self.shared.native_code(digest, compatibility).await?;
        if let Some(code) = &mut code
            && self.is_spoilt.load(Ordering::Relaxed)
        {
            let middle = code.len() / 2;
            code[middle] ^= 1;
        }
        Ok(code)
    }

    async fn put_native_code(
        &self,
        digest: &PluginDigest,
        compatibility: &str,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        self.compiled.fetch_add(1, Ordering::Relaxed);
        self.shared.put_native_code(digest, compatibility, sealed).await
    }
}
