//! Compiled components: a cache.

use async_trait::async_trait;
use pairing_core::{plugin::PluginDigest, plugin_store::NativeCodeStore, store::StoreError};

use super::PostgresStore;
use crate::{
    committing::{commit, step},
    error::from_sqlx,
};

#[async_trait]
impl NativeCodeStore for PostgresStore {
    async fn native_code(
        &self,
        digest: &PluginDigest,
        compatibility: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let mut read = self.begin_large().await?;
        self.within_large(async {
            let sealed = sqlx::query_scalar(
                "SELECT sealed FROM plugin_native_code WHERE digest = $1 AND compatibility = $2",
            )
            .bind(&*digest.0)
            .bind(compatibility)
            .fetch_optional(&mut *read)
            .await
            .map_err(from_sqlx)?;
            read.commit().await.map_err(from_sqlx)?;
            Ok(sealed)
        })
        .await
    }

    async fn put_native_code(
        &self,
        digest: &PluginDigest,
        compatibility: &str,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        let mut write = self.begin_large().await?;
        self.within_large(async {
            sqlx::query(
                "INSERT INTO plugin_native_code (digest, compatibility, written_at, sealed)
                 VALUES ($1, $2, (1000 * EXTRACT(EPOCH FROM now()))::BIGINT, $3)
                 ON CONFLICT (digest, compatibility) DO UPDATE SET
                     written_at = excluded.written_at, sealed = excluded.sealed",
            )
            .bind(&*digest.0)
            .bind(compatibility)
            .bind(sealed)
            .execute(&mut *write)
            .await
            .map_err(from_sqlx)?;
            commit(write, step!("store.plugin.native-code")).await
        })
        .await
    }
}
