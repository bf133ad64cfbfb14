//! The contract as Rust, generated from `wit/handler`.
#![allow(unsafe_code, unreachable_pub, missing_docs, clippy::all, reason = "generated")]

wit_bindgen::generate!({
    path: ["../../../wit/types", "../../../wit/handler"],
    world: "pairing-console:handler/event-handler",
    generate_all,
});

#[cfg(target_arch = "wasm32")]
use crate::HollowHandler;
#[cfg(target_arch = "wasm32")]
export!(HollowHandler);
