//! The contract as Rust, generated from `wit/handler`. `wasi:http` comes from the
//! crate `wasip2`, which names it in a section of its own that becomes part of
//! the component's world.
#![allow(unsafe_code, unreachable_pub, missing_docs, clippy::all, reason = "generated")]

wit_bindgen::generate!({
    path: ["../../wit/types", "../../wit/handler"],
    inline: "
        package pairing-console:webhook;

        world webhook {
            import pairing-console:handler/config@0.1.0;
            import pairing-console:handler/secrets@0.1.0;
            import pairing-console:handler/clock@0.1.0;
            import pairing-console:handler/log@0.1.0;
            export pairing-console:handler/handler@0.1.0;
        }
    ",
    world: "pairing-console:webhook/webhook",
    additional_derives: [PartialEq],
    generate_all,
});

#[cfg(target_arch = "wasm32")]
use crate::Webhook;
#[cfg(target_arch = "wasm32")]
export!(Webhook);
