//! All slots, to be called.

use std::{fmt, sync::Arc};

use pairing_core::{
    fan_out::FanOut,
    plugin::{PluginInfo, Slot},
    renderer::QrRenderer,
    workflow::Workflow,
};

use crate::{
    config::PluginsConfig,
    error::LoadError,
    load::{self, Origin},
    runtime::{Filling, Runtime},
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
    /// The components that the binary brings along, for good. For tools and tests:
    /// a host has a registry, which loads what its database says.
    ///
    /// # Errors
    /// One can't be loaded.
    pub async fn load(config: PluginsConfig) -> Result<Self, LoadError> {
        Self::load_with(config, &[]).await
    }

    /// The same with other components in some of the slots.
    ///
    /// # Errors
    /// One can't be loaded.
    pub async fn load_with(
        config: PluginsConfig,
        others: &[(Slot, &[u8])],
    ) -> Result<Self, LoadError> {
        let runtime = Runtime::start(config)?;
        for slot in Slot::OWN {
            let other = others.iter().find(|(other, _)| *other == slot);
            let (component, source) = match other {
                Some((_, component)) => (*component, "folder"),
                None => (load::embedded(slot).unwrap_or_default(), "embedded"),
            };
            let refused = |refusal| LoadError::Refused { slot, refusal };
            let sealed = runtime.compile(slot, component).await.map_err(refused)?;
            let origin = Origin {
                digest: load::digest_of(component),
                source: source.into(),
                is_proven: true,
            };
            let loaded = runtime.load(slot, sealed, origin).await.map_err(refused)?;
            let Some(active) = loaded else {
                return Err(LoadError::Machine("a seal does not fit its own code".into()));
            };
            let pins = Vec::new();
            runtime
                .fill(slot, Filling { generation: 0, active, canary: None, pins, is_new: false });
        }
        Ok(runtime.plugins())
    }

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
