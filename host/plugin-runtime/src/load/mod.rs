//! From a file to a component that is ready to be called.

mod native;
mod native_cache;
mod source;
mod type_difference;
mod world_check;

use std::sync::Arc;

use pairing_core::plugin::{PluginDigest, PluginInfo};
use sha2::{Digest, Sha256};
use wasmtime::component::{Component, Linker};

use crate::{
    call::Call,
    config::PluginsConfig,
    error::{LoadError, Refusal},
    plugin::{GuestHost, Named, Version, World},
};
use native_cache::NativeCache;
use source::Source;
pub(crate) use world_check::Interface;

/// Longer names and versions are refused: they are shown and counted by.
const MAX_NAME: usize = 64;

/// Loads components for one host.
pub(crate) struct Loader<'a> {
    host: &'a Arc<GuestHost>,
    config: &'a PluginsConfig,
    cache: Option<NativeCache<'a>>,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(host: &'a Arc<GuestHost>, config: &'a PluginsConfig) -> Self {
        let cache = config.cache.as_ref().map(|cache| NativeCache::new(&host.engine, cache));
        Self { host, config, cache }
    }

    /// Reads, compiles (or takes from the cache), checks and tries the component
    /// of a slot.
    pub(crate) fn load<W: World>(&self) -> Result<Version<W>, LoadError> {
        let source = source::find(W::SLOT, self.config.dir.as_deref())?;
        let loaded = self.version(&source);
        loaded.map_err(|refusal| LoadError::Refused {
            slot: W::SLOT,
            origin: source.origin,
            refusal,
        })
    }

    fn version<W: World>(&self, source: &Source) -> Result<Version<W>, Refusal> {
        let digest = hex(&Sha256::digest(&source.bytes));
        let component = self.component(&source.bytes, &digest)?;
        world_check::interfaces::<W>(&component)?;
        let pre = Linker::new(&self.host.engine).instantiate_pre(&component).map_err(compile)?;
        let mut call = Call::begin(&self.host.engine, W::SLOT, &self.host.limits);
        call.enter(|store| world_check::functions::<W>(&pre, store)).map_err(Refusal::Start)??;
        let linked = W::link(pre).map_err(compile)?;
        let (world, named) = W::describe(linked, &mut call).map_err(Refusal::Describe)?;
        let Named { name, version } = named;
        check_text("name", &name)?;
        check_text("version", &version)?;
        let digest = PluginDigest(digest.into());
        let info =
            PluginInfo { slot: W::SLOT, digest, name, version, source: source.origin.clone() };
        Ok(Version { info, world })
    }

    fn component(&self, bytes: &[u8], digest: &str) -> Result<Component, Refusal> {
        if let Some(component) = self.cache.as_ref().and_then(|cache| cache.get(digest)) {
            return Ok(component);
        }
        source::check_is_component(bytes)?;
        let component = Component::from_binary(&self.host.engine, bytes).map_err(compile)?;
        if let Some(cache) = &self.cache {
            cache.put(digest, &component);
        }
        Ok(component)
    }
}

fn compile(error: wasmtime::Error) -> Refusal {
    Refusal::Compile(format!("{error:#}"))
}

fn check_text(what: &str, text: &str) -> Result<(), Refusal> {
    if text.is_empty() || text.len() > MAX_NAME || text.chars().any(char::is_control) {
        return Err(Refusal::Description(format!(
            "a {what} that is empty, longer than {MAX_NAME} bytes, or has control characters"
        )));
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;

    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
