//! Whose turn it is to change a slot, and the history of it.

use pairing_core::{plugin::Slot, plugin_store::PluginChange, store::StoreError};
use sqlx::PgConnection;

use crate::{
    error::from_sqlx,
    rows::{
        self,
        plugins::{self as plugin_rows, optional_plain, plain},
    },
};

pub(super) async fn generation(
    connection: &mut PgConnection,
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

/// Waits for those who change the registry, and keeps others waiting until the
/// transaction ends.
pub(super) async fn take_turn(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("SELECT last_number FROM plugin_change_head FOR UPDATE")
        .execute(connection)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// The number of the next change; all others wait until the transaction ends.
pub(super) async fn next_number(connection: &mut PgConnection) -> Result<u64, StoreError> {
    let head =
        sqlx::query(plugin_rows::NEXT_NUMBER).fetch_one(connection).await.map_err(from_sqlx)?;
    rows::count("plugin_change_head", "last_number", &head)
}

pub(super) async fn add_change(
    connection: &mut PgConnection,
    number: u64,
    change: &PluginChange,
) -> Result<(), StoreError> {
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
    Ok(())
}
