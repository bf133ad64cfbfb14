//! The contract as Rust, generated from `wit/qr`.
#![allow(unsafe_code, unreachable_pub, missing_docs, clippy::all, reason = "generated")]

wit_bindgen::generate!({
    path: ["../../wit/types", "../../wit/qr"],
    world: "pairing-console:qr/qr-renderer",
    additional_derives: [PartialEq],
    generate_all,
});

#[cfg(target_arch = "wasm32")]
use crate::Renderer;
#[cfg(target_arch = "wasm32")]
export!(Renderer);
