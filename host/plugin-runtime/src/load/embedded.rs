//! The components that the binary brings along.

use pairing_core::plugin::Slot;

/// The handler that comes with the host.
pub const WEBHOOK: &str = "webhook";

/// The component of `plugins/` for a slot, built by `build.rs`.
pub fn embedded(slot: Slot) -> Option<&'static [u8]> {
    Some(match slot {
        Slot::Workflow => include_bytes!(concat!(env!("OUT_DIR"), "/workflow.wasm")),
        Slot::QrRenderer => include_bytes!(concat!(env!("OUT_DIR"), "/qr-renderer.wasm")),
        Slot::FanOut => include_bytes!(concat!(env!("OUT_DIR"), "/fan-out.wasm")),
        Slot::Handler(name) if name.as_str() == WEBHOOK => {
            include_bytes!(concat!(env!("OUT_DIR"), "/webhook.wasm"))
        }
        Slot::Handler(_) => return None,
    })
}
