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
use sqlx::PgConnection;

use super::{
    PostgresStore,
    changes::{add_change, generation, next_number},
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
impl PluginStore for PostgresStore {
    async fn add_version(
        &self,
        version: &PluginVersion,
        component: &[u8],
    ) -> Result<(), StoreError> {
        let mut write = self.begin_large().await?;
        self.within_large(async {
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
        })
        .await
    }

    async fn versions(&self, slot: Slot) -> Result<Vec<PluginVersion>, StoreError> {
        self.within(async {
            sqlx::query(plugin_rows::VERSIONS)
                .bind(slot.as_str())
                .fetch_all(&self.pool)
                .await
                .map_err(from_sqlx)?
                .iter()
                .map(plugin_rows::version)
                .collect()
        })
        .await
    }

    async fn component(&self, digest: &PluginDigest) -> Result<Option<Vec<u8>>, StoreError> {
        let mut read = self.begin_large().await?;
        self.within_large(async {
            let component =
                sqlx::query_scalar("SELECT component FROM plugin_artifacts WHERE digest = $1")
                    .bind(&*digest.0)
                    .fetch_optional(&mut *read)
                    .await
                    .map_err(from_sqlx)?;
            read.commit().await.map_err(from_sqlx)?;
            Ok(component)
        })
        .await
    }

    async fn slots(&self) -> Result<Vec<SlotState>, StoreError> {
        self.within(async {
            sqlx::query("SELECT * FROM plugin_slots")
                .fetch_all(&self.pool)
                .await
                .map_err(from_sqlx)?
                .iter()
                .map(plugin_rows::slot)
                .collect::<Result<Vec<_>, _>>()
                .map(plugin_rows::in_order)
        })
        .await
    }

    async fn activate(&self, activation: &Activation) -> Result<Option<u64>, StoreError> {
        self.within(async {
            let slot = activation.change.slot;
            let mut write = self.pool.begin().await.map_err(from_sqlx)?;
            // From here on nobody else changes a slot.
            let number = next_number(&mut write).await?;
            if generation(&mut write, slot).await? != activation.expected {
                write.rollback().await.map_err(from_sqlx)?;
                return Ok(None);
            }
            add_change(&mut write, number, &activation.change).await?;
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
        })
        .await
    }

    async fn note(&self, change: &PluginChange) -> Result<u64, StoreError> {
        self.within(async {
            let mut write = self.pool.begin().await.map_err(from_sqlx)?;
            let number = next_number(&mut write).await?;
            add_change(&mut write, number, change).await?;
            commit(write, step!("store.plugin.note")).await?;
            Ok(number)
        })
        .await
    }

    async fn changes(
        &self,
        slot: Slot,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<NumberedChange>, StoreError> {
        self.within(async {
            sqlx::query(plugin_rows::CHANGES)
                .bind(slot.as_str())
                .bind(before.map_or(i64::MAX, rows::integer))
                .bind(i64::from(limit))
                .fetch_all(&self.pool)
                .await
                .map_err(from_sqlx)?
                .iter()
                .map(plugin_rows::change)
                .collect()
        })
        .await
    }

    async fn pins(&self) -> Result<Vec<Pin>, StoreError> {
        self.within(pins::all(&self.pool)).await
    }

    async fn pin(&self, pin: &Pin) -> Result<(), StoreError> {
        self.within(pins::put(&self.pool, pin)).await
    }

    async fn add_verdict(&self, verdict: &Verdict) -> Result<(), StoreError> {
        self.within(async {
            sqlx::query(plugin_rows::ADD_VERDICT)
                .bind(verdict.slot.as_str())
                .bind(verdict.digest.as_ref().map(|digest| &*digest.0))
                .bind(rows::time(verdict.at))
                .bind(&verdict.gate)
                .bind(i64::from(verdict.passed))
                .bind(plain(&verdict.message))
                .bind(optional_plain(verdict.report.as_ref()))
                .execute(&self.pool)
                .await
                .map_err(from_sqlx)?;
            Ok(())
        })
        .await
    }

    async fn verdicts(
        &self,
        slot: Slot,
        digest: &PluginDigest,
    ) -> Result<Vec<Verdict>, StoreError> {
        self.within(async {
            sqlx::query(plugin_rows::VERDICTS)
                .bind(slot.as_str())
                .bind(&*digest.0)
                .fetch_all(&self.pool)
                .await
                .map_err(from_sqlx)?
                .iter()
                .map(plugin_rows::verdict)
                .collect()
        })
        .await
    }

    async fn parked(&self, slot: Slot, limit: u32) -> Result<Vec<Parked>, StoreError> {
        self.within(parked::newest(&self.pool, slot, limit)).await
    }
}

async fn add_version(
    connection: &mut PgConnection,
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
