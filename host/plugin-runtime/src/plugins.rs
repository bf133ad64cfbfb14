//! All slots, filled.

use std::{fmt, sync::Arc};

use pairing_core::{fan_out::FanOut, plugin::PluginInfo, renderer::QrRenderer, workflow::Workflow};

use crate::{
    config::PluginsConfig,
    engine,
    error::LoadError,
    guest_threads::GuestThreads,
    load::Loader,
    plugin::{GuestHost, Plugin},
    slots::{FanOutWorld, RendererWorld, WorkflowWorld},
};

/// A component for each slot.
#[derive(Clone)]
pub struct Plugins {
    /// Decides what sessions do.
    pub workflow: Arc<dyn Workflow>,
    /// Draws QR codes.
    pub renderer: Arc<dyn QrRenderer>,
    /// Routes events.
    pub fan_out: Arc<dyn FanOut>,
}

impl Plugins {
    /// Reads, compiles and checks a component for each slot. All are good, or
    /// the first mistake is told.
    pub async fn load(config: PluginsConfig) -> Result<Self, LoadError> {
        let loading = tokio::task::spawn_blocking(move || Self::load_now(&config));
        loading.await.map_err(|error| LoadError::Machine(error.to_string()))?
    }

    fn load_now(config: &PluginsConfig) -> Result<Self, LoadError> {
        let host = Arc::new(GuestHost {
            engine: engine::build(config)?,
            threads: GuestThreads::start(config)?,
            limits: config.limits.clone(),
        });
        let loader = Loader::new(&host, config);
        std::thread::scope(|scope| {
            let renderer = scope.spawn(|| loader.load::<RendererWorld>());
            let fan_out = scope.spawn(|| loader.load::<FanOutWorld>());
            let workflow = loader.load::<WorkflowWorld>()?;
            let lost = |_| LoadError::Machine("a loader panicked".into());
            Ok(Self {
                workflow: Arc::new(Plugin::new(workflow, host.clone())),
                renderer: Arc::new(Plugin::new(renderer.join().map_err(lost)??, host.clone())),
                fan_out: Arc::new(Plugin::new(fan_out.join().map_err(lost)??, host.clone())),
            })
        })
    }
}

impl Plugins {
    /// What fills each slot.
    pub fn infos(&self) -> Vec<PluginInfo> {
        vec![self.workflow.info(), self.renderer.info(), self.fan_out.info()]
    }
}

impl fmt::Debug for Plugins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Plugins").field(&self.infos()).finish()
    }
}
