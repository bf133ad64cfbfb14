//! Compiled code runs without any check, so it is taken only with a seal that
//! this host alone can make: code from the database may have been changed there.

use std::hash::{Hash, Hasher};

use hmac::{Hmac, KeyInit, Mac};
use pairing_core::plugin::PluginDigest;
use secrecy::{ExposeSecret, SecretSlice};
use sha2::{Digest, Sha256};
use wasmtime::Engine;

use super::{hex, native::Verified};
use crate::{compile::Compiled, error::LoadError};

/// HMAC-SHA-256, at the code's beginning.
const SEAL: usize = 32;

/// Makes and verifies seals.
pub(crate) struct Sealer {
    mac: Hmac<Sha256>,
    compatibility: String,
}

impl Sealer {
    pub(crate) fn new(engine: &Engine, key: &SecretSlice<u8>) -> Result<Self, LoadError> {
        let key = key.expose_secret();
        if key.len() < 32 {
            return Err(LoadError::Machine("the key that seals compiled code is too short".into()));
        }
        let mac = Hmac::<Sha256>::new_from_slice(key)
            .map_err(|error| LoadError::Machine(error.to_string()))?;
        let mut hasher = StableHasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        // Hosts with other keys that share a database do not spoil each other's.
        let key_id = mac.clone().chain_update("key id").finalize().into_bytes();
        let compatibility = format!("{}-{}", hex(&hasher.0.finalize()[..16]), hex(&key_id[..8]));
        Ok(Self { mac, compatibility })
    }

    /// wasmtime's version, its settings, the processor and the key, in one word.
    pub(crate) fn compatibility(&self) -> &str {
        &self.compatibility
    }

    /// Seals what our own compiler has just made.
    pub(crate) fn seal(&self, digest: &PluginDigest, code: &Compiled) -> Vec<u8> {
        let seal = self.mac_of(digest, &code.0).finalize().into_bytes();
        [&seal[..], &code.0].concat()
    }

    /// The code, if we sealed it for this component.
    pub(crate) fn verify<'a>(
        &self,
        digest: &PluginDigest,
        sealed: &'a [u8],
    ) -> Option<Verified<'a>> {
        let (seal, code) = sealed.split_at_checked(SEAL)?;
        self.mac_of(digest, code).verify_slice(seal).ok()?;
        Some(Verified::by_its_seal(code))
    }

    /// Code of one component can't pass for that of another.
    fn mac_of(&self, digest: &PluginDigest, code: &[u8]) -> Hmac<Sha256> {
        let mac = self.mac.clone().chain_update("code").chain_update(&*digest.0);
        mac.chain_update(&self.compatibility).chain_update(code)
    }
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
