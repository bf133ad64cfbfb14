//! The one unsafe step of this crate: code that was compiled earlier.

use wasmtime::{Engine, component::Component};

/// Code whose seal was verified: nobody but the holder of the host's key, so no
/// one but this host, wrote it.
pub(crate) struct Verified<'a>(&'a [u8]);

impl<'a> Verified<'a> {
    /// To be called by `seal` alone, when the seal is right.
    pub(super) fn by_its_seal(code: &'a [u8]) -> Self {
        Self(code)
    }
}

/// Takes up compiled code.
#[expect(
    unsafe_code,
    reason = "native code can't be checked; `Verified` says that `Component::serialize` made \
              these bytes and that nobody has changed them, which is what wasmtime demands"
)]
pub(crate) fn load(engine: &Engine, code: &Verified) -> wasmtime::Result<Component> {
    // SAFETY: the bytes are those that `Component::serialize` gave, see above;
    // they are in memory, so they can't change between check and use.
    unsafe { Component::deserialize(engine, code.0) }
}
