//! Chooses the database by its URL. How each is set up is said in its folder.

use std::{path::PathBuf, sync::Arc, time::Duration};

use pairing_core::store::{Store, StoreError};
use secrecy::{ExposeSecret, SecretString};

use crate::{postgres::PostgresStore, sqlite::SqliteStore};

/// Which database, and how patient to be with it.
#[derive(Debug, Clone)]
pub struct Config {
    /// `sqlite:` and a file's path, or `postgres://user:password@host/database`.
    /// A Unix socket is `postgres://user@localhost/database?host=/its/folder`.
    pub url: SecretString,
    /// How many connections to Postgres, or readers of SQLite, are open at once.
    pub max_connections: u32,
    /// After so long without an answer a call fails as unavailable. The work
    /// may still be done then; a commit finds out when it is repeated.
    pub call_timeout: Duration,
}

impl Config {
    /// With the defaults: 8 connections, 2 s.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: SecretString::from(url.into()),
            max_connections: 8,
            call_timeout: Duration::from_secs(2),
        }
    }
}

/// A database's address, read.
enum Address {
    Sqlite(PathBuf),
    Postgres,
}

fn address(config: &Config) -> Result<Address, StoreError> {
    let url = config.url.expose_secret();
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Address::Postgres);
    }
    match url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
        Some("" | ":memory:") | None => Err(StoreError::Refused(
            "DATABASE_URL is neither `sqlite:<path of a file>` nor `postgres://…`".to_owned(),
        )),
        Some(path) => Ok(Address::Sqlite(PathBuf::from(path))),
    }
}

/// Opens the database and brings its tables up to date.
///
/// # Errors
/// `Unavailable` if it can't be reached now; `Refused` if the URL is wrong, or
/// if the tables were made by a newer version or changed by hand.
pub async fn connect(config: &Config) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match address(config)? {
        Address::Sqlite(path) => Arc::new(SqliteStore::open(&path, config).await?),
        Address::Postgres => Arc::new(PostgresStore::open(config).await?),
    })
}

/// Brings the tables up to date and does nothing else.
///
/// # Errors
/// As [`connect`].
pub async fn migrate(config: &Config) -> Result<(), StoreError> {
    match address(config)? {
        Address::Sqlite(path) => SqliteStore::open(&path, config).await?.close().await,
        Address::Postgres => PostgresStore::migrate(config).await?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn other_addresses_are_refused_without_being_repeated() {
        for url in ["mysql://root:hunter2@db/x", "", "sqlite:", "sqlite::memory:", "/var/x.db"] {
            let Err(refusal) = connect(&Config::new(url)).await else {
                panic!("{url} was taken");
            };
            assert!(matches!(refusal, StoreError::Refused(_)), "{refusal}");
            assert!(!refusal.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn a_configuration_prints_without_its_password() {
        let config = Config::new("postgres://pairing:hunter2@db/pairing");
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
