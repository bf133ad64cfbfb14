//! The words of the domain and the traits that the other crates implement.
//!
//! No I/O happens here: `store`, `engine` and `plugin-runtime` implement
//! [`store::Store`], [`engine::Engine`] and the plugin traits; `sessions`
//! and `api` see nothing but these traits.

pub mod budget;
pub mod clock;
pub mod command;
pub mod delivery_store;
pub mod engine;
pub mod event;
pub mod evidence;
#[cfg(feature = "fakes")]
pub mod fakes;
pub mod fan_out;
pub mod handler;
pub mod id;
pub mod page_hooks;
pub mod phone;
pub mod plugin;
pub mod plugin_store;
pub mod renderer;
pub mod session;
pub mod space;
pub mod store;
pub mod subscription;
pub mod workflow;
