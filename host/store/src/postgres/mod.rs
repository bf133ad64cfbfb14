//! Postgres, chosen by `DATABASE_URL`.
//!
//! No call hangs: the server is told to give up on statements and locks, and
//! each call has a deadline of its own here, because a server that is frozen or
//! cut off says nothing at all. Beyond the own machine the connection is TLS
//! with the server's certificate and name checked.

mod changes;
mod journal;
mod logins;
mod native_code;
mod parked;
mod pins;
mod plugins;
mod sessions;

use std::{net::IpAddr, time::Duration};

use async_trait::async_trait;
use pairing_core::store::{Store, StoreError};
use secrecy::ExposeSecret;
use sqlx::{
    Connection, PgPool, Postgres, Transaction,
    postgres::{PgConnectOptions, PgConnection, PgPoolOptions, PgSslMode},
};

use crate::{
    connect::Config,
    error::{from_migration, from_sqlx},
};

/// How long the tables may take to be brought up to date.
const MIGRATION: Duration = Duration::from_secs(300);

/// How long a component may be on its way. Within the limits of other calls
/// 32 MiB would need a fast line.
const LARGE: Duration = Duration::from_secs(60);

/// A store in a Postgres database.
pub struct PostgresStore {
    pool: PgPool,
    call_timeout: Duration,
}

impl PostgresStore {
    /// Opens the database and brings its tables up to date.
    ///
    /// # Errors
    /// `Unavailable` if it can't be reached now; `Refused` if it doesn't want
    /// us, or if its tables are not ours.
    pub async fn open(config: &Config) -> Result<Self, StoreError> {
        Self::migrate(config).await?;
        let call_timeout = config.call_timeout;
        let options = options(config)?.options([
            ("statement_timeout", "5s"),
            ("lock_timeout", "2s"),
            ("idle_in_transaction_session_timeout", "30s"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(config.max_connections.max(1))
            .acquire_timeout(call_timeout)
            // sqlx waits without end for a connection's last answer before it
            // takes it back; one that no longer answers must be let go.
            .after_release(move |connection, _| {
                Box::pin(async move {
                    tokio::time::timeout(call_timeout, connection.ping())
                        .await
                        .map_err(|_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))??;
                    Ok(true)
                })
            })
            .connect_lazy_with(options);
        Ok(Self { pool, call_timeout })
    }

    /// Brings the tables up to date, on a connection without the limits that
    /// hold for calls.
    ///
    /// # Errors
    /// As [`PostgresStore::open`].
    pub async fn migrate(config: &Config) -> Result<(), StoreError> {
        let options = options(config)?;
        let mut connection = deadline(config.call_timeout, async {
            PgConnection::connect_with(&options).await.map_err(from_sqlx)
        })
        .await?;
        deadline(MIGRATION, async {
            sqlx::migrate!("../../migrations/postgres")
                .run(&mut connection)
                .await
                .map_err(from_migration)
        })
        .await?;
        // The tables are there; how the farewell goes does not matter.
        let _ =
            deadline(config.call_timeout, async { connection.close().await.map_err(from_sqlx) })
                .await;
        Ok(())
    }

    /// Closes all connections that are idle, and the others when they are.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) fn reading(&self) -> &PgPool {
        &self.pool
    }

    pub(crate) async fn writing(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        self.pool.begin().await.map_err(from_sqlx)
    }

    pub(crate) async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        deadline(self.call_timeout, call).await
    }

    /// A transaction for [`PostgresStore::within_large`]. A server that does
    /// not answer at all is noticed here, as soon as everywhere.
    async fn begin_large(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        self.within(async {
            let mut transaction = self.pool.begin().await.map_err(from_sqlx)?;
            sqlx::query(
                "SELECT set_config('statement_timeout', $1, true),
                     set_config('idle_in_transaction_session_timeout', $1, true)",
            )
            .bind(LARGE.as_millis().to_string())
            .execute(&mut *transaction)
            .await
            .map_err(from_sqlx)?;
            Ok(transaction)
        })
        .await
    }

    async fn within_large<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        deadline(LARGE.max(self.call_timeout), call).await
    }
}

async fn deadline<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    tokio::time::timeout(limit, call)
        .await
        .unwrap_or_else(|_| Err(StoreError::Unavailable(format!("no answer within {limit:?}"))))
}

fn options(config: &Config) -> Result<PgConnectOptions, StoreError> {
    let options: PgConnectOptions = config.url.expose_secret().parse().map_err(|_| {
        // The cause is left out: it could repeat the password.
        StoreError::Refused("DATABASE_URL is no valid Postgres address".to_owned())
    })?;
    let options = options.application_name("pairing-host");
    if stays_on_this_machine(&options) {
        return Ok(options);
    }
    Ok(options.ssl_mode(PgSslMode::VerifyFull))
}

fn stays_on_this_machine(options: &PgConnectOptions) -> bool {
    let host = options.get_host().trim_start_matches('[').trim_end_matches(']');
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[async_trait]
impl Store for PostgresStore {
    async fn check(&self) -> Result<(), StoreError> {
        self.within(async {
            sqlx::query("UPDATE write_probe SET written = written + 1")
                .execute(&self.pool)
                .await
                .map_err(from_sqlx)?;
            Ok(())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ssl_mode(url: &str) -> PgSslMode {
        options(&Config::new(url)).unwrap().get_ssl_mode()
    }

    #[test]
    fn beyond_this_machine_the_certificate_is_checked_whatever_the_address_asks() {
        for url in [
            "postgres://u@db.example/x",
            "postgres://u@10.0.0.7/x?sslmode=disable",
            "postgres://u@db.example/x?sslmode=require",
            "postgres://u@localhost.example/x",
        ] {
            assert!(matches!(ssl_mode(url), PgSslMode::VerifyFull), "{url}");
        }
        for url in [
            "postgres://u@localhost/x",
            "postgres://u@127.0.0.1:5433/x",
            "postgres://u@[::1]/x",
            "postgres://u@localhost/x?host=/run/postgresql",
        ] {
            assert!(!matches!(ssl_mode(url), PgSslMode::VerifyFull), "{url}");
        }
    }

    #[test]
    fn a_wrong_address_is_not_repeated() {
        let refusal = options(&Config::new("postgres://u:hunter2@db:port/x")).unwrap_err();
        assert!(!refusal.to_string().contains("hunter2"), "{refusal}");
    }
}
