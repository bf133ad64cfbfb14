//! The contract as Rust, generated from `wit/qr`.
#![allow(unsafe_code, unreachable_pub, missing_docs, clippy::all, reason = "generated")]

wit_bindgen::generate!({
    path: ["../../../wit/types", "../../../wit/qr"],
    world: "pairing-console:qr/qr-renderer",
    generate_all,
});

#[cfg(target_arch = "wasm32")]
use crate::BlueRenderer;
#[cfg(target_arch = "wasm32")]
export!(BlueRenderer);
