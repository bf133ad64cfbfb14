//! Why plugins could not be loaded.

use std::{io, path::PathBuf};

use pairing_core::plugin::{PluginError, Slot};

/// Why plugins could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file is there but can't be read.
    #[error("plugin `{slot}`: could not read {}: {error}", .path.display(), slot = .slot.as_str())]
    Read {
        /// Which slot.
        slot: Slot,
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A component that can't fill its slot.
    #[error("plugin `{slot}` from {origin} is refused: {refusal}", slot = .slot.as_str())]
    Refused {
        /// Which slot.
        slot: Slot,
        /// `embedded`, or the file's path.
        origin: String,
        /// Why.
        refusal: Refusal,
    },
    /// The machine does not give what guests need.
    #[error("could not prepare to run plugins: {0}")]
    Machine(String),
}

/// Why a component can't fill a slot. Says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Something else than a component.
    #[error("it is {0}")]
    NotAComponent(&'static str),
    /// wasmtime does not take it.
    #[error("it can't be compiled: {0}")]
    Compile(String),
    /// It wants something from the host.
    #[error("it imports {}, but this world grants no imports; build it without WASI (target wasm32-unknown-unknown)", .0.join(", "))]
    Imports(Vec<String>),
    /// It is made for another world, or for another version of it.
    #[error("it exports no `{wanted}`{}; build it against the package in `wit/` that has this interface", found(.exports))]
    MissingInterface {
        /// The interface that the slot needs.
        wanted: &'static str,
        /// What it exports.
        exports: Vec<String>,
    },
    /// The interface is not whole.
    #[error(
        "its `{interface}` lacks the function `{function}`; build it against the package in `wit/` that has it"
    )]
    MissingFunction {
        /// Where.
        interface: &'static str,
        /// Which.
        function: &'static str,
    },
    /// A function has other types.
    #[error(
        "its `{interface}#{function}` has other types than the host's ({difference}); build it \
         anew against `wit/`"
    )]
    Types {
        /// Where.
        interface: &'static str,
        /// Which.
        function: &'static str,
        /// What differs.
        difference: String,
    },
    /// It could not be instantiated.
    #[error("it can't be started: {0}")]
    Start(PluginError),
    /// It could not say what it is.
    #[error("its `describe` gave no answer: {0}")]
    Describe(PluginError),
    /// What it says about itself can't be used.
    #[error("its `describe` says {0}")]
    Description(String),
}

fn found(exports: &[String]) -> String {
    if exports.is_empty() {
        " (nor anything else)".into()
    } else {
        format!(", but {}", exports.join(", "))
    }
}
