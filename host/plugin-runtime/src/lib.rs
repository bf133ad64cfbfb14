//! Loads plugin components and calls them under limits.
//!
//! A component decides, draws or routes, and can't do anything else; a handler
//! does what it was granted (see `handlers`). Each call
//! gets a fresh instance in a store of its own, on a thread that serves nothing
//! but guests, with bounded time, fuel, memory, input and output. A call that
//! goes wrong ends in a typed [`pairing_core::plugin::PluginError`] and harms
//! no other call.
//!
//! The worlds are those of `wit/`.

mod bindings;
mod breaker;
mod call;
mod clock;
mod compile;
mod config;
mod convert;
mod engine;
mod error;
mod guest_threads;
mod handlers;
mod health;
mod load;
mod loaded_version;
mod measure;
mod memory_limit;
mod plugin;
mod plugins;
mod probe;
mod replay;
mod routes;
mod runtime;
mod slots;
mod standing;
mod thread_pool;

pub use compile::compile_stdin;
pub use config::{ChildCompiler, Compiler, HandlerLimits, Limits, PluginsConfig};
pub use error::{LoadError, Refusal};
pub use handlers::{Authority, GuestLogs, HandlerParts, LogLevel, LogLine};
pub use health::{BreakerState, Health, VersionReport};
pub use load::{Origin, WEBHOOK, digest_of, embedded};
pub use loaded_version::LoadedVersion;
pub use plugin::VersionAlarm;
pub use plugins::Plugins;
pub use probe::ProbeFailure;
pub use replay::{Past, ReplayEnd, Replayed, Step};
pub use runtime::{Filled, Filling, Runtime};
pub use standing::Alarm;
