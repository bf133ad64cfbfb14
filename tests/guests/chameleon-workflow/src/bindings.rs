//! The contract as Rust, generated from `wit/workflow`.
#![allow(unsafe_code, unreachable_pub, missing_docs, clippy::all, reason = "generated")]

wit_bindgen::generate!({
    path: ["../../../wit/types", "../../../wit/workflow"],
    world: "pairing-console:workflow/workflow",
    generate_all,
});

#[cfg(target_arch = "wasm32")]
use crate::Chameleon;
#[cfg(target_arch = "wasm32")]
export!(Chameleon);
