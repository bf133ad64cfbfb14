//! From a module to a component.

use wit_component::ComponentEncoder;

/// The component that the module becomes by the world that wit-bindgen has
/// written into it.
///
/// # Errors
/// The module imports something, or lacks what its world exports.
pub fn encode(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    ComponentEncoder::default().validate(true).module(module)?.encode()
}
