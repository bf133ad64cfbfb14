//! The database: SQLite in the data folder, or Postgres.
//!
//! Both implement the traits of `pairing_core::store` and pass the same cases,
//! see [`contract`]. What is kept here never includes a live secret: QR payloads
//! and pairing codes stay in memory, refresh tokens are never stored, and
//! passwords come in as hashes.

mod budgets;
mod chain;
mod committing;
mod connect;
#[cfg(feature = "contract")]
pub mod contract;
mod deliveries;
mod error;
mod hooks;
mod postgres;
mod rows;
mod sqlite;
#[cfg(feature = "testing")]
pub mod testing;

pub use connect::{Config, connect, migrate};
pub use postgres::PostgresStore;
pub use sqlite::SqliteStore;
