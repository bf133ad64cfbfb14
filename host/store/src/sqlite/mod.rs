//! SQLite: the default, one file in the data folder.
//!
//! All writes go through one connection, so that a writer waits for its turn in
//! the pool and never meets `SQLITE_BUSY`; readers have connections of their
//! own and see the last commit (WAL). `synchronous=FULL`, because in WAL mode
//! the default may lose commits when the power fails. That only one process
//! uses the file is ensured by the lock on the data folder, not here.

mod changes;
mod journal;
mod logins;
mod native_code;
mod parked;
mod pins;
mod plugins;
mod sessions;

use std::{
    fs::{OpenOptions, Permissions},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    time::Duration,
};

use async_trait::async_trait;
use pairing_core::store::{Store, StoreError};
use sqlx::{
    Connection, Sqlite, SqliteConnection, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    connect::Config,
    error::{from_migration, from_sqlx},
};

/// The longest that a call waits for its connection. In-process work is not cut
/// short: a slow disk would only be asked for the same again.
const TURN: Duration = Duration::from_secs(10);

/// A store in one file.
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the file, makes it if there is none, and brings its tables up to
    /// date. The file is readable by its owner only.
    ///
    /// # Errors
    /// `Unavailable` if the file can't be opened; `Refused` if its tables are
    /// not ours.
    pub async fn open(path: &Path, config: &Config) -> Result<Self, StoreError> {
        keep_private(path).map_err(|error| {
            StoreError::Unavailable(format!("`{}` can't be opened: {error}", path.display()))
        })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .pragma("trusted_schema", "OFF");
        let pool = SqlitePoolOptions::new().acquire_timeout(TURN).idle_timeout(None);
        let writer = pool
            .clone()
            .max_connections(1)
            .max_lifetime(None)
            .before_acquire(|connection, _| Box::pin(is_at_rest(connection)))
            .connect_with(options.clone())
            .await
            .map_err(from_sqlx)?;
        sqlx::migrate!("../../migrations/sqlite").run(&writer).await.map_err(from_migration)?;
        let readers = pool
            .max_connections(config.max_connections.clamp(1, 4))
            .connect_with(options.pragma("query_only", "ON"))
            .await
            .map_err(from_sqlx)?;
        Ok(Self { writer, readers })
    }

    /// Closes all connections; the log is folded into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    pub(crate) fn reading(&self) -> &SqlitePool {
        &self.readers
    }

    pub(crate) async fn writing(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.write().await
    }

    /// In-process work is not cut short, see [`TURN`].
    pub(crate) async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        call.await
    }

    /// Takes the write lock at once: a transaction that reads first and writes
    /// later could fail halfway.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(from_sqlx)
    }
}

/// On a full disk SQLite takes a transaction back by itself, of which the library
/// does not know: it would begin none ever again. Such a connection is replaced.
async fn is_at_rest(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // What a transaction that was dropped has left is done before this.
    Ok(!connection.is_in_transaction())
}

/// SQLite gives its log and shared memory the mode of the file.
fn keep_private(path: &Path) -> std::io::Result<()> {
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))
}

#[async_trait]
impl Store for SqliteStore {
    async fn check(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT last_id FROM journal_head")
            .fetch_one(&self.readers)
            .await
            .map_err(from_sqlx)?;
        sqlx::query("UPDATE write_probe SET written = written + 1")
            .execute(&self.writer)
            .await
            .map_err(from_sqlx)?;
        Ok(())
    }
}
