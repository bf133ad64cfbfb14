//! The engine that drives WhatsApp Web in Chromium over its debugging protocol.
//!
//! ```text
//! engine.rs       starts a browser on a session's profile   arguments, config, custody, profile, sandbox, user_agent
//! run.rs          an engine's life, in a task of its own    page_link (the line to the page), stderr_tail
//! listening.rs    what page and browser tell meanwhile      waiting, evidence, console_tail
//! story.rs        what follows from what the page tells     agent_message, agent_in_page, page_scripts, scripts/agent.js, page_hooks.toml
//! liveness.rs     whether the page lives                    heartbeat
//! handle.rs       what a session asks                       code_request
//! page_driver.rs  what is known of the page: tried, put     trial
//! ```

mod agent_in_page;
mod agent_message;
mod arguments;
mod code_request;
mod config;
mod console_tail;
mod custody;
mod engine;
mod evidence;
mod failure;
mod handle;
mod heartbeat;
mod listening;
mod liveness;
mod page_driver;
mod page_hooks;
mod page_link;
mod page_scripts;
mod process;
mod profile;
mod run;
mod sandbox;
mod stderr_tail;
mod story;
mod trial;
mod user_agent;
mod waiting;

pub use arguments::{ArgumentRefused, WHATSAPP_WEB_URL};
pub use config::{Deadlines, EngineConfig, InvalidConfig, RunAs};
pub use engine::ChromiumEngine;
pub use page_hooks::{InvalidPageHooks, PageHooks};
pub use pairing_sentinel::SentinelProgram;
pub use sandbox::SandboxOff;
