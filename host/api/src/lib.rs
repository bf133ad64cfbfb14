//! HTTP, WebSocket and Socket.IO: what admins' browsers, FinBot and scripts talk
//! to. It knows sessions, the store's logins and the journal by their traits, and
//! neither browsers nor SQL.
//!
//! *To add a route*: a handler in `routes/`, a line in `routes.rs`, then `make
//! generate`.

mod announce;
pub mod auth;
mod client;
mod code_budgets;
mod config;
mod console;
mod gateway;
mod input;
mod layers;
mod openapi;
mod problem;
mod rate_limit;
mod routes;
mod server;
mod socketio;
mod state;
mod views;

pub use announce::ToReadersOf;
pub use auth::{KeySetError, KeySetPlace};
pub use config::{ApiConfig, CodeBudgets, ExternalIssuer, IssuerKey, ListenerLimits, LocalKeys};
pub use openapi::openapi_json;
pub use problem::{Code, Problem, ProblemBody};
pub use routes::{COMPONENT_BYTES, HANDLER_BYTES};
pub use server::{ServeError, Tls, app, serve};
pub use state::{Api, ApiParts, SetupError};
