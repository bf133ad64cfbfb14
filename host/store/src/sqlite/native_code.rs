//! Compiled components: a cache.

use async_trait::async_trait;
use pairing_core::{plugin::PluginDigest, plugin_store::NativeCodeStore, store::StoreError};

use super::SqliteStore;
use crate::error::from_sqlx;

#[async_trait]
impl NativeCodeStore for SqliteStore {
    async fn native_code(
        &self,
        digest: &PluginDigest,
        compatibility: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        sqlx::query_scalar(
            "SELECT sealed FROM plugin_native_code WHERE digest = $1 AND compatibility = $2",
        )
        .bind(&*digest.0)
        .bind(compatibility)
        .fetch_optional(&self.readers)
        .await
        .map_err(from_sqlx)
    }

    async fn put_native_code(
        &self,
        digest: &PluginDigest,
        compatibility: &str,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO plugin_native_code (digest, compatibility, written_at, sealed)
             VALUES ($1, $2, CAST(1000 * unixepoch('subsec') AS INTEGER), $3)
             ON CONFLICT (digest, compatibility) DO UPDATE SET
                 written_at = excluded.written_at, sealed = excluded.sealed",
        )
        .bind(&*digest.0)
        .bind(compatibility)
        .bind(sealed)
        .execute(&self.writer)
        .await
        .map_err(from_sqlx)?;
        Ok(())
    }
}
