//! Loads plugin components and calls them under limits.
//!
//! A component decides, draws or routes; it can't do anything else. Each call
//! gets a fresh instance in a store of its own, on a thread that serves nothing
//! but guests, with bounded time, fuel, memory, input and output. A call that
//! goes wrong ends in a typed [`pairing_core::plugin::PluginError`] and harms
//! no other call.
//!
//! The worlds are those of `wit/`; none of them imports anything.

mod bindings;
mod call;
mod config;
mod convert;
mod engine;
mod error;
mod guest_threads;
mod health;
mod load;
mod measure;
mod memory_limit;
mod plugin;
mod plugins;
mod slots;

pub use config::{CacheConfig, Limits, PluginsConfig};
pub use error::{LoadError, Refusal};
pub use health::{BreakerState, Health, VersionReport};
pub use plugins::Plugins;
