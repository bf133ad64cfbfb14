//! The contract as Rust, generated from `wit/events`.
#![allow(unsafe_code, unreachable_pub, missing_docs, clippy::all, reason = "generated")]

wit_bindgen::generate!({
    path: ["../../wit/types", "../../wit/events"],
    world: "pairing-console:events/fan-out",
    additional_derives: [PartialEq],
    generate_all,
});

#[cfg(target_arch = "wasm32")]
use crate::FanOut;
#[cfg(target_arch = "wasm32")]
export!(FanOut);
