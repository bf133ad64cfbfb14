//! Whose turn it is to change a slot, and the history of it.

use pairing_core::{plugin::Slot, plugin_store::PluginChange, store::StoreError};
use sqlx::SqliteConnection;

use crate::{
    error::from_sqlx,
    rows::{
        self,
        plugins::{self as plugin_rows, optional_plain, plain},
    },
};

pub(super) async fn generation(
    connection: &mut SqliteConnection,
    slot: Slot,
) -> Result<Option<u64>, StoreError> {
    sqlx::query("SELECT generation FROM plugin_slots WHERE slot = $1")
        .bind(slot.as_str())
        .fetch_optional(connection)
        .await
        .map_err(from_sqlx)?
        .map(|row| rows::count("plugin_slots", "generation", &row))
        .transpose()
}

/// Gives the change the next number.
pub(super) async fn add_change(
    connection: &mut SqliteConnection,
    change: &PluginChange,
) -> Result<u64, StoreError> {
    let head = sqlx::query(plugin_rows::NEXT_NUMBER)
        .fetch_one(&mut *connection)
        .await
        .map_err(from_sqlx)?;
    let number = rows::count("plugin_change_head", "last_number", &head)?;
    sqlx::query(plugin_rows::ADD_CHANGE)
        .bind(rows::integer(number))
        .bind(change.slot.as_str())
        .bind(rows::time(change.at))
        .bind(plain(&change.who))
        .bind(change.action.as_str())
        .bind(change.from.as_ref().map(|digest| &*digest.0))
        .bind(change.to.as_ref().map(|digest| &*digest.0))
        .bind(change.share.map(i64::from))
        .bind(plain(&change.why))
        .bind(optional_plain(change.refusal.as_ref()))
        .bind(plain(&change.detail))
        .execute(connection)
        .await
        .map_err(from_sqlx)?;
    Ok(number)
}
