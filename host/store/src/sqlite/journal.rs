//! The journal, and removing what has become old.

use async_trait::async_trait;
use pairing_core::{
    clock::Timestamp,
    event::{Cursor, EventData, JournalEvent},
    id::SessionName,
    store::{JournalStore, StoreError},
};
use sqlx::SqliteConnection;

use super::SqliteStore;
use crate::{
    committing::{commit, step},
    error::from_sqlx,
    rows::{self, Run},
};

#[async_trait]
impl JournalStore for SqliteStore {
    async fn read(&self, after: Cursor, limit: u32) -> Result<Vec<JournalEvent>, StoreError> {
        sqlx::query("SELECT * FROM journal WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(rows::integer(after.0))
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(from_sqlx)?
            .iter()
            .map(rows::journal_event)
            .collect()
    }

    async fn append(
        &self,
        session: &SessionName,
        at: Timestamp,
        events: &[EventData],
    ) -> Result<Vec<JournalEvent>, StoreError> {
        self.within(async {
            let run = Run { session, at, events };
            let mut write = self.writing().await?;
            let first = append(&mut write, run).await?;
            commit(write, step!("store.journal.append")).await?;
            Ok(run.entries(first))
        })
        .await
    }

    async fn bounds(&self) -> Result<(Cursor, Cursor), StoreError> {
        let row = sqlx::query(
            "SELECT COALESCE((SELECT MIN(id) FROM journal), last_id + 1) AS oldest,
                 last_id AS newest FROM journal_head",
        )
        .fetch_one(&self.readers)
        .await
        .map_err(from_sqlx)?;
        Ok((
            Cursor(rows::count("journal_head", "oldest", &row)?),
            Cursor(rows::count("journal_head", "newest", &row)?),
        ))
    }

    async fn purge(
        &self,
        journal_before: Timestamp,
        history_before: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut gone = 0;
        for (statement, before) in rows::PURGES.iter().zip([
            journal_before,
            history_before,
            history_before,
            history_before,
        ]) {
            loop {
                let removed = sqlx::query(*statement)
                    .bind(rows::time(before))
                    .bind(rows::PURGE_AT_ONCE)
                    .execute(&self.writer)
                    .await
                    .map_err(from_sqlx)?
                    .rows_affected();
                gone += removed;
                if removed < rows::PURGE_AT_ONCE.unsigned_abs() {
                    break;
                }
            }
        }
        Ok(gone)
    }
}

/// Gives the events the next places; answers the first, or 0.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    run: Run<'_>,
) -> Result<u64, StoreError> {
    let events = run.as_json()?;
    if events.is_empty() {
        return Ok(0);
    }
    let head = sqlx::query("UPDATE journal_head SET last_id = last_id + $1 RETURNING last_id")
        .bind(rows::integer(events.len() as u64))
        .fetch_one(&mut *connection)
        .await
        .map_err(from_sqlx)?;
    let last: u64 = rows::count("journal_head", "last_id", &head)?;
    let first = last + 1 - events.len() as u64;
    for (id, event) in (first..).zip(events) {
        sqlx::query("INSERT INTO journal (id, session_name, at, event) VALUES ($1, $2, $3, $4)")
            .bind(rows::integer(id))
            .bind(run.session.as_str())
            .bind(rows::time(run.at))
            .bind(event)
            .execute(&mut *connection)
            .await
            .map_err(from_sqlx)?;
    }
    Ok(first)
}
