//! From compiled code to a component that is ready to be called.

mod embedded;
mod native;
mod seal;
pub(crate) mod type_difference;
mod world_check;

use std::sync::Arc;

use pairing_core::plugin::{PluginDigest, PluginInfo};
use sha2::{Digest, Sha256};
use wasmtime::component::Linker;

use crate::{
    call::Call,
    compile,
    error::Refusal,
    plugin::{GuestHost, Loaded, Named, Version, World},
    standing::Standing,
};
pub use embedded::{WEBHOOK, embedded};
pub(crate) use native::{Verified, load as deserialize};
pub(crate) use seal::Sealer;
pub(crate) use world_check::Interface;

/// Longer names and versions are refused: they are shown and counted by.
const MAX_NAME: usize = 64;

/// Where a component comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// SHA-256 of the component.
    pub digest: PluginDigest,
    /// `embedded`, `folder` or `upload`.
    pub source: String,
    /// It was active before, so it is known to answer.
    pub is_proven: bool,
}

/// The digest of a component's bytes.
pub fn digest_of(component: &[u8]) -> PluginDigest {
    PluginDigest(hex(&Sha256::digest(component)).into())
}

/// Checks a component against its slot and asks it what it is.
pub(crate) fn version<W: World>(
    host: &Arc<GuestHost>,
    code: &Verified,
    origin: Origin,
) -> Result<Version<W>, Refusal> {
    let refused = |error: wasmtime::Error| Refusal::Compile(format!("{error:#}"));
    let component = native::load(&host.engine, code).map_err(refused)?;
    world_check::interfaces::<W>(&component)?;
    let pre = Linker::new(&host.engine).instantiate_pre(&component).map_err(refused)?;
    let mut call = Call::begin(&host.engine, W::SLOT, &host.limits);
    call.enter(|store| world_check::functions::<W>(&pre, store)).map_err(Refusal::Start)??;
    let linked = W::link(pre).map_err(refused)?;
    let (world, named) = W::describe(linked, &mut call).map_err(Refusal::Describe)?;
    check_named(&named)?;
    let Named { name, version } = named;
    let Origin { digest, source, is_proven } = origin;
    let standing = Standing::new(W::SLOT, digest.clone(), is_proven);
    let initial_memory = compile::initial_memory(&component);
    let info = PluginInfo { slot: W::SLOT, digest, name, version, source };
    Ok(Version { info, world, standing, initial_memory, _loaded: Loaded::count(&host.loaded) })
}

/// Tells what else a file may be, because wasmtime's own words do not help.
pub(crate) fn check_is_component(bytes: &[u8]) -> Result<(), Refusal> {
    let kind = match bytes {
        [] => "an empty file; send the component that your build made",
        [b'\0', b'a', b's', b'm', _, _, 1, 0, ..] => return Ok(()),
        [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => {
            "a core WebAssembly module and not a component; make it one with `wasm-tools component new`"
        }
        [b'\0', b'a', b's', b'm', ..] => {
            "WebAssembly of a version that this host does not know; build it with current tools"
        }
        _ => "not WebAssembly; send the component (`.wasm`) that your build made",
    };
    Err(Refusal::NotAComponent(kind))
}

/// Can it be shown and counted by?
pub(crate) fn check_named(named: &Named) -> Result<(), Refusal> {
    check_text("name", &named.name)?;
    check_text("version", &named.version)
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
