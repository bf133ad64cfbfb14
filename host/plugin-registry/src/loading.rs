//! From the database into memory: compiled code if there is some that this host
//! sealed, else the component, compiled anew.

use pairing_core::{
    plugin::{PluginDigest, Slot},
    plugin_store::PluginVersion,
};
use pairing_plugin_runtime::{BreakerState, LoadedVersion, Origin, digest_of};

use crate::{errors::RegistryError, registry::Registry};

/// A version with its compiled code.
pub(crate) struct Compiled {
    pub(crate) version: LoadedVersion,
    pub(crate) sealed: Vec<u8>,
}

impl Registry {
    /// The version as it runs, or loaded. One that is not called any more is loaded
    /// anew.
    pub(crate) async fn loaded(
        &self,
        version: &PluginVersion,
        is_proven: bool,
    ) -> Result<LoadedVersion, RegistryError> {
        let running = self.0.parts.runtime.running(version.slot, &version.digest);
        let is_called =
            |running: &LoadedVersion| running.report().health.breaker != BreakerState::Quarantined;
        match running.filter(is_called) {
            Some(running) => Ok(running),
            None => self.load(version, is_proven).await,
        }
    }

    /// A fresh copy, with a clean record.
    pub(crate) async fn load(
        &self,
        version: &PluginVersion,
        is_proven: bool,
    ) -> Result<LoadedVersion, RegistryError> {
        let origin =
            Origin { digest: version.digest.clone(), source: version.source.clone(), is_proven };
        if let Some(known) = self.known(version.slot, origin.clone()).await? {
            return Ok(known.version);
        }
        let component = self.0.parts.store.component(&version.digest).await?;
        let component = component.ok_or_else(|| RegistryError::UnknownVersion {
            slot: version.slot,
            digest: version.digest.to_string(),
        })?;
        if digest_of(&component) != version.digest {
            return Err(RegistryError::Refused {
                gate: "digest",
                message: "its bytes were changed in the database; push the component again".into(),
            });
        }
        let compiled = self.compiled(version.slot, &component, origin).await?;
        self.keep(version.slot, &version.digest, &compiled.sealed).await;
        Ok(compiled.version)
    }

    /// With code that this host compiled before, if there is some.
    pub(crate) async fn known(
        &self,
        slot: Slot,
        origin: Origin,
    ) -> Result<Option<Compiled>, RegistryError> {
        if let Some(sealed) = self.sealed(slot, &origin.digest).await
            && let Some(version) = self.take_up(slot, sealed.clone(), origin).await?
        {
            hit("hit");
            return Ok(Some(Compiled { version, sealed }));
        }
        hit("miss");
        Ok(None)
    }

    /// Compiles, and takes the code up.
    pub(crate) async fn compiled(
        &self,
        slot: Slot,
        component: &[u8],
        origin: Origin,
    ) -> Result<Compiled, RegistryError> {
        let runtime = &self.0.parts.runtime;
        let sealed = runtime.compile(slot, component).await.map_err(RegistryError::refused)?;
        let version = self.take_up(slot, sealed.clone(), origin).await?;
        let version = version.ok_or_else(|| RegistryError::Host("a seal does not fit".into()))?;
        Ok(Compiled { version, sealed })
    }

    async fn take_up(
        &self,
        slot: Slot,
        sealed: Vec<u8>,
        origin: Origin,
    ) -> Result<Option<LoadedVersion>, RegistryError> {
        let loaded = self.0.parts.runtime.load(slot, sealed, origin).await;
        loaded.map_err(RegistryError::refused)
    }

    /// Without the database one compiles; a miss is never an error.
    async fn sealed(&self, slot: Slot, digest: &PluginDigest) -> Option<Vec<u8>> {
        let compatibility = self.0.parts.runtime.compatibility(slot);
        match self.0.parts.native_code.native_code(digest, compatibility).await {
            Ok(sealed) => sealed,
            Err(error) => {
                tracing::warn!(%digest, %error, "no compiled code could be read; compiling anew");
                None
            }
        }
    }

    /// Keeps code for the next start, and for the way back.
    pub(crate) async fn keep(&self, slot: Slot, digest: &PluginDigest, sealed: &[u8]) {
        let compatibility = self.0.parts.runtime.compatibility(slot);
        let kept = self.0.parts.native_code.put_native_code(digest, compatibility, sealed);
        if let Err(error) = kept.await {
            tracing::warn!(%digest, %error, "compiled code could not be kept; every start compiles it");
        }
    }
}

fn hit(result: &'static str) {
    metrics::counter!("plugin_native_code_total", "result" => result).increment(1);
}
