//! What the databases' errors mean to callers.

use pairing_core::store::StoreError;
use sqlx::{error::DatabaseError, migrate::MigrateError};

/// Sorts by whether trying again later can help.
pub(crate) fn from_sqlx(error: sqlx::Error) -> StoreError {
    use sqlx::Error;
    match error {
        Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed | Error::BeginFailed => {
            StoreError::Unavailable(error.to_string())
        }
        Error::Io(cause) => StoreError::Unavailable(cause.to_string()),
        // A connection that broke in the middle of an answer.
        Error::Protocol(message) => StoreError::Unavailable(message),
        Error::Database(cause) if passes(cause.as_ref()) => {
            StoreError::Unavailable(cause.message().to_owned())
        }
        Error::Database(cause) => StoreError::Refused(cause.message().to_owned()),
        other => StoreError::Refused(other.to_string()),
    }
}

pub(crate) fn from_migration(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(cause) => from_sqlx(cause),
        MigrateError::ExecuteMigration(cause, version) => match from_sqlx(cause) {
            StoreError::Refused(message) => {
                StoreError::Refused(format!("migration {version}: {message}"))
            }
            other => other,
        },
        MigrateError::VersionMissing(version) => StoreError::Refused(format!(
            "migration {version} is not known here: a newer version of the host made these tables"
        )),
        other => StoreError::Refused(other.to_string()),
    }
}

/// Is this the state of the moment (busy, full, restarting, too slow)?
fn passes(error: &dyn DatabaseError) -> bool {
    let code = error.code();
    let code = code.as_deref().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        // The low byte is the primary code.
        let primary = code.parse::<u32>().unwrap_or_default() & 0xff;
        // BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN.
        return [5, 6, 8, 10, 13, 14].contains(&primary);
    }
    // Connection, transaction rolled back (deadlock), resources (disk full),
    // operator (restart, time-out), system (I/O).
    ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
        // A lock not had in time; a standby or a disk that takes no writes;
        // a transaction that idled.
        || ["55P03", "25006", "25P03"].contains(&code)
}
