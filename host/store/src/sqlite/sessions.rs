//! Sessions, their inputs and their history.

use async_trait::async_trait;
use pairing_core::{
    event::JournalEvent,
    evidence::Evidence,
    id::SessionName,
    plugin_store::Parked,
    session::SessionRecord,
    store::{Commit, HistoryEntry, RecordedInput, SessionStore, StoreError},
};
use sqlx::SqliteConnection;

use super::SqliteStore;
use crate::{
    committing::{self, step},
    error::from_sqlx,
    rows::{self, Run, evidence as evidence_rows},
};

#[async_trait]
impl SessionStore for SqliteStore {
    async fn sessions(&self) -> Result<Vec<SessionRecord>, StoreError> {
        sqlx::query("SELECT * FROM sessions ORDER BY name")
            .fetch_all(&self.readers)
            .await
            .map_err(from_sqlx)?
            .iter()
            .map(rows::session)
            .collect()
    }

    async fn commit(&self, commit: &Commit) -> Result<Vec<JournalEvent>, StoreError> {
        rows::consistent(commit)?;
        let mut write = self.write().await?;
        let in_turn = take_turn(&mut write, commit).await?;
        if (!in_turn || commit.delete)
            && let Some(first) = done_before(&mut write, commit).await?
        {
            write.rollback().await.map_err(from_sqlx)?;
            return Ok(Run::of(commit).entries(first));
        }
        if !in_turn {
            write.rollback().await.map_err(from_sqlx)?;
            return Err(rows::conflict(commit));
        }
        let first = super::journal::append(&mut write, Run::of(commit)).await?;
        if commit.delete {
            bury(&mut write, commit, first).await?;
        } else {
            record(&mut write, commit, first).await?;
        }
        committing::commit(write, step!("store.session.commit")).await?;
        Ok(Run::of(commit).entries(first))
    }

    async fn history(
        &self,
        session: &SessionName,
        after: u64,
        limit: u32,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        sqlx::query(evidence_rows::HISTORY)
            .bind(session.as_str())
            .bind(rows::integer(after))
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(from_sqlx)?
            .iter()
            .map(|row| rows::history(session, row))
            .collect()
    }

    async fn evidence(
        &self,
        session: &SessionName,
        input_number: u64,
    ) -> Result<Option<Evidence>, StoreError> {
        let found = sqlx::query(evidence_rows::EVIDENCE)
            .bind(session.as_str())
            .bind(rows::integer(input_number))
            .fetch_optional(&self.readers)
            .await
            .map_err(from_sqlx)?;
        found.map(|row| evidence_rows::evidence(session, input_number, &row)).transpose()
    }

    async fn inputs(
        &self,
        session: &SessionName,
        after: u64,
        limit: u32,
    ) -> Result<Vec<RecordedInput>, StoreError> {
        sqlx::query(
            "SELECT * FROM inputs WHERE session_name = $1 AND number > $2
             ORDER BY number LIMIT $3",
        )
        .bind(session.as_str())
        .bind(rows::integer(after))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(from_sqlx)?
        .iter()
        .map(|row| rows::input("inputs", session, row))
        .collect()
    }

    async fn park(&self, parked: &Parked) -> Result<(), StoreError> {
        super::parked::keep(self, parked).await
    }
}

/// Writes the row if it is at the input before this one; else answers false.
async fn take_turn(connection: &mut SqliteConnection, commit: &Commit) -> Result<bool, StoreError> {
    let record = &commit.record;
    let statement = if commit.input.number == 1 {
        "INSERT INTO sessions (view, state, state_schema, input_number, wake_up_at, created_at,
             updated_at, name)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO NOTHING"
    } else {
        "UPDATE sessions SET view = $1, state = $2, state_schema = $3, input_number = $4,
             wake_up_at = $5, created_at = $6, updated_at = $7
         WHERE name = $8 AND input_number = $4 - 1"
    };
    let written = sqlx::query(statement)
        .bind(rows::json(&record.view)?)
        .bind(&record.state)
        .bind(i64::from(record.state_schema))
        .bind(rows::integer(record.input_number))
        .bind(record.wake_up_at.map(rows::time))
        .bind(rows::time(record.created_at))
        .bind(rows::time(record.updated_at))
        .bind(record.name.as_str())
        .execute(connection)
        .await
        .map_err(from_sqlx)?;
    Ok(written.rows_affected() == 1)
}

/// Where the commit's events begin in the journal, if it was done already.
async fn done_before(
    connection: &mut SqliteConnection,
    commit: &Commit,
) -> Result<Option<u64>, StoreError> {
    for (table, statement) in [
        ("inputs", "SELECT * FROM inputs WHERE session_name = $1 AND number = $2"),
        ("deleted_sessions", "SELECT * FROM deleted_sessions WHERE name = $1 AND number = $2"),
    ] {
        let row = sqlx::query(statement)
            .bind(commit.record.name.as_str())
            .bind(rows::integer(commit.input.number))
            .fetch_optional(&mut *connection)
            .await
            .map_err(from_sqlx)?;
        if let Some(row) = row
            && rows::input(table, &commit.record.name, &row)? == commit.input
        {
            return rows::count(table, "first_event", &row).map(Some);
        }
    }
    Ok(None)
}

async fn record(
    connection: &mut SqliteConnection,
    commit: &Commit,
    first_event: u64,
) -> Result<(), StoreError> {
    let (session, input) = (commit.record.name.as_str(), &commit.input);
    sqlx::query(
        "INSERT INTO inputs (session_name, number, at, digest, input, context, transition,
             first_event, state_schema, fuel)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(session)
    .bind(rows::integer(input.number))
    .bind(rows::time(input.at))
    .bind(&*input.digest.0)
    .bind(&input.input)
    .bind(&input.context)
    .bind(&input.transition)
    .bind(rows::integer(first_event))
    .bind(i64::from(input.state_schema))
    .bind(rows::integer(input.fuel))
    .execute(&mut *connection)
    .await
    .map_err(from_sqlx)?;
    let Some(entry) = &commit.history else { return Ok(()) };
    add_history(connection, session, entry).await?;
    let Some(evidence) = &commit.evidence else { return Ok(()) };
    add_evidence(connection, session, entry.input_number, evidence).await
}

async fn add_history(
    connection: &mut SqliteConnection,
    session: &str,
    entry: &HistoryEntry,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO history (session_name, input_number, at, status, reason, detail, cause)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(session)
    .bind(rows::integer(entry.input_number))
    .bind(rows::time(entry.at))
    .bind(entry.status.as_str())
    .bind(entry.reason.map(|reason| reason.as_str()))
    .bind(rows::optional_json(entry.detail.as_ref())?)
    .bind(&entry.cause)
    .execute(connection)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

async fn add_evidence(
    connection: &mut SqliteConnection,
    session: &str,
    number: u64,
    evidence: &Evidence,
) -> Result<(), StoreError> {
    sqlx::query(evidence_rows::ADD)
        .bind(session)
        .bind(rows::integer(number))
        .bind(rows::json(evidence)?)
        .bind(&evidence.screenshot)
        .execute(&mut *connection)
        .await
        .map_err(from_sqlx)?;
    sqlx::query(evidence_rows::TRIM)
        .bind(session)
        .bind(evidence_rows::KEPT)
        .execute(connection)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// Removes the session with its inputs and history (by their foreign keys).
async fn bury(
    connection: &mut SqliteConnection,
    commit: &Commit,
    first_event: u64,
) -> Result<(), StoreError> {
    let (session, input) = (commit.record.name.as_str(), &commit.input);
    sqlx::query("DELETE FROM sessions WHERE name = $1")
        .bind(session)
        .execute(&mut *connection)
        .await
        .map_err(from_sqlx)?;
    sqlx::query(
        "INSERT INTO deleted_sessions (name, number, at, digest, input, context, transition,
             first_event, state_schema, fuel)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (name) DO UPDATE SET number = excluded.number, at = excluded.at,
             digest = excluded.digest, input = excluded.input, context = excluded.context,
             transition = excluded.transition, first_event = excluded.first_event,
             state_schema = excluded.state_schema, fuel = excluded.fuel",
    )
    .bind(session)
    .bind(rows::integer(input.number))
    .bind(rows::time(input.at))
    .bind(&*input.digest.0)
    .bind(&input.input)
    .bind(&input.context)
    .bind(&input.transition)
    .bind(rows::integer(first_event))
    .bind(i64::from(input.state_schema))
    .bind(rows::integer(input.fuel))
    .execute(connection)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}
