//! Subscriptions, how far they have come, and what their handlers keep. Written
//! once for both databases, which understand the same statements here.

use async_trait::async_trait;
use pairing_core::{
    clock::Timestamp,
    delivery_store::{
        DeadLetter, DeliveryStore, KvEntry, KvExpected, KvPut, KvQuota, KvStore, Progress,
        ProgressChange,
    },
    event::{Cursor, JournalEvent},
    id::SessionName,
    store::StoreError,
    subscription::{SealedSecret, Subscription, SubscriptionId},
};
use uuid::Uuid;

use crate::{
    committing::{commit, step},
    error::from_sqlx,
    postgres::PostgresStore,
    rows::{
        self, deliveries as delivery_rows, integer,
        plugins::{optional_plain, plain},
        time,
    },
    sqlite::SqliteStore,
};

/// Never given twice, and no database's number is larger.
fn new_epoch() -> i64 {
    let (random, _) = Uuid::new_v4().as_u64_pair();
    integer(random >> 1)
}

/// Handler and name.
fn key(id: &SubscriptionId) -> (&str, &str) {
    (id.handler.as_str(), id.name.as_str())
}

/// A statement about one subscription.
macro_rules! about {
    ($statement:expr, $id:expr) => {{
        let (handler, name) = key($id);
        sqlx::query($statement).bind(handler.to_owned()).bind(name.to_owned())
    }};
}

macro_rules! delivery_store {
    ($store:ty, $lists:expr) => {
        #[async_trait]
        impl DeliveryStore for $store {
            async fn subscriptions(&self) -> Result<Vec<Subscription>, StoreError> {
                self.within(async {
                    let found = sqlx::query(delivery_rows::SUBSCRIPTIONS);
                    let found = found.fetch_all(self.reading()).await.map_err(from_sqlx)?;
                    delivery_rows::subscriptions(&found)
                })
                .await
            }

            async fn put_subscription(
                &self,
                subscription: &Subscription,
                from: Cursor,
            ) -> Result<(), StoreError> {
                self.within(async {
                    let id = &subscription.id;
                    let mut write = self.writing().await?;
                    about!(delivery_rows::PUT_SUBSCRIPTION, id)
                        .bind(rows::json(&subscription.settings)?)
                        .bind(optional_plain(subscription.disabled.as_ref()))
                        .bind(integer(from.0))
                        .bind(new_epoch())
                        .bind(time(subscription.created_at))
                        .bind(time(subscription.updated_at))
                        .bind(plain(&subscription.updated_by))
                        .execute(&mut *write)
                        .await
                        .map_err(from_sqlx)?;
                    let forgotten = about!(delivery_rows::FORGET_SECRETS, id).execute(&mut *write);
                    forgotten.await.map_err(from_sqlx)?;
                    for (secret, SealedSecret(sealed)) in &subscription.secrets {
                        about!(delivery_rows::ADD_SECRET, id)
                            .bind(secret)
                            .bind(sealed)
                            .execute(&mut *write)
                            .await
                            .map_err(from_sqlx)?;
                    }
                    commit(write, step!("store.subscription.put")).await
                })
                .await
            }

            async fn seek(&self, id: &SubscriptionId, cursor: Cursor) -> Result<bool, StoreError> {
                self.within(async {
                    let mut write = self.writing().await?;
                    let moved = about!(delivery_rows::SEEK, id)
                        .bind(integer(cursor.0))
                        .bind(new_epoch())
                        .execute(&mut *write)
                        .await
                        .map_err(from_sqlx)?;
                    let forgotten = about!(delivery_rows::FORGET_LANES, id).execute(&mut *write);
                    forgotten.await.map_err(from_sqlx)?;
                    commit(write, step!("store.subscription.seek")).await?;
                    Ok(moved.rows_affected() > 0)
                })
                .await
            }

            async fn set_disabled(
                &self,
                id: &SubscriptionId,
                why: Option<&str>,
            ) -> Result<bool, StoreError> {
                self.within(async {
                    let mut write = self.writing().await?;
                    let set = about!(delivery_rows::SET_DISABLED, id).bind(why.map(plain));
                    let set = set.execute(&mut *write).await.map_err(from_sqlx)?;
                    commit(write, step!("store.subscription.set-disabled")).await?;
                    Ok(set.rows_affected() > 0)
                })
                .await
            }

            async fn remove_subscription(&self, id: &SubscriptionId) -> Result<bool, StoreError> {
                // There may be so many that one statement would take too long.
                loop {
                    let removed = self
                        .within(async {
                            let mut write = self.writing().await?;
                            let removed = about!(delivery_rows::REMOVE_DEAD_LETTERS, id)
                                .bind(rows::PURGE_AT_ONCE)
                                .execute(&mut *write)
                                .await
                                .map_err(from_sqlx)?;
                            commit(write, step!("store.subscription.remove-letters")).await?;
                            Ok(removed.rows_affected())
                        })
                        .await?;
                    if removed < rows::PURGE_AT_ONCE.unsigned_abs() {
                        break;
                    }
                }
                self.within(async {
                    let mut write = self.writing().await?;
                    let gone = about!(delivery_rows::REMOVE_SUBSCRIPTION, id).execute(&mut *write);
                    let gone = gone.await.map_err(from_sqlx)?;
                    commit(write, step!("store.subscription.remove")).await?;
                    Ok(gone.rows_affected() > 0)
                })
                .await
            }

            async fn progress(&self, id: &SubscriptionId) -> Result<Option<Progress>, StoreError> {
                self.within(async {
                    let found = about!(delivery_rows::PROGRESS, id);
                    let found = found.fetch_all(self.reading()).await.map_err(from_sqlx)?;
                    delivery_rows::progress(&found)
                })
                .await
            }

            async fn save_progress(
                &self,
                id: &SubscriptionId,
                change: &ProgressChange,
            ) -> Result<bool, StoreError> {
                self.within(async {
                    let mut write = self.writing().await?;
                    let moved = about!(delivery_rows::MOVE_ON, id)
                        .bind(integer(change.cursor.0))
                        .bind(integer(change.epoch))
                        .execute(&mut *write)
                        .await
                        .map_err(from_sqlx)?;
                    if moved.rows_affected() == 0 {
                        write.rollback().await.map_err(from_sqlx)?;
                        return Ok(false);
                    }
                    for (statement, list) in $lists.of(change)? {
                        let changed = about!(statement, id).bind(list).execute(&mut *write);
                        changed.await.map_err(from_sqlx)?;
                    }
                    commit(write, step!("store.delivery.progress")).await?;
                    Ok(true)
                })
                .await
            }

            async fn session_events(
                &self,
                session: &SessionName,
                after: Cursor,
                limit: u32,
            ) -> Result<Vec<JournalEvent>, StoreError> {
                self.within(async {
                    sqlx::query(delivery_rows::SESSION_EVENTS)
                        .bind(session.as_str())
                        .bind(integer(after.0))
                        .bind(i64::from(limit))
                        .fetch_all(self.reading())
                        .await
                        .map_err(from_sqlx)?
                        .iter()
                        .map(rows::journal_event)
                        .collect()
                })
                .await
            }

            async fn dead_letters(
                &self,
                id: &SubscriptionId,
                after: Cursor,
                limit: u32,
            ) -> Result<Vec<DeadLetter>, StoreError> {
                self.within(async {
                    about!(delivery_rows::DEAD_LETTERS, id)
                        .bind(integer(after.0))
                        .bind(i64::from(limit))
                        .fetch_all(self.reading())
                        .await
                        .map_err(from_sqlx)?
                        .iter()
                        .map(delivery_rows::dead_letter)
                        .collect()
                })
                .await
            }

            async fn dead_letter(
                &self,
                id: &SubscriptionId,
                event: Cursor,
            ) -> Result<Option<DeadLetter>, StoreError> {
                self.within(async {
                    let found = about!(delivery_rows::DEAD_LETTER, id).bind(integer(event.0));
                    let found = found.fetch_optional(self.reading()).await.map_err(from_sqlx)?;
                    found.as_ref().map(delivery_rows::dead_letter).transpose()
                })
                .await
            }

            async fn count_dead_letters(&self, id: &SubscriptionId) -> Result<u64, StoreError> {
                self.within(async {
                    let found = about!(delivery_rows::COUNT_DEAD_LETTERS, id);
                    let found = found.fetch_one(self.reading()).await.map_err(from_sqlx)?;
                    rows::count("dead_letters", "letters", &found)
                })
                .await
            }

            async fn requeue(
                &self,
                id: &SubscriptionId,
                from: Cursor,
                to: Cursor,
                at: Timestamp,
            ) -> Result<u64, StoreError> {
                self.within(async {
                    let mut write = self.writing().await?;
                    let marked = about!(delivery_rows::REQUEUE, id)
                        .bind(integer(from.0))
                        .bind(integer(to.0))
                        .bind(time(at))
                        .execute(&mut *write)
                        .await
                        .map_err(from_sqlx)?;
                    commit(write, step!("store.delivery.requeue")).await?;
                    Ok(marked.rows_affected())
                })
                .await
            }

            async fn requeued(
                &self,
                id: &SubscriptionId,
                limit: u32,
            ) -> Result<Vec<DeadLetter>, StoreError> {
                self.within(async {
                    about!(delivery_rows::REQUEUED, id)
                        .bind(i64::from(limit))
                        .fetch_all(self.reading())
                        .await
                        .map_err(from_sqlx)?
                        .iter()
                        .map(delivery_rows::dead_letter)
                        .collect()
                })
                .await
            }

            async fn purge_dead_letters(&self, before: Timestamp) -> Result<u64, StoreError> {
                let mut gone = 0;
                loop {
                    let removed = self
                        .within(async {
                            let mut write = self.writing().await?;
                            let removed = sqlx::query(delivery_rows::PURGE_DEAD_LETTERS)
                                .bind(time(before))
                                .bind(rows::PURGE_AT_ONCE)
                                .execute(&mut *write)
                                .await
                                .map_err(from_sqlx)?;
                            commit(write, step!("store.delivery.purge")).await?;
                            Ok(removed.rows_affected())
                        })
                        .await?;
                    gone += removed;
                    if removed < rows::PURGE_AT_ONCE.unsigned_abs() {
                        return Ok(gone);
                    }
                }
            }
        }

        #[async_trait]
        impl KvStore for $store {
            async fn kv_get(
                &self,
                id: &SubscriptionId,
                key: &str,
            ) -> Result<Option<KvEntry>, StoreError> {
                self.within(async {
                    let found = about!(delivery_rows::KV_GET, id).bind(key.to_owned());
                    let found = found.fetch_optional(self.reading()).await.map_err(from_sqlx)?;
                    found.as_ref().map(delivery_rows::kv_entry).transpose()
                })
                .await
            }

            async fn kv_put(
                &self,
                id: &SubscriptionId,
                key: &str,
                value: &[u8],
                expected: KvExpected,
                quota: KvQuota,
            ) -> Result<KvPut, StoreError> {
                self.within(async {
                    let mut write = self.writing().await?;
                    let revision = about!(delivery_rows::NEXT_REVISION, id);
                    let revision = revision.fetch_optional(&mut *write).await.map_err(from_sqlx)?;
                    let Some(revision) = revision else {
                        return Err(StoreError::Refused(format!("there is no subscription {id}")));
                    };
                    let revision: u64 = rows::count("subscriptions", "kv_revision", &revision)?;
                    let there = about!(delivery_rows::KV_GET, id).bind(key.to_owned());
                    let there = there.fetch_optional(&mut *write).await.map_err(from_sqlx)?;
                    let there = there.as_ref().map(delivery_rows::kv_entry).transpose()?;
                    let is_as_expected = match expected {
                        KvExpected::Anything => true,
                        KvExpected::Absent => there.is_none(),
                        KvExpected::Revision(revision) => {
                            there.as_ref().is_some_and(|there| there.revision == revision)
                        }
                    };
                    if !is_as_expected {
                        write.rollback().await.map_err(from_sqlx)?;
                        return Ok(KvPut::Stale(there));
                    }
                    let used = about!(delivery_rows::KV_USED, id).bind(key.to_owned());
                    let used = used.fetch_one(&mut *write).await.map_err(from_sqlx)?;
                    let keys = rows::count("handler_kv", "keys", &used)? + 1;
                    let size = (key.len() + value.len()) as u64;
                    let bytes = rows::count("handler_kv", "bytes", &used)? + size;
                    if keys > quota.keys || bytes > quota.bytes {
                        write.rollback().await.map_err(from_sqlx)?;
                        return Ok(KvPut::OverQuota);
                    }
                    about!(delivery_rows::KV_PUT, id)
                        .bind(key.to_owned())
                        .bind(value.to_owned())
                        .bind(integer(revision))
                        .execute(&mut *write)
                        .await
                        .map_err(from_sqlx)?;
                    commit(write, step!("store.kv.put")).await?;
                    Ok(KvPut::Stored(revision))
                })
                .await
            }

            async fn kv_delete(&self, id: &SubscriptionId, key: &str) -> Result<bool, StoreError> {
                self.within(async {
                    let mut write = self.writing().await?;
                    let gone = about!(delivery_rows::KV_DELETE, id).bind(key.to_owned());
                    let gone = gone.execute(&mut *write).await.map_err(from_sqlx)?;
                    commit(write, step!("store.kv.delete")).await?;
                    Ok(gone.rows_affected() > 0)
                })
                .await
            }

            async fn kv_keys(
                &self,
                id: &SubscriptionId,
                prefix: &str,
                after: Option<&str>,
                limit: u32,
            ) -> Result<Vec<String>, StoreError> {
                self.within(async {
                    about!(delivery_rows::KV_KEYS, id)
                        .bind(prefix.to_owned())
                        .bind(after.unwrap_or_default().to_owned())
                        .bind(i64::from(limit))
                        .fetch_all(self.reading())
                        .await
                        .map_err(from_sqlx)?
                        .iter()
                        .map(delivery_rows::kv_key)
                        .collect()
                })
                .await
            }
        }
    };
}

delivery_store!(SqliteStore, rows::progress::SQLITE);
delivery_store!(PostgresStore, rows::progress::POSTGRES);
