//! Where a component comes from: the operator's folder, or the binary itself.

use std::{borrow::Cow, fs, io, path::Path};

use pairing_core::plugin::Slot;

use crate::error::{LoadError, Refusal};

/// A file, and where it came from.
pub(super) struct Source {
    pub(super) bytes: Cow<'static, [u8]>,
    /// `embedded`, or the file's path.
    pub(super) origin: String,
}

/// What the folder holds for the slot, else the component in the binary.
pub(super) fn find(slot: Slot, dir: Option<&Path>) -> Result<Source, LoadError> {
    let Some(dir) = dir else { return Ok(embedded(slot)) };
    let path = dir.join(slot.as_str()).with_extension("wasm");
    match fs::read(&path) {
        Ok(bytes) => Ok(Source { bytes: bytes.into(), origin: path.display().to_string() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound && dir.is_dir() => Ok(embedded(slot)),
        Err(error) => Err(LoadError::Read { slot, path, error }),
    }
}

/// The components of `plugins/`, built by `build.rs`.
fn embedded(slot: Slot) -> Source {
    let bytes: &[u8] = match slot {
        Slot::Workflow => include_bytes!(concat!(env!("OUT_DIR"), "/workflow.wasm")),
        Slot::QrRenderer => include_bytes!(concat!(env!("OUT_DIR"), "/qr-renderer.wasm")),
        Slot::FanOut => include_bytes!(concat!(env!("OUT_DIR"), "/fan-out.wasm")),
    };
    Source { bytes: bytes.into(), origin: "embedded".into() }
}

/// Tells what else a file may be, because wasmtime's own words do not help.
pub(super) fn check_is_component(bytes: &[u8]) -> Result<(), Refusal> {
    let kind = match bytes {
        [] => "an empty file",
        [b'\0', b'a', b's', b'm', _, _, 1, 0, ..] => return Ok(()),
        [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => {
            "a core WebAssembly module and not a component; make it one with `wasm-tools component new`"
        }
        [b'\0', b'a', b's', b'm', ..] => "WebAssembly of a version that this host does not know",
        _ => "not WebAssembly",
    };
    Err(Refusal::NotAComponent(kind))
}
