//! Sessions that stay with a version of the workflow. A pin whose session does
//! not exist (any more) is passed over.
//!
//! Who writes pins has taken the registry's turn, and holds the session's row
//! before it touches its pin, as a deletion does: they can't wait for each other.

use std::collections::HashSet;

use pairing_core::{plugin_store::Pin, store::StoreError};
use sqlx::{PgConnection, PgPool};

use crate::{
    committing::{commit, step},
    error::from_sqlx,
    rows::{self, plugins::plain},
};

pub(super) async fn all(pool: &PgPool) -> Result<Vec<Pin>, StoreError> {
    sqlx::query("SELECT * FROM plugin_pins ORDER BY session_name")
        .fetch_all(pool)
        .await
        .map_err(from_sqlx)?
        .iter()
        .map(rows::plugins::pin)
        .collect()
}

pub(super) async fn put(pool: &PgPool, pin: &Pin) -> Result<(), StoreError> {
    let mut write = pool.begin().await.map_err(from_sqlx)?;
    super::changes::take_turn(&mut write).await?;
    sqlx::query(
        "INSERT INTO plugin_pins (session_name, digest, why, at)
         SELECT name, $2, $3, $4 FROM sessions WHERE name = $1 FOR KEY SHARE
         ON CONFLICT (session_name) DO UPDATE SET digest = excluded.digest, why = excluded.why,
             at = excluded.at",
    )
    .bind(pin.session.as_str())
    .bind(&*pin.digest.0)
    .bind(plain(&pin.why))
    .bind(rows::time(pin.at))
    .execute(&mut *write)
    .await
    .map_err(from_sqlx)?;
    commit(write, step!("store.plugin.pin")).await
}

/// Puts these pins in place of all that there are.
pub(super) async fn replace(connection: &mut PgConnection, pins: &[Pin]) -> Result<(), StoreError> {
    let names: Vec<&str> = pins.iter().map(|pin| pin.session.as_str()).collect();
    let live: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sessions WHERE name = ANY($1) ORDER BY name FOR KEY SHARE",
    )
    .bind(names)
    .fetch_all(&mut *connection)
    .await
    .map_err(from_sqlx)?;
    let live: HashSet<String> = live.into_iter().collect();
    let pins: Vec<&Pin> = pins.iter().filter(|pin| live.contains(pin.session.as_str())).collect();
    sqlx::query("DELETE FROM plugin_pins").execute(&mut *connection).await.map_err(from_sqlx)?;
    sqlx::query(
        "INSERT INTO plugin_pins (session_name, digest, why, at)
         SELECT * FROM UNNEST($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::BIGINT[])
         ON CONFLICT (session_name) DO NOTHING",
    )
    .bind(pins.iter().map(|pin| pin.session.as_str()).collect::<Vec<_>>())
    .bind(pins.iter().map(|pin| &*pin.digest.0).collect::<Vec<_>>())
    .bind(pins.iter().map(|pin| plain(&pin.why)).collect::<Vec<_>>())
    .bind(pins.iter().map(|pin| rows::time(pin.at)).collect::<Vec<_>>())
    .execute(connection)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}
