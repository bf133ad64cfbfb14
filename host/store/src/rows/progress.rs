//! What is written when progress is saved. It is saved many times a second, and
//! may be thousands of rows: those of a kind go in one statement, as JSON.

use std::collections::BTreeMap;

use pairing_core::{delivery_store::ProgressChange, store::StoreError};
use serde::Serialize;

use super::{integer, json, plugins::plain, time};

/// Statements that are given a subscription and a list; each database has its
/// own way to read a list.
pub(crate) struct Lists {
    put_lanes: &'static str,
    end_lanes: &'static str,
    put_dead_letters: &'static str,
    revive: &'static str,
}

/// SQLite takes `ON CONFLICT` for part of a join unless a `WHERE` stands before it.
macro_rules! lists {
    ($list:literal) => {
        Lists {
            put_lanes: concat!(
                "INSERT INTO delivery_lanes (handler, name, session_name, settled, attempts,
                     first_attempt_at, next_attempt_at, error, gap_from, gap_to)
                 SELECT $1, $2, value ->> 0, CAST(value ->> 1 AS BIGINT),
                     CAST(value ->> 2 AS BIGINT), CAST(value ->> 3 AS BIGINT),
                     CAST(value ->> 4 AS BIGINT), value ->> 5, CAST(value ->> 6 AS BIGINT),
                     CAST(value ->> 7 AS BIGINT)
                 FROM ",
                $list,
                " WHERE true
                 ON CONFLICT (handler, name, session_name) DO UPDATE SET
                     settled = excluded.settled, attempts = excluded.attempts,
                     first_attempt_at = excluded.first_attempt_at,
                     next_attempt_at = excluded.next_attempt_at, error = excluded.error,
                     gap_from = excluded.gap_from, gap_to = excluded.gap_to"
            ),
            end_lanes: concat!(
                "DELETE FROM delivery_lanes WHERE handler = $1 AND name = $2
                     AND session_name IN (SELECT value ->> 0 FROM ",
                $list,
                ")"
            ),
            put_dead_letters: concat!(
                "INSERT INTO dead_letters (handler, name, id, session_name, event_at, event,
                     attempts, reason, at, requeued_at)
                 SELECT $1, $2, CAST(value ->> 0 AS BIGINT), value ->> 1,
                     CAST(value ->> 2 AS BIGINT), value ->> 3, CAST(value ->> 4 AS BIGINT),
                     value ->> 5, CAST(value ->> 6 AS BIGINT), CAST(value ->> 7 AS BIGINT)
                 FROM ",
                $list,
                " WHERE true
                 ON CONFLICT (handler, name, id) DO UPDATE SET attempts = excluded.attempts,
                     reason = excluded.reason, at = excluded.at,
                     requeued_at = excluded.requeued_at"
            ),
            revive: concat!(
                "DELETE FROM dead_letters WHERE handler = $1 AND name = $2
                     AND id IN (SELECT CAST(value ->> 0 AS BIGINT) FROM ",
                $list,
                ")"
            ),
        }
    };
}

pub(crate) const SQLITE: Lists = lists!("json_each($3)");
pub(crate) const POSTGRES: Lists =
    lists!("json_array_elements(CAST($3 AS JSON)) AS listed (value)");

impl Lists {
    /// Statements in the order in which they are to be run, with their lists. Of
    /// two that are for one row the last counts.
    pub(crate) fn of(
        &self,
        change: &ProgressChange,
    ) -> Result<Vec<(&'static str, String)>, StoreError> {
        let mut lanes = BTreeMap::new();
        for lane in &change.lanes {
            let row = (
                &lane.session,
                integer(lane.settled.0),
                lane.attempts,
                time(lane.first_attempt_at),
                time(lane.next_attempt_at),
                plain(&lane.error),
                lane.gap.map(|gap| integer(gap.from.0)),
                lane.gap.map(|gap| integer(gap.to.0)),
            );
            lanes.insert(&lane.session, row);
        }
        let mut dead = BTreeMap::new();
        for letter in &change.dead {
            let row = (
                integer(letter.event.id.0),
                &letter.event.session,
                time(letter.event.at),
                json(&letter.event.data)?,
                letter.attempts,
                plain(&letter.reason),
                time(letter.at),
                letter.requeued_at.map(time),
            );
            dead.insert(letter.event.id, row);
        }
        let caught_up: Vec<_> = change.caught_up.iter().map(|session| (session,)).collect();
        let revived: Vec<_> = change.revived.iter().map(|event| (integer(event.0),)).collect();
        let all = [
            list(self.put_lanes, lanes.into_values().collect())?,
            list(self.end_lanes, caught_up)?,
            list(self.put_dead_letters, dead.into_values().collect())?,
            list(self.revive, revived)?,
        ];
        Ok(all.into_iter().flatten().collect())
    }
}

fn list(
    statement: &'static str,
    rows: Vec<impl Serialize>,
) -> Result<Option<(&'static str, String)>, StoreError> {
    if rows.is_empty() { Ok(None) } else { Ok(Some((statement, json(&rows)?))) }
}
