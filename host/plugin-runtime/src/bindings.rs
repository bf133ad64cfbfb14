//! Generated from `wit/`: one module for each world. The shared words are
//! generated once, with the events' world.

#![expect(unreachable_pub, reason = "generated; documented in `wit/`")]

pub mod fan_out {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/events"],
        world: "pairing-console:events/fan-out@0.1.0",
    });
}

pub mod workflow {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/workflow"],
        world: "pairing-console:workflow/workflow@0.1.0",
        with: {
            "pairing-console:types/types@0.1.0": crate::bindings::types,
            "pairing-console:types/events@0.1.0": crate::bindings::events,
        },
    });
}

pub mod qr {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/qr"],
        world: "pairing-console:qr/qr-renderer@0.1.0",
        with: { "pairing-console:types/types@0.1.0": crate::bindings::types },
    });
}

/// What a handler may be granted is served on threads that may wait.
pub mod handler {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/handler"],
        world: "pairing-console:handler/event-handler@0.1.0",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "pairing-console:types/types@0.1.0": crate::bindings::types,
            "pairing-console:types/events@0.1.0": crate::bindings::events,
        },
    });
}

pub use fan_out::{
    exports::pairing_console::events::router,
    pairing_console::types::{events, types},
};
pub use qr::exports::pairing_console::qr::renderer;
pub use workflow::exports::pairing_console::workflow::machine;
