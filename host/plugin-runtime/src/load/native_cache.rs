//! Compiled code on disk, so that a host starts at once. The component is the
//! truth and this a copy: whatever is wrong with a file, it is compiled anew.

use std::{
    fs::{self, DirBuilder, DirEntry, OpenOptions},
    hash::{Hash, Hasher},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use wasmtime::{Engine, component::Component};

use super::{
    hex,
    native::{self, Verified},
};
use crate::config::CacheConfig;

/// HMAC-SHA-256, at the file's beginning.
const SEAL: usize = 32;
/// The most recently written files are kept: upgrades and rebuilds leave old
/// ones behind.
const KEPT: usize = 24;

/// A folder of sealed code for one engine.
pub(super) struct NativeCache<'a> {
    engine: &'a Engine,
    config: &'a CacheConfig,
    /// wasmtime's version, its settings and the processor, in one word.
    compatibility: String,
}

impl<'a> NativeCache<'a> {
    pub(super) fn new(engine: &'a Engine, config: &'a CacheConfig) -> Self {
        let mut hasher = StableHasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let compatibility = hex(&hasher.0.finalize()[..16]);
        Self { engine, config, compatibility }
    }

    /// The component's code, if it is there and sealed by us.
    pub(super) fn get(&self, digest: &str) -> Option<Component> {
        let found = fs::read(self.path(digest)).ok().map(|file| self.open(digest, &file));
        let result = match found {
            Some(Some(_)) => "hit",
            Some(None) => "bad",
            None => "miss",
        };
        metrics::counter!("plugin_native_cache_total", "result" => result).increment(1);
        if result == "bad" {
            tracing::warn!(%digest, "compiled plugin was not written by this host; compiling anew");
        }
        found?
    }

    fn open(&self, digest: &str, file: &[u8]) -> Option<Component> {
        let (seal, code) = file.split_at_checked(SEAL)?;
        self.mac(digest, code)?.verify_slice(seal).ok()?;
        native::load(self.engine, &Verified(code))
    }

    /// Keeps the component's code. A cache that can't be written is slow, no more.
    pub(super) fn put(&self, digest: &str, component: &Component) {
        if let Err(error) = self.try_put(digest, component) {
            tracing::warn!("could not keep a compiled plugin: {error}; every start compiles it");
        }
    }

    fn try_put(&self, digest: &str, component: &Component) -> io::Result<()> {
        let code = component.serialize().map_err(|error| io::Error::other(error.to_string()))?;
        let mac = self.mac(digest, &code).ok_or_else(|| io::Error::other("the key is empty"))?;
        let dir = &self.config.dir;
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let path = self.path(digest);
        let temporary = path.with_extension("new");
        let _ = fs::remove_file(&temporary);
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(&mac.finalize().into_bytes())?;
        file.write_all(&code)?;
        file.sync_all()?;
        fs::rename(&temporary, &path)?;
        remove_old(dir)
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.config.dir.join(format!("{digest}-{}.native", self.compatibility))
    }

    /// Code of one component can't pass for that of another.
    fn mac(&self, digest: &str, code: &[u8]) -> Option<Hmac<Sha256>> {
        let key = self.config.key.expose_secret();
        if key.is_empty() {
            return None;
        }
        let mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        Some(mac.chain_update(digest).chain_update(&self.compatibility).chain_update(code))
    }
}

/// Other loaders may do the same at the same time, so what is gone is no error.
fn remove_old(dir: &Path) -> io::Result<()> {
    let written = |entry: DirEntry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()));
    let is_code = |path: &Path| path.extension().is_some_and(|ending| ending == "native");
    let files = fs::read_dir(dir)?.flatten().filter_map(written);
    let mut files: Vec<_> = files.filter(|(_, path)| is_code(path)).collect();
    files.sort();
    for (_, path) in files.iter().rev().skip(KEPT) {
        let _ = fs::remove_file(path);
    }
    Ok(())
}

/// Gives the same answer in every build, which the standard one does not promise.
struct StableHasher(Sha256);

impl Hasher for StableHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let hash = self.0.clone().finalize();
        hash.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }
}
