//! Sessions that stay with a version of the workflow. A pin whose session does
//! not exist (any more) is passed over.

use pairing_core::{plugin_store::Pin, store::StoreError};
use sqlx::{SqliteConnection, SqlitePool};

use crate::{error::from_sqlx, rows};

pub(super) async fn all(readers: &SqlitePool) -> Result<Vec<Pin>, StoreError> {
    sqlx::query("SELECT * FROM plugin_pins ORDER BY session_name")
        .fetch_all(readers)
        .await
        .map_err(from_sqlx)?
        .iter()
        .map(rows::plugins::pin)
        .collect()
}

pub(super) async fn put(writer: &SqlitePool, pin: &Pin) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO plugin_pins (session_name, digest, why, at)
         SELECT name, $2, $3, $4 FROM sessions WHERE name = $1
         ON CONFLICT (session_name) DO UPDATE SET digest = excluded.digest, why = excluded.why,
             at = excluded.at",
    )
    .bind(pin.session.as_str())
    .bind(&*pin.digest.0)
    .bind(rows::plugins::plain(&pin.why))
    .bind(rows::time(pin.at))
    .execute(writer)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

/// Puts these pins in place of all that there are.
pub(super) async fn replace(
    connection: &mut SqliteConnection,
    pins: &[Pin],
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM plugin_pins").execute(&mut *connection).await.map_err(from_sqlx)?;
    if pins.is_empty() {
        return Ok(());
    }
    let pins: Vec<_> = pins
        .iter()
        .map(|pin| (&pin.session, &pin.digest, rows::plugins::plain(&pin.why), rows::time(pin.at)))
        .collect();
    // As one value: an activation may pin thousands.
    sqlx::query(
        "INSERT INTO plugin_pins (session_name, digest, why, at)
         SELECT name, value ->> 1, value ->> 2, value ->> 3
         FROM json_each($1) JOIN sessions ON name = value ->> 0
         WHERE true ON CONFLICT (session_name) DO NOTHING",
    )
    .bind(rows::json(&pins)?)
    .execute(connection)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}
