//! Compiles, loads and runs components, and says which one fills which slot.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use pairing_core::{
    id::SessionName,
    plugin::{PluginDigest, Slot},
};
use rand::RngCore;
use tokio::sync::{Semaphore, mpsc};

use crate::{
    compile,
    config::PluginsConfig,
    engine,
    error::{LoadError, Refusal},
    guest_threads::GuestThreads,
    health::VersionReport,
    load::{self, Origin, Sealer},
    loaded_version::{LoadedVersion, SlotWorld},
    plugin::{GuestHost, Plugin, VersionAlarm, World},
    plugins::Plugins,
    routes::Routes,
    slots::{FanOutWorld, RendererWorld, WorkflowWorld},
    standing::Trial,
};

/// Compiles, loads and runs components. Cheap to clone.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

/// So many components are compiled at once: each may take a gigabyte meanwhile.
const COMPILING: usize = 2;

struct Inner {
    host: Arc<GuestHost>,
    compiling: Semaphore,
    config: PluginsConfig,
    sealer: Sealer,
    workflow: Arc<Plugin<WorkflowWorld>>,
    renderer: Arc<Plugin<RendererWorld>>,
    fan_out: Arc<Plugin<FanOutWorld>>,
    alarms: Mutex<Option<mpsc::UnboundedReceiver<VersionAlarm>>>,
}

/// What is to fill a slot from now on.
#[derive(Debug)]
pub struct Filling {
    /// The activation that says so.
    pub generation: u64,
    /// For all sessions that are neither pinned nor canaries.
    pub active: LoadedVersion,
    /// On trial, for this percentage of the sessions.
    pub canary: Option<(LoadedVersion, u8)>,
    /// Sessions that stay with a version until they end.
    pub pins: Vec<(SessionName, LoadedVersion)>,
    /// The active version is new: it is compared with the one before, which takes
    /// the calls that it fails in.
    pub is_new: bool,
}

/// What fills a slot now.
#[derive(Debug, Clone)]
pub struct Filled {
    /// The activation that made it so.
    pub generation: u64,
    /// For all sessions that are neither pinned nor canaries.
    pub active: VersionReport,
    /// On trial, for this percentage of the sessions.
    pub canary: Option<(VersionReport, u8)>,
    /// Sessions that stay with a version.
    pub pinned: usize,
}

impl Runtime {
    /// Starts the threads that guests run on; nothing fills the slots yet.
    ///
    /// # Errors
    /// The machine does not give what guests need.
    pub fn start(config: PluginsConfig) -> Result<Self, LoadError> {
        let (alarms, heard) = mpsc::unbounded_channel();
        let host = Arc::new(GuestHost {
            engine: engine::build(&config)?,
            threads: GuestThreads::start(&config),
            limits: config.limits.clone(),
            loaded: Arc::new(AtomicUsize::new(0)),
            loading: Arc::new(Semaphore::new(engine::LOADING)),
            alarms,
        });
        let key = config.seal_key.clone().unwrap_or_else(|| {
            let mut key = vec![0; 32];
            rand::rng().fill_bytes(&mut key);
            key.into()
        });
        Ok(Self(Arc::new(Inner {
            sealer: Sealer::new(&host.engine, &key)?,
            workflow: Arc::new(Plugin::empty(host.clone())),
            renderer: Arc::new(Plugin::empty(host.clone())),
            fan_out: Arc::new(Plugin::empty(host.clone())),
            alarms: Mutex::new(Some(heard)),
            compiling: Semaphore::new(COMPILING),
            host,
            config,
        })))
    }

    /// The slots, to be called.
    pub fn plugins(&self) -> Plugins {
        Plugins {
            workflow: self.0.workflow.clone(),
            renderer: self.0.renderer.clone(),
            fan_out: self.0.fan_out.clone(),
        }
    }

    /// Names wasmtime's version, its settings, the processor and the seal's key:
    /// compiled code is good for hosts of the same name.
    pub fn compatibility(&self) -> &str {
        self.0.sealer.compatibility()
    }

    /// Compiles a component and seals the code.
    ///
    /// # Errors
    /// Why it can't be compiled, and what to do.
    pub async fn compile(&self, component: &[u8]) -> Result<Vec<u8>, Refusal> {
        load::check_is_component(component)?;
        let _turn = self.0.compiling.acquire().await;
        let code = compile::compile(&self.0.config, component).await?;
        Ok(self.0.sealer.seal(&load::digest_of(component), &code))
    }

    /// Takes up sealed code, checks it against the slot's world and asks it what it
    /// is. None: the code was not sealed by this host for this component.
    ///
    /// # Errors
    /// Why it does not fit, and what to do.
    pub async fn load(
        &self,
        slot: Slot,
        sealed: Vec<u8>,
        origin: Origin,
    ) -> Result<Option<LoadedVersion>, Refusal> {
        let inner = self.0.clone();
        let loading = move || {
            let Some(code) = inner.sealer.verify(&origin.digest, &sealed) else { return Ok(None) };
            LoadedVersion::new(slot, &inner.host, &code, origin).map(Some)
        };
        let loaded = self.0.host.aside(loading).await;
        loaded.map_err(|error| Refusal::Compiler(error.to_string()))?
    }

    /// The same version as it runs now, if it does, with what is known of how it does.
    pub fn running(&self, slot: Slot, digest: &PluginDigest) -> Option<LoadedVersion> {
        fn find<W: SlotWorld>(plugin: &Plugin<W>, digest: &PluginDigest) -> Option<LoadedVersion> {
            let routes = plugin.routes()?;
            let found = routes.serving().find(|version| version.info.digest == *digest);
            found.cloned().map(W::wrap)
        }
        match slot {
            Slot::Workflow => find(&self.0.workflow, digest),
            Slot::QrRenderer => find(&self.0.renderer, digest),
            Slot::FanOut => find(&self.0.fan_out, digest),
        }
    }

    /// Fills a slot. Every call that begins after this is served so; those that are
    /// under way end as they began.
    pub fn fill(&self, slot: Slot, filling: Filling) {
        match slot {
            Slot::Workflow => fill(&self.0.workflow, filling),
            Slot::QrRenderer => fill(&self.0.renderer, filling),
            Slot::FanOut => fill(&self.0.fan_out, filling),
        }
    }

    /// What fills a slot now.
    pub fn filled(&self, slot: Slot) -> Option<Filled> {
        fn report<W: World>(plugin: &Plugin<W>) -> Option<Filled> {
            let routes = plugin.routes()?;
            Some(Filled {
                generation: routes.generation,
                active: routes.active.report(),
                canary: routes.canary.as_ref().map(|(version, share)| (version.report(), *share)),
                pinned: routes.pinned(),
            })
        }
        match slot {
            Slot::Workflow => report(&self.0.workflow),
            Slot::QrRenderer => report(&self.0.renderer),
            Slot::FanOut => report(&self.0.fan_out),
        }
    }

    /// What versions do that calls for a decision. To be taken once.
    pub fn alarms(&self) -> Option<mpsc::UnboundedReceiver<VersionAlarm>> {
        self.0.alarms.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// How many versions are in memory: those that fill slots, and those that a
    /// call still holds.
    pub fn loaded_versions(&self) -> usize {
        self.0.host.loaded.load(Ordering::Relaxed)
    }

    pub(crate) fn host(&self) -> &Arc<GuestHost> {
        &self.0.host
    }
}

fn fill<W: SlotWorld>(plugin: &Plugin<W>, filling: Filling) {
    let Filling { generation, active, canary, pins, is_new } = filling;
    // A version of another slot can't come here: its slot loaded it.
    let Some(active) = W::unwrap(active) else { return };
    let canary = canary.and_then(|(version, share)| Some((W::unwrap(version)?, share)));
    let pins: HashMap<_, _> =
        pins.into_iter().filter_map(|(name, version)| Some((name, W::unwrap(version)?))).collect();
    let old = plugin.routes();
    let changes = old.as_ref().filter(|old| old.active.info.digest != active.info.digest);
    let before = match (&old, changes) {
        (_, Some(old)) if is_new => {
            active.standing.put_on_trial(Trial::Newcomer(old.active.standing.record()));
            Some(old.active.clone())
        }
        (Some(old), None) => old.before.load_full(),
        _ => {
            active.standing.put_on_trial(Trial::None);
            None
        }
    };
    let was_canary = |version: &PluginDigest| {
        let canary = old.as_ref().and_then(|old| old.canary.as_ref());
        canary.is_some_and(|(canary, _)| canary.info.digest == *version)
    };
    if let Some((canary, _)) = &canary
        && !was_canary(&canary.info.digest)
    {
        canary.standing.put_on_trial(Trial::Canary(active.standing.record()));
    }
    for version in pins.values() {
        let is_other = version.info.digest != active.info.digest
            && canary.as_ref().is_none_or(|(canary, _)| canary.info.digest != version.info.digest);
        // Whatever it was compared with is over.
        if is_other && version.standing.is_on_trial() {
            version.standing.put_on_trial(Trial::None);
        }
    }
    let left = old.as_ref().map(|old| old.left_by(&active)).unwrap_or_default();
    plugin.set(Routes {
        generation,
        active,
        canary,
        pins,
        before: ArcSwapOption::new(before),
        left,
        ended: Mutex::default(),
    });
}
