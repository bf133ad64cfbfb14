//! What plugins could not work.

use pairing_core::{plugin::Slot, plugin_store::Parked, store::StoreError};
use sqlx::PgPool;

use crate::{
    committing::{commit, step},
    error::from_sqlx,
    rows::plugins::{self as plugin_rows, optional_plain, plain},
};

/// Nothing is kept if the session is gone.
pub(super) async fn keep(pool: &PgPool, parked: &Parked) -> Result<(), StoreError> {
    let mut write = pool.begin().await.map_err(from_sqlx)?;
    super::changes::take_turn(&mut write).await?;
    sqlx::query(
        "INSERT INTO parked (session_name, slot, at, what, reason, input, context)
         SELECT name, $2, $3, $4, $5, $6, $7 FROM sessions WHERE name = $1
         FOR KEY SHARE",
    )
    .bind(parked.session.as_str())
    .bind(parked.slot.as_str())
    .bind(crate::rows::time(parked.at))
    .bind(plain(&parked.what))
    .bind(plain(&parked.reason))
    .bind(optional_plain(parked.input.as_ref()))
    .bind(optional_plain(parked.context.as_ref()))
    .execute(&mut *write)
    .await
    .map_err(from_sqlx)?;
    sqlx::query(plugin_rows::TRIM_PARKED)
        .bind(parked.slot.as_str())
        .execute(&mut *write)
        .await
        .map_err(from_sqlx)?;
    commit(write, step!("store.plugin.park")).await
}

pub(super) async fn newest(
    pool: &PgPool,
    slot: Slot,
    limit: u32,
) -> Result<Vec<Parked>, StoreError> {
    sqlx::query(plugin_rows::PARKED)
        .bind(slot.as_str())
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await
        .map_err(from_sqlx)?
        .iter()
        .map(plugin_rows::parked)
        .collect()
}
