//! The engine that drives WhatsApp Web in Chromium over its debugging protocol.
//!
//! ```text
//! engine.rs   starts a browser on a session's profile   arguments, config, process, profile, sandbox, user_agent
//! run.rs      an engine's life, in a task of its own    page_link (the line to page and agent), pulse, waiting, stderr_tail
//! story.rs    what follows from what the page tells     agent_message, scripts/agent.js, page_hooks.toml
//! handle.rs   what a session asks                       code_request
//! ```

mod agent_message;
mod arguments;
mod code_request;
mod config;
mod engine;
mod failure;
mod handle;
mod page_hooks;
mod page_link;
mod process;
mod profile;
mod pulse;
mod run;
mod sandbox;
mod stderr_tail;
mod story;
mod user_agent;
mod waiting;

pub use arguments::{ArgumentRefused, WHATSAPP_WEB_URL};
pub use config::{Deadlines, EngineConfig, InvalidConfig, RunAs};
pub use engine::ChromiumEngine;
pub use page_hooks::{InvalidPageHooks, PageHooks};
pub use sandbox::SandboxOff;
