//! Why plugins could not be loaded.

use std::time::Duration;

use pairing_core::plugin::{PluginError, Slot};

/// Why plugins could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A component that can't fill its slot.
    #[error("plugin `{slot}` is refused: {refusal}", slot = .slot.as_str())]
    Refused {
        /// Which slot.
        slot: Slot,
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
    #[error("it can't be compiled: {0}; see what `wasm-tools validate` says of the file")]
    Compile(String),
    /// It takes too long to compile.
    #[error("it took longer than {} s to compile; make its functions smaller", .limit.as_secs())]
    CompileTime {
        /// What the compiler was given.
        limit: Duration,
    },
    /// It takes too much memory to compile.
    #[error("it takes more than {} MiB to compile; make its functions smaller", .limit >> 20)]
    CompileMemory {
        /// What the compiler was given, in bytes.
        limit: u64,
    },
    /// The compiler itself failed.
    #[error("{0}; this is the host's fault or the machine's, not the plugin's")]
    Compiler(String),
    /// It can never have what each instance begins with.
    #[error(
        "it begins with {} MiB of memory, and a plugin of this slot may have {} MiB; build it with \
         a smaller initial memory (for Rust: `-C link-arg=--initial-memory=…`, and less static data)",
        .wanted.div_ceil(1 << 20), .limit >> 20
    )]
    Memory {
        /// Bytes.
        wanted: u64,
        /// Bytes.
        limit: u64,
    },
    /// It is made of too many pieces.
    #[error("it has {wanted} {what}, and a plugin may have {limit}; link its modules into fewer")]
    Parts {
        /// What of.
        what: String,
        /// How many it has.
        wanted: u32,
        /// How many it may have.
        limit: u32,
    },
    /// It wants something from the host.
    #[error(
        "it imports {}, but this world grants no imports: what it needs comes with each call; \
         to be rid of WASI, build it for wasm32-unknown-unknown",
        .0.join(", ")
    )]
    Imports(Vec<String>),
    /// It wants what no handler can be given here.
    #[error(
        "it imports {}, which this host does not offer: handlers may import the interfaces of \
         `wit/handler` at 0.1.0, `wasi:http/outgoing-handler` at 0.2, and of WASI 0.2 what their \
         language's runtime brings along",
        .0.join(", ")
    )]
    UnknownImports(Vec<String>),
    /// What it imports has other types here.
    #[error(
        "its imports have other types than the host's: {difference}; build it anew against `wit/handler` at 0.1.0"
    )]
    ImportTypes {
        /// What differs.
        difference: String,
    },
    /// The host was started without what handlers need.
    #[error("this host runs no handlers")]
    NoHandlers,
    /// It is made for another world, or for another version of it.
    #[error("it {}", lacks_interface(.wanted, .exports))]
    MissingInterface {
        /// The interface that the slot needs.
        wanted: &'static str,
        /// What it exports.
        exports: Vec<String>,
    },
    /// The interface is not whole.
    #[error("its `{interface}` lacks the function `{function}`; build it against {}", package(.interface))]
    MissingFunction {
        /// Where.
        interface: &'static str,
        /// Which.
        function: &'static str,
    },
    /// A function has other types.
    #[error(
        "its `{interface}#{function}` has other types than the host's: {difference}; build it \
         anew against {}, whose types never change",
        package(.interface)
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

/// Its author took another world, or another version of the right one.
fn lacks_interface(wanted: &str, exports: &[String]) -> String {
    let (name, version) = split(wanted);
    let source = package(wanted);
    let others = exports.iter().map(|export| split(export.trim_matches('`')));
    let mut versions = others.filter(|(other, _)| *other == name).map(|(_, version)| version);
    match versions.next() {
        Some(other) => format!(
            "exports `{name}@{other}`, but this host offers {version}: build it against {source}, \
             or take a host that offers {other}"
        ),
        None if exports.is_empty() => {
            format!("exports nothing, not even `{wanted}`; build it against {source}")
        }
        None => {
            let exports = exports.join(", ");
            format!("exports no `{wanted}`, but {exports}; build it against {source}")
        }
    }
}

/// An interface's name without its version, and the version.
fn split(interface: &str) -> (&str, &str) {
    interface.split_once('@').unwrap_or((interface, "none"))
}

/// Where the interface is written down, such as "`wit/qr` at 0.1.0".
fn package(interface: &str) -> String {
    let (name, version) = split(interface);
    let name = name.split_once('/').map_or(name, |(package, _)| package);
    let name = name.rsplit(':').next().unwrap_or(name);
    format!("`wit/{name}` at {version}")
}
