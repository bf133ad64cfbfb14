//! A slot with the component that fills it now.

use std::{sync::Arc, time::Instant};

use arc_swap::ArcSwap;
use metrics::SharedString;
use pairing_core::plugin::{PluginError, PluginInfo, Slot};
use wasmtime::{Engine, component::InstancePre};

use crate::{
    call::{Call, CallState},
    config::Limits,
    error::Refusal,
    guest_threads::GuestThreads,
    load::Interface,
};

/// What all slots share: where guests run, and what they may use.
pub(crate) struct GuestHost {
    pub(crate) engine: Engine,
    pub(crate) threads: GuestThreads,
    pub(crate) limits: Limits,
}

/// A name and a version, as a component gives them.
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// What is different from slot to slot.
pub(crate) trait World: Send + Sync + Sized + 'static {
    const SLOT: Slot;
    /// The interface that the component must export.
    const INTERFACE: &'static str;
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
}

/// A slot. Which version fills it may change at any time; a call stays with the
/// one that it began with.
pub(crate) struct Plugin<W> {
    active: ArcSwap<Version<W>>,
    host: Arc<GuestHost>,
}

impl<W: World> Plugin<W> {
    pub(crate) fn new(version: Version<W>, host: Arc<GuestHost>) -> Self {
        Self { active: ArcSwap::from_pointee(version), host }
    }

    pub(crate) fn info(&self) -> PluginInfo {
        self.active.load().info.clone()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.host.limits
    }

    /// Calls the component that is active now.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Version<W>, &mut Call, &Limits) -> Result<T, PluginError> + Send + 'static,
    ) -> Result<T, PluginError> {
        let version = self.active.load_full();
        let digest = version.info.digest.0.clone();
        let asked = Instant::now();
        let host = self.host.clone();
        let on_its_thread = move || {
            let slot = W::SLOT.as_str();
            metrics::histogram!("plugin_wait_seconds", "plugin" => slot).record(asked.elapsed());
            let begun = Instant::now();
            let mut call = Call::begin(&host.engine, W::SLOT, &host.limits);
            let result = run(&version, &mut call, &host.limits);
            metrics::histogram!("plugin_call_seconds", "plugin" => slot).record(begun.elapsed());
            metrics::histogram!("plugin_call_fuel", "plugin" => slot)
                .record(call.fuel_used() as f64);
            result
        };
        let result = self.host.threads.run(W::SLOT, on_its_thread).await;
        count(W::SLOT, digest, &result);
        result
    }
}

fn count<T>(slot: Slot, digest: Arc<str>, result: &Result<T, PluginError>) {
    let kind = match result {
        Ok(_) => "answered",
        Err(PluginError::Trapped { .. }) => "trapped",
        Err(PluginError::Deadline { .. }) => "deadline",
        Err(PluginError::Memory { .. }) => "memory",
        Err(PluginError::Fuel { .. }) => "fuel",
        Err(PluginError::TooLarge { .. }) => "too-large",
        Err(PluginError::Refused { .. }) => "refused",
        Err(PluginError::Busy { .. }) => "busy",
    };
    // What a guest says may hold a phone number, so the log has only the kind.
    if !matches!(kind, "answered" | "refused") {
        tracing::warn!(plugin = slot.as_str(), %digest, kind, "a plugin gave no answer");
    }
    let digest = SharedString::from_shared(digest);
    metrics::counter!("plugin_calls_total", "plugin" => slot.as_str(), "digest" => digest, "result" => kind)
        .increment(1);
}
