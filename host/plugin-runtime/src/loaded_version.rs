//! A component of any slot, ready to be called.

use std::{collections::BTreeSet, sync::Arc};

use pairing_core::{
    plugin::{PluginInfo, Slot},
    subscription::Grants,
};

use crate::{
    error::Refusal,
    handlers::{self, HandlerWorld},
    health::VersionReport,
    load::{self, Origin, Verified},
    plugin::{GuestHost, Version, World},
    slots::{FanOutWorld, RendererWorld, WorkflowWorld},
};

/// A component of any slot, ready to be called. Cheap to clone; it is freed when
/// neither a slot nor a call holds it any more.
#[derive(Clone)]
pub struct LoadedVersion(pub(crate) AnyVersion);

#[derive(Clone)]
pub(crate) enum AnyVersion {
    Workflow(Arc<Version<WorkflowWorld>>),
    QrRenderer(Arc<Version<RendererWorld>>),
    FanOut(Arc<Version<FanOutWorld>>),
    Handler(Arc<Version<HandlerWorld>>),
}

/// The worlds that a [`LoadedVersion`] can be of.
pub(crate) trait SlotWorld: World {
    fn unwrap(version: LoadedVersion) -> Option<Arc<Version<Self>>>;
    fn wrap(version: Arc<Version<Self>>) -> LoadedVersion;
}

macro_rules! slot_world {
    ($world:ident, $case:ident) => {
        impl SlotWorld for $world {
            fn unwrap(version: LoadedVersion) -> Option<Arc<Version<Self>>> {
                match version.0 {
                    AnyVersion::$case(version) => Some(version),
                    _ => None,
                }
            }

            fn wrap(version: Arc<Version<Self>>) -> LoadedVersion {
                LoadedVersion(AnyVersion::$case(version))
            }
        }
    };
}
slot_world!(WorkflowWorld, Workflow);
slot_world!(RendererWorld, QrRenderer);
slot_world!(FanOutWorld, FanOut);

impl LoadedVersion {
    pub(crate) fn new(
        slot: Slot,
        host: &Arc<GuestHost>,
        code: &Verified,
        origin: Origin,
    ) -> Result<Self, Refusal> {
        fn make<W: SlotWorld>(
            host: &Arc<GuestHost>,
            code: &Verified,
            origin: Origin,
        ) -> Result<LoadedVersion, Refusal> {
            load::version::<W>(host, code, origin).map(|version| W::wrap(Arc::new(version)))
        }
        match slot {
            Slot::Workflow => make::<WorkflowWorld>(host, code, origin),
            Slot::QrRenderer => make::<RendererWorld>(host, code, origin),
            Slot::FanOut => make::<FanOutWorld>(host, code, origin),
            // Runtime::load sees to these.
            Slot::Handler(_) => Err(Refusal::NoHandlers),
        }
    }

    /// What it is.
    pub fn info(&self) -> &PluginInfo {
        match &self.0 {
            AnyVersion::Workflow(version) => &version.info,
            AnyVersion::QrRenderer(version) => &version.info,
            AnyVersion::FanOut(version) => &version.info,
            AnyVersion::Handler(version) => &version.info,
        }
    }

    /// How it does.
    pub fn report(&self) -> VersionReport {
        match &self.0 {
            AnyVersion::Workflow(version) => version.report(),
            AnyVersion::QrRenderer(version) => version.report(),
            AnyVersion::FanOut(version) => version.report(),
            AnyVersion::Handler(version) => version.report(),
        }
    }

    /// Bytes of memory that each instance begins with, in the largest memory.
    pub fn initial_memory(&self) -> u64 {
        match &self.0 {
            AnyVersion::Workflow(version) => version.initial_memory,
            AnyVersion::QrRenderer(version) => version.initial_memory,
            AnyVersion::FanOut(version) => version.initial_memory,
            AnyVersion::Handler(version) => version.initial_memory,
        }
    }

    /// The interface that makes it fit its slot.
    pub fn interface(&self) -> &'static str {
        match &self.0 {
            AnyVersion::Workflow(_) => WorkflowWorld::INTERFACE,
            AnyVersion::QrRenderer(_) => RendererWorld::INTERFACE,
            AnyVersion::FanOut(_) => FanOutWorld::INTERFACE,
            AnyVersion::Handler(_) => handlers::INTERFACE,
        }
    }

    /// The interfaces that it imports; of a handler only.
    pub fn imports(&self) -> &[String] {
        match &self.0 {
            AnyVersion::Handler(version) => &version.world.demands.names,
            _ => &[],
        }
    }

    /// Each import that these grants do not hold, with the way to grant it. A handler
    /// that lacks one can't be linked.
    pub fn missing_grants(&self, grants: &Grants) -> Vec<String> {
        match &self.0 {
            AnyVersion::Handler(version) => version.world.demands.missing(grants),
            _ => Vec::new(),
        }
    }

    /// The schema of the states that it writes, and those that it reads; of a
    /// workflow only.
    pub fn schemas(&self) -> Option<(u32, &BTreeSet<u32>)> {
        match &self.0 {
            AnyVersion::Workflow(version) => {
                Some((version.world.writes_schema, &version.world.reads_schemas))
            }
            _ => None,
        }
    }
}

impl std::fmt::Debug for LoadedVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("LoadedVersion").field(self.info()).finish()
    }
}
