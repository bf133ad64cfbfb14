//! The registry: what it is made of, and what can be asked of it.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, PoisonError},
};

use pairing_core::{
    clock::SharedClock,
    delivery_store::DeliveryStore,
    plugin::{PluginDigest, Slot},
    plugin_store::{
        NativeCodeStore, NumberedChange, Parked, PluginAction, PluginChange, PluginStore,
        PluginVersion,
    },
    store::{JournalStore, SessionStore},
};
use pairing_plugin_runtime::{Plugins, Runtime, WEBHOOK};
use secrecy::SecretSlice;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    errors::{OpenError, RegistryError},
    reports::{Pushed, SlotReport},
    secrets::SecretSealer,
    seed,
    signature::TrustedKeys,
    supervise, watch,
};

/// Fewer digits of a digest are not taken for one.
const FEWEST_DIGITS: usize = 6;

/// What the registry is made of.
pub struct RegistryParts {
    /// Components, slots and their history.
    pub store: Arc<dyn PluginStore>,
    /// Compiled code.
    pub native_code: Arc<dyn NativeCodeStore>,
    /// Recorded histories.
    pub sessions: Arc<dyn SessionStore>,
    /// Subscriptions of handlers.
    pub subscriptions: Arc<dyn DeliveryStore>,
    /// Where new subscriptions begin.
    pub journal: Arc<dyn JournalStore>,
    /// Seals the subscriptions' secrets: 32 bytes that are not in the database.
    pub secrets_key: SecretSlice<u8>,
    /// Tells the time.
    pub clock: SharedClock,
    /// Compiles, loads and runs.
    pub runtime: Runtime,
}

/// What the operator decides.
#[derive(Debug, Clone)]
pub struct RegistryConfig {
    /// Who may sign.
    pub keys: TrustedKeys,
    /// A component without a signature needs somebody who accepts its digest.
    pub refuse_unsigned: bool,
    /// A folder with `workflow.wasm`, `qr-renderer.wasm` or `fan-out.wasm`, which
    /// fill slots that nothing fills yet; with any other name a component fills the
    /// slot of a handler that is called so.
    pub dir: Option<PathBuf>,
    /// Push and activate what changes in that folder: for development.
    pub watch: bool,
    /// The largest component that is taken, in bytes.
    pub max_size: usize,
    /// The same of a handler, which may bring its language's runtime along.
    pub max_handler_size: usize,
    /// So many sessions are replayed, those that changed last; of the others it is
    /// only seen to that their states can be read.
    pub replayed_sessions: usize,
    /// So many of a session's last inputs are replayed.
    pub replayed_inputs: u64,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            keys: TrustedKeys::default(),
            refuse_unsigned: true,
            dir: None,
            watch: false,
            max_size: 10 << 20,
            max_handler_size: 32 << 20,
            replayed_sessions: 10_000,
            replayed_inputs: 50,
        }
    }
}

/// Which component fills which slot. Cheap to clone.
#[derive(Clone)]
pub struct Registry(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) parts: RegistryParts,
    pub(crate) config: RegistryConfig,
    /// One change of a slot at a time.
    changing: std::sync::Mutex<HashMap<Slot, Arc<Mutex<()>>>>,
    pub(crate) sealer: SecretSealer,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl Registry {
    /// Fills all slots as the database says; those that it knows nothing of get the
    /// folder's component, or the host's own.
    ///
    /// # Errors
    /// The database can't be read, or a slot can be filled with nothing.
    pub async fn open(parts: RegistryParts, config: RegistryConfig) -> Result<Self, OpenError> {
        let registry = Self(Arc::new(Inner {
            sealer: SecretSealer::new(&parts.secrets_key)?,
            parts,
            config,
            changing: Default::default(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }));
        // Side by side: at a first start each compiles for a second.
        let [workflow, renderer, fan_out] = Slot::OWN;
        tokio::try_join!(
            seed::fill(&registry, workflow),
            seed::fill(&registry, renderer),
            seed::fill(&registry, fan_out),
        )?;
        seed::fill_handlers(&registry).await?;
        registry.spawn(supervise::run(registry.clone()));
        if registry.0.config.watch
            && let Some(dir) = registry.0.config.dir.clone()
        {
            let present = watch::present(&dir);
            registry.spawn(watch::run(registry.clone(), dir, present));
        }
        Ok(registry)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.0.stopping.clone();
        self.0.tasks.spawn(async move { stopping.run_until_cancelled_owned(task).await });
    }

    /// Ends what goes on by itself. The slots stay filled.
    pub async fn stop(&self) {
        self.0.stopping.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// The slots, to be called.
    pub fn plugins(&self) -> Plugins {
        self.0.parts.runtime.plugins()
    }

    /// The slots as they run: the host's own, then those of handlers by name.
    pub fn slots(&self) -> Vec<SlotReport> {
        let filled = |slot| Some((slot, self.0.parts.runtime.filled(slot)?));
        let handlers = self.0.parts.runtime.handlers().into_iter().map(Slot::Handler);
        let slots = Slot::OWN.into_iter().chain(handlers);
        slots
            .filter_map(filled)
            .map(|(slot, filled)| SlotReport {
                slot,
                generation: filled.generation,
                active: filled.active,
                canary: filled.canary,
                pinned_sessions: filled.pinned,
            })
            .collect()
    }

    /// Is there such a slot? A handler's is there once something was sent in for it.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn has_slot(&self, slot: Slot) -> Result<bool, RegistryError> {
        if slot.handler().is_none_or(|name| name.as_str() == WEBHOOK) {
            return Ok(true);
        }
        Ok(!self.0.parts.store.versions(slot).await?.is_empty())
    }

    /// What a slot knows, newest first.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn versions(&self, slot: Slot) -> Result<Vec<PluginVersion>, RegistryError> {
        Ok(self.0.parts.store.versions(slot).await?)
    }

    /// One version with what the gates said; `digest` may be the first digits.
    ///
    /// # Errors
    /// No version, or several, begin so.
    pub async fn version(&self, slot: Slot, digest: &str) -> Result<Pushed, RegistryError> {
        let version = self.find(slot, digest).await?;
        let verdicts = self.0.parts.store.verdicts(slot, &version.digest).await?;
        Ok(Pushed { version, verdicts, is_new: false })
    }

    /// Lines of history with a number below `before`, newest first.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn history(
        &self,
        slot: Slot,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<NumberedChange>, RegistryError> {
        Ok(self.0.parts.store.changes(slot, before, limit).await?)
    }

    /// What could not be worked, newest first.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn parked(&self, slot: Slot, limit: u32) -> Result<Vec<Parked>, RegistryError> {
        Ok(self.0.parts.store.parked(slot, limit).await?)
    }

    pub(crate) async fn find(
        &self,
        slot: Slot,
        digest: &str,
    ) -> Result<PluginVersion, RegistryError> {
        let asked = digest.trim().to_ascii_lowercase();
        let mut versions = self.0.parts.store.versions(slot).await?;
        versions.retain(|version| version.digest.0.starts_with(&asked));
        match (versions.len(), versions.pop()) {
            (1, Some(version)) if asked.len() >= FEWEST_DIGITS => Ok(version),
            (0, _) | (_, None) => {
                Err(RegistryError::UnknownVersion { slot, digest: digest.to_owned() })
            }
            (count, _) => Err(RegistryError::Ambiguous { slot, digest: digest.to_owned(), count }),
        }
    }

    /// Nobody else of this host changes the slot meanwhile.
    pub(crate) async fn changing(&self, slot: Slot) -> OwnedMutexGuard<()> {
        let turns = {
            let mut all = self.0.changing.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(slot).or_default().clone()
        };
        turns.lock_owned().await
    }

    /// Writes a refusal into the history, so that it is not only in somebody's
    /// terminal, and hands it on.
    pub(crate) async fn refused(
        &self,
        change: PluginChange,
        error: RegistryError,
    ) -> RegistryError {
        count(change.slot, change.action, "refused");
        let gate = if let RegistryError::Refused { gate, .. } = &error { gate } else { "none" };
        // What a guest said in a replay may hold a phone number: it is for the history.
        let why = match gate {
            "replay" => "its history says why".into(),
            _ => error.to_string(),
        };
        tracing::warn!(
            plugin = change.slot.as_str(),
            action = change.action.as_str(),
            who = change.who,
            gate,
            "a change of a plugin was not made: {why}"
        );
        let change = PluginChange { refusal: Some(error.to_string()), ..change };
        if let Err(error) = self.0.parts.store.note(&change).await {
            tracing::error!(%error, "the refusal could not be written into the history");
        }
        error
    }

    /// A line of history that says that nothing is known yet.
    pub(crate) fn change(
        &self,
        slot: Slot,
        action: PluginAction,
        who: &str,
        why: &str,
    ) -> PluginChange {
        PluginChange {
            slot,
            at: self.0.parts.clock.now(),
            who: who.to_owned(),
            action,
            from: self.active(slot),
            to: None,
            share: None,
            why: why.to_owned(),
            refusal: None,
            detail: String::new(),
        }
    }

    pub(crate) fn active(&self, slot: Slot) -> Option<PluginDigest> {
        self.0.parts.runtime.filled(slot).map(|filled| filled.active.info.digest)
    }
}

pub(crate) fn count(slot: Slot, action: PluginAction, result: &'static str) {
    metrics::counter!("plugin_changes_total", "plugin" => slot.label(), "action" => action.as_str(), "result" => result)
        .increment(1);
}
