//! What is kept of the knowledge of the page. Written once for both databases.

use async_trait::async_trait;
use pairing_core::{
    page_hooks::{HooksChange, HooksStore, HooksVersion},
    store::StoreError,
};

use crate::{
    committing::{commit, step},
    error::from_sqlx,
    postgres::PostgresStore,
    rows::{self, hooks as hooks_rows, plugins::plain},
    sqlite::SqliteStore,
};

macro_rules! hooks_store {
    ($store:ty) => {
        #[async_trait]
        impl HooksStore for $store {
            async fn put_hooks(&self, version: &HooksVersion) -> Result<(), StoreError> {
                self.within(async {
                    let mut write = self.writing().await?;
                    sqlx::query(hooks_rows::PUT)
                        .bind(&version.digest)
                        .bind(&version.text)
                        .bind(rows::time(version.pushed_at))
                        .bind(rows::json(&version.report)?)
                        .execute(&mut *write)
                        .await
                        .map_err(from_sqlx)?;
                    commit(write, step!("store.hooks.put")).await
                })
                .await
            }

            async fn hooks(&self) -> Result<Vec<HooksVersion>, StoreError> {
                self.within(async {
                    let found = sqlx::query(hooks_rows::VERSIONS).fetch_all(self.reading());
                    found.await.map_err(from_sqlx)?.iter().map(hooks_rows::version).collect()
                })
                .await
            }

            async fn change_hooks(&self, change: &HooksChange) -> Result<bool, StoreError> {
                self.within(async {
                    let mut write = self.writing().await?;
                    let written = sqlx::query(hooks_rows::CHANGE)
                        .bind(rows::integer(change.generation))
                        .bind(rows::time(change.at))
                        .bind(&change.digest)
                        .bind(&change.cause)
                        .bind(plain(&change.actor))
                        .execute(&mut *write)
                        .await
                        .map_err(from_sqlx)?;
                    commit(write, step!("store.hooks.change")).await?;
                    Ok(written.rows_affected() == 1)
                })
                .await
            }

            async fn hooks_changes(&self) -> Result<Vec<HooksChange>, StoreError> {
                self.within(async {
                    let found = sqlx::query(hooks_rows::CHANGES).fetch_all(self.reading());
                    found.await.map_err(from_sqlx)?.iter().map(hooks_rows::change).collect()
                })
                .await
            }
        }
    };
}

hooks_store!(SqliteStore);
hooks_store!(PostgresStore);
