//! Compiles, loads and runs components, and says which one fills which slot.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use pairing_core::{
    handler::{Attempt, EventHandlers, HandleError, HandlerEvent, HandlerName, SessionActions},
    id::SessionName,
    plugin::{PluginDigest, PluginError, Slot},
    subscription::SubscriptionId,
};
use rand::RngCore;
use tokio::sync::{Semaphore, mpsc};

use crate::{
    compile::{self, Kind},
    config::PluginsConfig,
    engine,
    error::{LoadError, Refusal},
    guest_threads::GuestThreads,
    handlers::{self, Authority, HandlerHost, HandlerParts, HandlerSlot},
    health::VersionReport,
    load::{self, Origin, Sealer},
    loaded_version::{AnyVersion, LoadedVersion, SlotWorld},
    plugin::{GuestHost, Plugin, Served, Version, VersionAlarm, replace},
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
    handler_sealer: Option<Sealer>,
    handlers: Option<Arc<HandlerHost>>,
    handler_slots: RwLock<HashMap<HandlerName, Arc<HandlerSlot>>>,
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
    /// Starts the threads that guests run on; nothing fills the slots yet. There can
    /// be no handlers.
    ///
    /// # Errors
    /// The machine does not give what guests need.
    pub fn start(config: PluginsConfig) -> Result<Self, LoadError> {
        Self::start_with(config, None)
    }

    /// The same with handlers.
    ///
    /// # Errors
    /// The machine does not give what guests need.
    pub fn start_with_handlers(
        config: PluginsConfig,
        parts: HandlerParts,
    ) -> Result<Self, LoadError> {
        Self::start_with(config, Some(parts))
    }

    fn start_with(config: PluginsConfig, parts: Option<HandlerParts>) -> Result<Self, LoadError> {
        let (alarms, heard) = mpsc::unbounded_channel();
        let loaded = Arc::new(AtomicUsize::new(0));
        let handlers = parts.map(|parts| {
            HandlerHost::start(&config, parts, loaded.clone(), alarms.clone()).map(Arc::new)
        });
        let host = Arc::new(GuestHost {
            engine: engine::build(&config)?,
            threads: GuestThreads::start(&config),
            limits: config.limits.clone(),
            loaded,
            loading: Arc::new(Semaphore::new(engine::LOADING)),
            alarms,
        });
        let key = config.seal_key.clone().unwrap_or_else(|| {
            let mut key = vec![0; 32];
            rand::rng().fill_bytes(&mut key);
            key.into()
        });
        let handlers = handlers.transpose()?;
        let of_handlers = |host: &Arc<HandlerHost>| Sealer::new(&host.engine, &key);
        Ok(Self(Arc::new(Inner {
            sealer: Sealer::new(&host.engine, &key)?,
            handler_sealer: handlers.as_ref().map(of_handlers).transpose()?,
            handlers,
            handler_slots: RwLock::default(),
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
    /// compiled code is good for slots of hosts of the same name.
    pub fn compatibility(&self, slot: Slot) -> &str {
        self.sealer(slot).map_or("none", Sealer::compatibility)
    }

    /// Compiles a component and seals the code.
    ///
    /// # Errors
    /// Why it can't be compiled, and what to do.
    pub async fn compile(&self, slot: Slot, component: &[u8]) -> Result<Vec<u8>, Refusal> {
        let sealer = self.sealer(slot).ok_or(Refusal::NoHandlers)?;
        load::check_is_component(component)?;
        let _turn = self.0.compiling.acquire().await;
        let code = compile::compile(&self.0.config, Kind::of(slot), component).await?;
        Ok(sealer.seal(&load::digest_of(component), &code))
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
        if slot.handler().is_some() {
            return self.load_handler(slot, &sealed, origin).await;
        }
        let inner = self.0.clone();
        let loading = move || {
            let Some(code) = inner.sealer.verify(&origin.digest, &sealed) else { return Ok(None) };
            LoadedVersion::new(slot, &inner.host, &code, origin).map(Some)
        };
        let loaded = self.0.host.aside(loading).await;
        loaded.map_err(|error| Refusal::Compiler(error.to_string()))?
    }

    async fn load_handler(
        &self,
        slot: Slot,
        sealed: &[u8],
        origin: Origin,
    ) -> Result<Option<LoadedVersion>, Refusal> {
        let (Some(host), Some(sealer)) = (&self.0.handlers, self.sealer(slot)) else {
            return Err(Refusal::NoHandlers);
        };
        let Some(code) = sealer.verify(&origin.digest, sealed) else { return Ok(None) };
        let version = handlers::load(host, slot, &code, origin).await?;
        Ok(Some(LoadedVersion(AnyVersion::Handler(Arc::new(version)))))
    }

    fn sealer(&self, slot: Slot) -> Option<&Sealer> {
        match slot {
            Slot::Handler(_) => self.0.handler_sealer.as_ref(),
            _ => Some(&self.0.sealer),
        }
    }

    fn handler_slot(&self, name: HandlerName) -> Option<Arc<HandlerSlot>> {
        let slots = self.0.handler_slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.get(&name).cloned()
    }

    /// The handler's slot; made if there is none.
    fn handler_slot_or_new(&self, name: HandlerName) -> Option<Arc<HandlerSlot>> {
        let host = self.0.handlers.clone()?;
        let mut slots = self.0.handler_slots.write().unwrap_or_else(PoisonError::into_inner);
        let slot = || Arc::new(HandlerSlot::empty(Slot::Handler(name), host));
        Some(slots.entry(name).or_insert_with(slot).clone())
    }

    /// What a handler's subscriptions may do from now on: replaces all of them.
    pub fn set_subscriptions(&self, handler: HandlerName, authorities: Vec<Authority>) {
        if let Some(slot) = self.handler_slot_or_new(handler) {
            slot.set_subscriptions(authorities);
        }
    }

    /// What handlers may ask of sessions. To be said once, when there are sessions.
    pub fn set_session_actions(&self, actions: Arc<dyn SessionActions>) {
        if let Some(host) = &self.0.handlers {
            // Whoever is first stays.
            let _ = host.sessions.set(actions);
        }
    }

    /// Was it started with what handlers need?
    pub fn runs_handlers(&self) -> bool {
        self.0.handlers.is_some()
    }

    /// Handlers whose slots are filled, by name.
    pub fn handlers(&self) -> Vec<HandlerName> {
        let slots = self.0.handler_slots.read().unwrap_or_else(PoisonError::into_inner);
        let filled = slots.iter().filter(|(_, slot)| slot.routes.load().is_some());
        let mut names: Vec<_> = filled.map(|(name, _)| *name).collect();
        names.sort();
        names
    }

    /// The same version as it runs now, if it does, with what is known of how it does.
    pub fn running(&self, slot: Slot, digest: &PluginDigest) -> Option<LoadedVersion> {
        fn find<W: Served>(
            routes: Option<Arc<Routes<W>>>,
            digest: &PluginDigest,
            wrap: impl Fn(Arc<Version<W>>) -> LoadedVersion,
        ) -> Option<LoadedVersion> {
            let routes = routes?;
            let found = routes.serving().find(|version| version.info.digest == *digest);
            found.cloned().map(wrap)
        }
        match slot {
            Slot::Workflow => find(self.0.workflow.routes(), digest, WorkflowWorld::wrap),
            Slot::QrRenderer => find(self.0.renderer.routes(), digest, RendererWorld::wrap),
            Slot::FanOut => find(self.0.fan_out.routes(), digest, FanOutWorld::wrap),
            Slot::Handler(name) => {
                let wrap = |version| LoadedVersion(AnyVersion::Handler(version));
                find(self.handler_slot(name)?.routes.load_full(), digest, wrap)
            }
        }
    }

    /// Fills a slot. Every call that begins after this is served so; those that are
    /// under way end as they began.
    pub fn fill(&self, slot: Slot, filling: Filling) {
        match slot {
            Slot::Workflow => fill(&self.0.workflow, filling),
            Slot::QrRenderer => fill(&self.0.renderer, filling),
            Slot::FanOut => fill(&self.0.fan_out, filling),
            Slot::Handler(name) => {
                if let Some(slot) = self.handler_slot_or_new(name) {
                    let unwrap = |version: LoadedVersion| match version.0 {
                        AnyVersion::Handler(version) => Some(version),
                        _ => None,
                    };
                    fill_routes(&slot.routes, unwrap, filling);
                }
            }
        }
    }

    /// What fills a slot now.
    pub fn filled(&self, slot: Slot) -> Option<Filled> {
        fn report<W: Served>(routes: Option<Arc<Routes<W>>>) -> Option<Filled> {
            let routes = routes?;
            Some(Filled {
                generation: routes.generation,
                active: routes.active.report(),
                canary: routes.canary.as_ref().map(|(version, share)| (version.report(), *share)),
                pinned: routes.pinned(),
            })
        }
        match slot {
            Slot::Workflow => report(self.0.workflow.routes()),
            Slot::QrRenderer => report(self.0.renderer.routes()),
            Slot::FanOut => report(self.0.fan_out.routes()),
            Slot::Handler(name) => report(self.handler_slot(name)?.routes.load_full()),
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
    fill_routes(plugin.place(), W::unwrap, filling);
}

fn fill_routes<W: Served>(
    place: &ArcSwapOption<Routes<W>>,
    unwrap: impl Fn(LoadedVersion) -> Option<Arc<Version<W>>>,
    filling: Filling,
) {
    let Filling { generation, active, canary, pins, is_new } = filling;
    // A version of another slot can't come here: its slot loaded it.
    let Some(active) = unwrap(active) else { return };
    let canary = canary.and_then(|(version, share)| Some((unwrap(version)?, share)));
    let pins: HashMap<_, _> =
        pins.into_iter().filter_map(|(name, version)| Some((name, unwrap(version)?))).collect();
    let old = place.load_full();
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
    let (before, ended) = (ArcSwapOption::new(before), Mutex::default());
    replace(place, Routes { generation, active, canary, pins, before, left, ended });
}

#[async_trait]
impl EventHandlers for Runtime {
    async fn handle(
        &self,
        subscription: &SubscriptionId,
        event: Arc<HandlerEvent>,
        attempt: Attempt,
    ) -> Result<(), HandleError> {
        let slot = Slot::Handler(subscription.handler);
        let nobody = PluginError::Paused { slot, retry_after: None };
        match self.handler_slot(subscription.handler) {
            Some(handler) => handler.handle(&subscription.name, event, attempt).await,
            None => Err(HandleError::NotCalled(nobody)),
        }
    }
}
