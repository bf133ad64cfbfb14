//! Rows of either database to the words of the core, and back. A value that
//! can't be read is told with table, column and row.

pub(crate) mod deliveries;
pub(crate) mod evidence;
pub(crate) mod hooks;
pub(crate) mod plugins;
pub(crate) mod progress;

use pairing_core::{
    clock::Timestamp,
    event::{Cursor, EventData, JournalEvent},
    id::SessionName,
    plugin::PluginDigest,
    session::SessionRecord,
    store::{Admin, Commit, HistoryEntry, Login, RecordedInput, StoreError},
};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::Row;
use uuid::Uuid;

/// What both databases' rows can be asked for.
pub(crate) trait Columns {
    fn text(&self, column: &'static str) -> Result<String, sqlx::Error>;
    fn optional_text(&self, column: &'static str) -> Result<Option<String>, sqlx::Error>;
    fn integer(&self, column: &'static str) -> Result<i64, sqlx::Error>;
    fn optional_integer(&self, column: &'static str) -> Result<Option<i64>, sqlx::Error>;
    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, sqlx::Error>;
    fn optional_bytes(&self, column: &'static str) -> Result<Option<Vec<u8>>, sqlx::Error>;
}

macro_rules! columns_of {
    ($row:ty) => {
        impl Columns for $row {
            fn text(&self, column: &'static str) -> Result<String, sqlx::Error> {
                self.try_get(column)
            }
            fn optional_text(&self, column: &'static str) -> Result<Option<String>, sqlx::Error> {
                self.try_get(column)
            }
            fn integer(&self, column: &'static str) -> Result<i64, sqlx::Error> {
                self.try_get(column)
            }
            fn optional_integer(&self, column: &'static str) -> Result<Option<i64>, sqlx::Error> {
                self.try_get(column)
            }
            fn bytes(&self, column: &'static str) -> Result<Vec<u8>, sqlx::Error> {
                self.try_get(column)
            }
            fn optional_bytes(&self, column: &'static str) -> Result<Option<Vec<u8>>, sqlx::Error> {
                self.try_get(column)
            }
        }
    };
}

columns_of!(sqlx::sqlite::SqliteRow);
columns_of!(sqlx::postgres::PgRow);

/// A row that is being read, with what an error says about it.
struct Reading<'r, R> {
    row: &'r R,
    table: &'static str,
    key: String,
}

impl<'r, R: Columns> Reading<'r, R> {
    fn of(table: &'static str, row: &'r R, key: String) -> Self {
        Self { row, table, key }
    }

    fn corrupt(&self, column: &'static str, message: impl ToString) -> StoreError {
        StoreError::Corrupt {
            table: self.table,
            column,
            row: self.key.clone(),
            message: message.to_string(),
        }
    }

    fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.row.text(column).map_err(|error| self.corrupt(column, error))
    }

    fn optional_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.row.optional_text(column).map_err(|error| self.corrupt(column, error))
    }

    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        self.row.bytes(column).map_err(|error| self.corrupt(column, error))
    }

    fn number<N: TryFrom<i64, Error: ToString>>(
        &self,
        column: &'static str,
    ) -> Result<N, StoreError> {
        let number = self.row.integer(column).map_err(|error| self.corrupt(column, error))?;
        N::try_from(number).map_err(|error| self.corrupt(column, error))
    }

    fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.number(column).map(Timestamp)
    }

    fn optional_time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        match self.row.optional_integer(column) {
            Ok(None) => Ok(None),
            _ => self.time(column).map(Some),
        }
    }

    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(column)?).map_err(|error| self.corrupt(column, error))
    }

    /// A bare word, such as a status, that is a string in JSON.
    fn word<T: DeserializeOwned>(
        &self,
        column: &'static str,
        word: String,
    ) -> Result<T, StoreError> {
        serde_json::from_value(word.into()).map_err(|error| self.corrupt(column, error))
    }

    fn uuid(&self, column: &'static str) -> Result<Uuid, StoreError> {
        Uuid::parse_str(&self.text(column)?).map_err(|error| self.corrupt(column, error))
    }

    fn session(&self, column: &'static str) -> Result<SessionName, StoreError> {
        self.text(column)?.parse().map_err(|error| self.corrupt(column, error))
    }

    fn digest(&self, column: &'static str) -> Result<PluginDigest, StoreError> {
        self.text(column).map(|text| PluginDigest(text.into()))
    }
}

pub(crate) fn session(row: &impl Columns) -> Result<SessionRecord, StoreError> {
    let row = Reading::of("sessions", row, row.text("name").unwrap_or_default());
    Ok(SessionRecord {
        name: row.session("name")?,
        view: row.json("view")?,
        state: row.bytes("state")?,
        state_schema: row.number("state_schema")?,
        input_number: row.number("input_number")?,
        wake_up_at: row.optional_time("wake_up_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

/// From `inputs`, or from `deleted_sessions`.
pub(crate) fn input(
    table: &'static str,
    session: &SessionName,
    row: &impl Columns,
) -> Result<RecordedInput, StoreError> {
    let number = row.integer("number").unwrap_or_default();
    let row = Reading::of(table, row, format!("{session}/{number}"));
    Ok(RecordedInput {
        number: row.number("number")?,
        at: row.time("at")?,
        digest: row.digest("digest")?,
        state_schema: row.number("state_schema")?,
        fuel: row.number("fuel")?,
        input: row.text("input")?,
        context: row.text("context")?,
        transition: row.text("transition")?,
    })
}

pub(crate) fn history(
    session: &SessionName,
    row: &impl Columns,
) -> Result<HistoryEntry, StoreError> {
    let number = row.integer("input_number").unwrap_or_default();
    let row = Reading::of("history", row, format!("{session}/{number}"));
    let reason = row.optional_text("reason")?;
    let detail = row.optional_text("detail")?;
    Ok(HistoryEntry {
        input_number: row.number("input_number")?,
        at: row.time("at")?,
        status: row.word("status", row.text("status")?)?,
        reason: reason.map(|word| row.word("reason", word)).transpose()?,
        detail: detail.map(|_| row.json("detail")).transpose()?,
        cause: row.text("cause")?,
        has_evidence: row.number::<u64>("has_evidence")? > 0,
    })
}

pub(crate) fn journal_event(row: &impl Columns) -> Result<JournalEvent, StoreError> {
    let row = Reading::of("journal", row, row.integer("id").unwrap_or_default().to_string());
    Ok(JournalEvent {
        id: Cursor(row.number("id")?),
        session: SessionName::from_journal(&row.text("session_name")?)
            .map_err(|error| row.corrupt("session_name", error))?,
        at: row.time("at")?,
        data: row.json("event")?,
    })
}

pub(crate) fn admin(row: &impl Columns) -> Result<Admin, StoreError> {
    let row = Reading::of("admins", row, row.text("id").unwrap_or_default());
    Ok(Admin {
        id: row.uuid("id")?,
        username: row.text("username")?,
        password_hash: row.text("password_hash")?,
        created_at: row.time("created_at")?,
    })
}

pub(crate) fn login(row: &impl Columns) -> Result<Login, StoreError> {
    let row = Reading::of("logins", row, row.text("id").unwrap_or_default());
    Ok(Login {
        id: row.uuid("id")?,
        admin: row.uuid("admin")?,
        counter: row.number("counter")?,
        rotated_at: row.time("rotated_at")?,
        created_at: row.time("created_at")?,
    })
}

/// A single number that the table's own constraints keep from being negative.
pub(crate) fn count(
    table: &'static str,
    column: &'static str,
    row: &impl Columns,
) -> Result<u64, StoreError> {
    Reading::of(table, row, String::new()).number(column)
}

/// As both databases keep numbers. What is larger means "never" or "none so
/// far", and the largest number that there is means that too.
pub(crate) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn time(time: Timestamp) -> i64 {
    integer(time.0)
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Refused(error.to_string()))
}

pub(crate) fn optional_json<T: Serialize>(value: Option<&T>) -> Result<Option<String>, StoreError> {
    value.map(json).transpose()
}

/// Names are compared in this form.
pub(crate) fn username_key(username: &str) -> String {
    username.to_lowercase()
}

/// Events that are written to the journal together.
#[derive(Clone, Copy)]
pub(crate) struct Run<'e> {
    pub(crate) session: &'e SessionName,
    pub(crate) at: Timestamp,
    pub(crate) events: &'e [EventData],
}

impl<'e> Run<'e> {
    pub(crate) fn of(commit: &'e Commit) -> Self {
        Self { session: &commit.record.name, at: commit.input.at, events: &commit.events }
    }

    /// As JSON, in order.
    pub(crate) fn as_json(self) -> Result<Vec<String>, StoreError> {
        self.events.iter().map(json::<EventData>).collect()
    }

    /// The entries, if the first is at `first`.
    pub(crate) fn entries(self, first: u64) -> Vec<JournalEvent> {
        let entry = |(id, data): (u64, &EventData)| JournalEvent {
            id: Cursor(id),
            session: self.session.clone(),
            at: self.at,
            data: data.clone(),
        };
        (first..).zip(self.events).map(entry).collect()
    }
}

/// The row's input number does not allow this commit.
pub(crate) fn conflict(commit: &Commit) -> StoreError {
    StoreError::Conflict {
        session: commit.record.name.clone(),
        expected: commit.input.number.saturating_sub(1),
    }
}

/// A commit whose parts contradict each other is a mistake of the caller.
pub(crate) fn consistent(commit: &Commit) -> Result<(), StoreError> {
    if commit.evidence.is_some() && commit.history.is_none() {
        return Err(StoreError::Refused(format!(
            "commit of `{}`: there is evidence without a line of history",
            commit.record.name
        )));
    }
    if commit.input.number >= 1 && commit.record.input_number == commit.input.number {
        return Ok(());
    }
    Err(StoreError::Refused(format!(
        "commit of `{}`: row is at input {}, recorded input is {}",
        commit.record.name, commit.record.input_number, commit.input.number
    )))
}

/// So many rows go with one statement, so that none runs into a time-out.
pub(crate) const PURGE_AT_ONCE: i64 = 2_000;

/// Journal, inputs, history (with its evidence), deleted sessions; `$1` is the time, `$2` how many.
///
/// The journal loses a run at its beginning and nothing in its middle, even if
/// the clock was set back: readers tell from its oldest place whether they
/// missed something. Its newest entry stays, and the newest input of each
/// session, by which a repeated commit is recognised.
pub(crate) const PURGES: [&str; 4] = [
    "DELETE FROM journal WHERE id IN (
         SELECT id FROM journal
         WHERE id < COALESCE((SELECT MIN(id) FROM journal WHERE at >= $1),
                             (SELECT last_id FROM journal_head))
         ORDER BY id LIMIT $2)",
    "DELETE FROM inputs WHERE (session_name, number) IN (
         SELECT session_name, number FROM inputs
         WHERE at < $1 AND number < (SELECT input_number FROM sessions WHERE name = session_name)
         LIMIT $2)",
    "DELETE FROM history WHERE (session_name, input_number) IN (
         SELECT session_name, input_number FROM history WHERE at < $1 LIMIT $2)",
    "DELETE FROM deleted_sessions WHERE name IN (
         SELECT name FROM deleted_sessions WHERE at < $1 LIMIT $2)",
];

#[cfg(test)]
mod tests {
    use sqlx::Connection;

    use super::*;

    #[tokio::test]
    async fn an_unreadable_value_is_told_with_its_place() {
        let mut database = sqlx::SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let mut read = async |statement: &'static str| {
            session(&sqlx::query(statement).fetch_one(&mut database).await.unwrap())
                .unwrap_err()
                .to_string()
        };
        let error = read("SELECT 'sales' AS name, '{' AS view").await;
        assert!(error.starts_with("sessions.view of `sales` can't be read: "), "{error}");
        let error = read("SELECT '../up' AS name").await;
        assert!(error.starts_with("sessions.name of `../up` can't be read: "), "{error}");
        let error = read("SELECT 'sales' AS name, NULL AS view").await;
        assert!(error.starts_with("sessions.view of `sales` can't be read: "), "{error}");
    }
}
