//! Compiled components in a folder that all tests share: each test is a process
//! with a database of its own, and would compile them anew.

use std::{fs, path::PathBuf};

use async_trait::async_trait;
use pairing_core::{plugin::PluginDigest, plugin_store::NativeCodeStore, store::StoreError};

/// Files beside the test binaries. What is sealed needs no other protection.
pub struct SharedCode(PathBuf);

impl Default for SharedCode {
    fn default() -> Self {
        let test = std::env::current_exe().expect("a test has a path");
        let folder = test.parent().expect("in the folder of test binaries").join("plugin-code");
        fs::create_dir_all(&folder).expect("the build made that folder");
        Self(folder)
    }
}

impl SharedCode {
    fn path(&self, digest: &PluginDigest, compatibility: &str) -> PathBuf {
        self.0.join(format!("{digest}-{compatibility}"))
    }
}

#[async_trait]
impl NativeCodeStore for SharedCode {
    async fn native_code(
        &self,
        digest: &PluginDigest,
        compatibility: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(fs::read(self.path(digest, compatibility)).ok())
    }

    async fn put_native_code(
        &self,
        digest: &PluginDigest,
        compatibility: &str,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        let path = self.path(digest, compatibility);
        // Another test may be writing the same file.
        let own = path.with_extension(std::process::id().to_string());
        fs::write(&own, sealed).and_then(|()| fs::rename(&own, &path)).ok();
        Ok(())
    }
}
