//! The registry of plugins: versions, slots, their history, verdicts.

use async_trait::async_trait;
use pairing_core::{
    plugin::{PluginDigest, Slot},
    plugin_store::{
        Activation, NumberedChange, Parked, Pin, PluginChange, PluginStore, PluginVersion,
        SlotState, Verdict,
    },
    store::StoreError,
};
use sqlx::SqliteConnection;

use super::{
    SqliteStore,
    changes::{add_change, generation},
    parked, pins,
};
use crate::{
    committing::{commit, step},
    error::from_sqlx,
    rows::{
        self,
        plugins::{self as plugin_rows, optional_plain, plain},
    },
};

#[async_trait]
impl PluginStore for SqliteStore {
    async fn add_version(
        &self,
        version: &PluginVersion,
        component: &[u8],
    ) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        sqlx::query(
            "INSERT INTO plugin_artifacts (digest, size, component) VALUES ($1, $2, $3)
             ON CONFLICT (digest) DO UPDATE SET component = excluded.component",
        )
        .bind(&*version.digest.0)
        .bind(rows::integer(component.len() as u64))
        .bind(component)
        .execute(&mut *write)
        .await
        .map_err(from_sqlx)?;
        add_version(&mut write, version).await?;
        commit(write, step!("store.plugin.add-version")).await
    }

    async fn versions(&self, slot: Slot) -> Result<Vec<PluginVersion>, StoreError> {
        sqlx::query(plugin_rows::VERSIONS)
            .bind(slot.as_str())
            .fetch_all(&self.readers)
            .await
            .map_err(from_sqlx)?
            .iter()
            .map(plugin_rows::version)
            .collect()
    }

    async fn component(&self, digest: &PluginDigest) -> Result<Option<Vec<u8>>, StoreError> {
        sqlx::query_scalar("SELECT component FROM plugin_artifacts WHERE digest = $1")
            .bind(&*digest.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(from_sqlx)
    }

    async fn slots(&self) -> Result<Vec<SlotState>, StoreError> {
        sqlx::query("SELECT * FROM plugin_slots")
            .fetch_all(&self.readers)
            .await
            .map_err(from_sqlx)?
            .iter()
            .map(plugin_rows::slot)
            .collect::<Result<Vec<_>, _>>()
            .map(plugin_rows::in_order)
    }

    async fn activate(&self, activation: &Activation) -> Result<Option<u64>, StoreError> {
        let slot = activation.change.slot;
        let mut write = self.write().await?;
        if generation(&mut write, slot).await? != activation.expected {
            write.rollback().await.map_err(from_sqlx)?;
            return Ok(None);
        }
        let number = add_change(&mut write, &activation.change).await?;
        sqlx::query(plugin_rows::SET_SLOT)
            .bind(slot.as_str())
            .bind(rows::integer(number))
            .bind(&*activation.active.0)
            .bind(activation.canary.as_ref().map(|canary| &*canary.digest.0))
            .bind(activation.canary.as_ref().map(|canary| i64::from(canary.share)))
            .execute(&mut *write)
            .await
            .map_err(from_sqlx)?;
        // Only the workflow keeps a state that a session could stay with.
        if slot == Slot::Workflow {
            pins::replace(&mut write, &activation.pins).await?;
        }
        commit(write, step!("store.plugin.activate")).await?;
        Ok(Some(number))
    }

    async fn note(&self, change: &PluginChange) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
        let number = add_change(&mut write, change).await?;
        commit(write, step!("store.plugin.note")).await?;
        Ok(number)
    }

    async fn changes(
        &self,
        slot: Slot,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<NumberedChange>, StoreError> {
        sqlx::query(plugin_rows::CHANGES)
            .bind(slot.as_str())
            .bind(before.map_or(i64::MAX, rows::integer))
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(from_sqlx)?
            .iter()
            .map(plugin_rows::change)
            .collect()
    }

    async fn pins(&self) -> Result<Vec<Pin>, StoreError> {
        pins::all(&self.readers).await
    }

    async fn pin(&self, pin: &Pin) -> Result<(), StoreError> {
        pins::put(&self.writer, pin).await
    }

    async fn add_verdict(&self, verdict: &Verdict) -> Result<(), StoreError> {
        sqlx::query(plugin_rows::ADD_VERDICT)
            .bind(verdict.slot.as_str())
            .bind(verdict.digest.as_ref().map(|digest| &*digest.0))
            .bind(rows::time(verdict.at))
            .bind(&verdict.gate)
            .bind(i64::from(verdict.passed))
            .bind(plain(&verdict.message))
            .bind(optional_plain(verdict.report.as_ref()))
            .execute(&self.writer)
            .await
            .map_err(from_sqlx)?;
        Ok(())
    }

    async fn verdicts(
        &self,
        slot: Slot,
        digest: &PluginDigest,
    ) -> Result<Vec<Verdict>, StoreError> {
        sqlx::query(plugin_rows::VERDICTS)
            .bind(slot.as_str())
            .bind(&*digest.0)
            .fetch_all(&self.readers)
            .await
            .map_err(from_sqlx)?
            .iter()
            .map(plugin_rows::verdict)
            .collect()
    }

    async fn parked(&self, slot: Slot, limit: u32) -> Result<Vec<Parked>, StoreError> {
        parked::newest(&self.readers, slot, limit).await
    }
}

async fn add_version(
    connection: &mut SqliteConnection,
    version: &PluginVersion,
) -> Result<(), StoreError> {
    sqlx::query(plugin_rows::ADD_VERSION)
        .bind(version.slot.as_str())
        .bind(&*version.digest.0)
        .bind(plain(&version.name))
        .bind(plain(&version.version))
        .bind(&version.source)
        .bind(optional_plain(version.signed_by.as_ref()))
        .bind(optional_plain(version.accepted_by.as_ref()))
        .bind(rows::json(&version.facts)?)
        .bind(rows::time(version.created_at))
        .bind(plain(&version.created_by))
        .execute(connection)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}
