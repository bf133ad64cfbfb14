//! The contract as Rust, generated from `wit/workflow`.
#![allow(unsafe_code, unreachable_pub, missing_docs, clippy::all, reason = "generated")]

wit_bindgen::generate!({
    path: ["../../wit/types", "../../wit/workflow"],
    world: "pairing-console:workflow/workflow",
    additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
    generate_all,
});

#[cfg(target_arch = "wasm32")]
use crate::Workflow;
#[cfg(target_arch = "wasm32")]
export!(Workflow);
