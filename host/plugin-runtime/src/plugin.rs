//! A slot with the versions that fill it now, and one call of it.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicUsize, atomic::Ordering},
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use metrics::SharedString;
use pairing_core::plugin::{PluginDigest, PluginError, PluginInfo, Slot};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinError,
};
use wasmtime::{Engine, component::InstancePre};

use crate::{
    call::{Call, CallState},
    config::Limits,
    error::Refusal,
    guest_threads::GuestThreads,
    health::VersionReport,
    load::Interface,
    routes::{Caller, Routes},
    standing::{Alarm, Standing},
};

/// What all slots share: where guests run, and what they may use.
pub(crate) struct GuestHost {
    pub(crate) engine: Engine,
    pub(crate) threads: GuestThreads,
    pub(crate) limits: Limits,
    /// Versions that are in memory.
    pub(crate) loaded: Arc<AtomicUsize>,
    /// Turns of guests that run beside the threads of those that serve sessions: the
    /// pool of memories has room for so many.
    pub(crate) loading: Arc<Semaphore>,
    pub(crate) alarms: mpsc::UnboundedSender<VersionAlarm>,
}

impl GuestHost {
    /// Runs guests for nobody's session: while they are loaded or tested.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        // It is never closed. A caller that leaves does not end the work, so the
        // turn goes with it.
        let turn = self.loading.clone().acquire_owned().await;
        let working = move || {
            let _turn = turn;
            work()
        };
        tokio::task::spawn_blocking(working).await
    }
}

/// A version about which something must be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionAlarm {
    /// Where.
    pub slot: Slot,
    /// Which.
    pub digest: PluginDigest,
    /// What happened.
    pub alarm: Alarm,
}

/// A name and a version, as a component gives them.
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// What must be known of a component to choose who serves a call.
pub(crate) trait Served: Send + Sync + Sized + 'static {
    /// Calls hand over a state, but for a session's first.
    const HAS_STATE: bool = false;

    /// The schema of the states that it writes; none if it keeps none.
    fn writes(&self) -> Option<u32> {
        None
    }

    /// Can it go on with a state of this schema?
    fn reads(&self, _schema: u32) -> bool {
        true
    }
}

/// What is different from slot to slot of those that are called for a session.
pub(crate) trait World: Served {
    const SLOT: Slot;
    /// The slot's name.
    const NAME: &'static str;
    /// The interface that the component must export.
    const INTERFACE: &'static str;
    /// Its own errors tell that it fails. (A renderer may rightly refuse.)
    const REFUSAL_IS_FAILURE: bool = true;
    /// A component that is checked and ready to be instantiated.
    type Linked;

    /// Compares each function of the interface with the host's.
    fn compare(guest: &mut Interface) -> Result<(), Refusal>;

    /// Looks up the functions once, for all calls.
    fn link(pre: InstancePre<CallState>) -> wasmtime::Result<Self::Linked>;

    /// Asks the component what it is.
    fn describe(linked: Self::Linked, call: &mut Call) -> Result<(Self, Named), PluginError>;
}

/// A component that can fill its slot.
pub(crate) struct Version<W> {
    pub(crate) info: PluginInfo,
    pub(crate) world: W,
    pub(crate) standing: Standing,
    /// Bytes that each instance begins with.
    pub(crate) initial_memory: u64,
    pub(crate) _loaded: Loaded,
}

/// Counts the versions that are in memory.
pub(crate) struct Loaded(Arc<AtomicUsize>);

impl Loaded {
    pub(crate) fn count(loaded: &Arc<AtomicUsize>) -> Self {
        loaded.fetch_add(1, Ordering::Relaxed);
        Self(loaded.clone())
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<W> Version<W> {
    pub(crate) fn report(&self) -> VersionReport {
        VersionReport { info: self.info.clone(), health: self.standing.health() }
    }
}

/// A slot. Which version fills it may change at any time; a call stays with the
/// one that it began with.
pub(crate) struct Plugin<W> {
    routes: ArcSwapOption<Routes<W>>,
    pub(crate) host: Arc<GuestHost>,
}

/// How one attempt ended, and the processor time that it took.
type Attempt<T> = (Result<T, PluginError>, Duration);

impl<W: World> Plugin<W> {
    /// A slot that nothing fills yet.
    pub(crate) fn empty(host: Arc<GuestHost>) -> Self {
        Self { routes: ArcSwapOption::empty(), host }
    }

    pub(crate) fn routes(&self) -> Option<Arc<Routes<W>>> {
        self.routes.load_full()
    }

    pub(crate) fn place(&self) -> &ArcSwapOption<Routes<W>> {
        &self.routes
    }

    pub(crate) fn info(&self) -> PluginInfo {
        self.routes().map_or_else(
            || PluginInfo {
                slot: W::SLOT,
                digest: PluginDigest("".into()),
                name: "none".into(),
                version: "-".into(),
                source: "-".into(),
            },
            |routes| routes.active.info.clone(),
        )
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.host.limits
    }

    /// Calls the version that serves this caller. A call that is cut off is made
    /// once more on a fresh instance: of the version before, if this one is new.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        caller: Caller<'_>,
        run: impl Fn(&Version<W>, &mut Call, &Limits) -> Result<T, PluginError> + Send + Sync + 'static,
    ) -> Result<T, PluginError> {
        let Some(routes) = self.routes() else {
            return Err(PluginError::Paused { slot: W::SLOT, retry_after: None });
        };
        let choice = routes.choose(caller);
        let run = Arc::new(run);
        let answer = self.attempt(&choice.version, caller, run.clone()).await;
        let Err(error) = answer else {
            // Once the new version has proven itself nothing goes back any more.
            if choice.second.is_some() && !choice.version.standing.is_on_trial() {
                routes.before.store(None);
            }
            return answer;
        };
        let helps = match (&error, &choice.second) {
            (PluginError::Busy { .. }, _) => false,
            (PluginError::Paused { .. } | PluginError::Refused { .. }, second) => second.is_some(),
            _ => true,
        };
        if !helps {
            return Err(error);
        }
        let second = choice.second.unwrap_or(choice.version);
        self.attempt(&second, caller, run).await
    }

    async fn attempt<T: Send + 'static>(
        &self,
        version: &Arc<Version<W>>,
        caller: Caller<'_>,
        run: Arc<
            impl Fn(&Version<W>, &mut Call, &Limits) -> Result<T, PluginError> + Send + Sync + 'static,
        >,
    ) -> Result<T, PluginError> {
        version.standing.admit()?;
        let asked = Instant::now();
        let (host, its_version) = (self.host.clone(), version.clone());
        let on_its_thread = move || {
            let slot = W::NAME;
            metrics::histogram!("plugin_wait_seconds", "plugin" => slot).record(asked.elapsed());
            let begun = Instant::now();
            let mut call = Call::begin(&host.engine, W::SLOT, &host.limits);
            let result = run(&its_version, &mut call, &host.limits);
            metrics::histogram!("plugin_call_seconds", "plugin" => slot).record(begun.elapsed());
            metrics::histogram!("plugin_call_fuel", "plugin" => slot)
                .record(call.fuel_used() as f64);
            let attempt: Attempt<T> = (result, call.time_used());
            Ok(attempt)
        };
        let (result, time) = match self.host.threads.run(W::SLOT, on_its_thread).await {
            Ok(attempt) => attempt,
            Err(error) => (Err(error), Duration::ZERO),
        };
        self.take_note(version, caller, &result, time);
        result
    }

    fn take_note<T>(
        &self,
        version: &Version<W>,
        caller: Caller,
        result: &Result<T, PluginError>,
        time: Duration,
    ) {
        let kind = result.as_ref().err().map_or("answered", PluginError::kind);
        let (slot, digest) = (W::NAME, &version.info.digest);
        let label = SharedString::from_shared(digest.0.clone());
        metrics::counter!("plugin_calls_total", "plugin" => slot, "digest" => label, "result" => kind)
            .increment(1);
        match result {
            Err(PluginError::Busy { .. } | PluginError::Paused { .. }) => return,
            Err(error) if W::REFUSAL_IS_FAILURE || kind != "refused" => {
                // What a guest says may hold a phone number: the log has the kind.
                tracing::warn!(plugin = slot, %digest, session.name = %caller.session, kind, "a plugin gave no answer");
                version.standing.failed(caller.session, kind, error, time);
            }
            Ok(_) | Err(_) => version.standing.answered(time),
        }
        if let Some(alarm) = version.standing.alarm() {
            let alarm = VersionAlarm { slot: W::SLOT, digest: digest.clone(), alarm };
            // Nobody listens where there is no registry: then it stays as it is.
            let _ = self.host.alarms.send(alarm);
        }
    }
}

/// Puts routes in the place of others, and shows which versions serve.
pub(crate) fn replace<W: Served>(place: &ArcSwapOption<Routes<W>>, routes: Routes<W>) {
    let slot = routes.active.info.slot.label();
    metrics::gauge!("plugin_generation", "plugin" => slot).set(routes.generation as f64);
    show_active(&routes.active.info, 1.0);
    let new = routes.active.info.digest.clone();
    let serving: BTreeMap<_, _> =
        routes.serving().map(|version| (version.info.digest.clone(), version.clone())).collect();
    let old = place.swap(Some(Arc::new(routes)));
    for version in serving.values() {
        version.standing.show();
    }
    let Some(old) = old else { return };
    if old.active.info.digest != new {
        show_active(&old.active.info, 0.0);
    }
    for version in old.serving() {
        if !serving.contains_key(&version.info.digest) {
            version.standing.show_left();
        }
    }
}

fn show_active(info: &PluginInfo, value: f64) {
    let digest = SharedString::from_shared(info.digest.0.clone());
    let version = format!("{} {}", info.name, info.version);
    metrics::gauge!("plugin_active", "plugin" => info.slot.label(), "digest" => digest, "version" => version)
        .set(value);
}
