//! Components for tests: a core module in text form, made a component for a
//! world of `wit/` or for one that is given as text.

use std::path::Path;

use pairing_plugin_runtime::{LoadError, Plugins, PluginsConfig};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

/// A world of `wit/`, by the folder of its package.
pub(crate) fn component(package: &str, world: &str, module: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    resolve.push_path(wit.join("types")).unwrap();
    let (package, _) = resolve.push_path(wit.join(package)).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    encode(&resolve, world, module)
}

/// A world of its own. Other packages may be nested in the text.
pub(crate) fn component_of(wit: &str, world: &str, module: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("test.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    encode(&resolve, world, module)
}

fn encode(resolve: &Resolve, world: wit_parser::WorldId, module: &str) -> Vec<u8> {
    let mut module = wat::parse_str(module).unwrap();
    wit_component::embed_component_metadata(
        &mut module,
        resolve,
        world,
        StringEncoding::UTF8,
        false,
    )
    .unwrap();
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(&module).unwrap().encode().unwrap()
}

/// Loads with this file in its slot; the other slots are the host's own.
pub(crate) async fn load(slot: &str, file: &[u8]) -> Result<Plugins, LoadError> {
    load_with(slot, file, PluginsConfig::default()).await
}

pub(crate) async fn load_with(
    slot: &str,
    file: &[u8],
    config: PluginsConfig,
) -> Result<Plugins, LoadError> {
    let slot = slot.parse().unwrap();
    Plugins::load_with(config, &[(slot, file)]).await
}

/// A renderer that does what `size` tells it.
pub(crate) mod moody {
    pub(crate) const DRAWS: u32 = 64;
    pub(crate) const SPINS: u32 = 65;
    pub(crate) const RECURSES: u32 = 66;
    pub(crate) const PANICS: u32 = 67;
    /// Grows eight memories by 2 MiB each: all it may have, less what it began with.
    pub(crate) const TAKES_16_MIB: u32 = 68;
    /// Grows seven memories by 2 MiB each.
    pub(crate) const TAKES_14_MIB: u32 = 69;
    pub(crate) const ANSWERS_TOO_MUCH: u32 = 70;
    pub(crate) const ANSWERS_FAR_TOO_MUCH: u32 = 71;
    pub(crate) const DRAWS_SOMETHING_ELSE: u32 = 72;
    /// With the payload in its message.
    pub(crate) const REFUSES: u32 = 73;

    pub(crate) fn component() -> Vec<u8> {
        super::component(
            "qr",
            "qr-renderer",
            include_str!("../../../../tests/guests/moody_renderer.wat"),
        )
    }
}
