//! Lines of history with what was seen; both databases understand these.

use pairing_core::{evidence::Evidence, id::SessionName, store::StoreError};

use super::{Columns, Reading};

/// `$1` the session, `$2` after which number, `$3` how many.
pub(crate) const HISTORY: &str = "
    SELECT history.*,
        (SELECT COUNT(*) FROM evidence
         WHERE evidence.session_name = history.session_name
             AND evidence.input_number = history.input_number) AS has_evidence
    FROM history WHERE session_name = $1 AND input_number > $2
    ORDER BY input_number LIMIT $3";

pub(crate) const EVIDENCE: &str =
    "SELECT data, screenshot FROM evidence WHERE session_name = $1 AND input_number = $2";

pub(crate) const ADD: &str = "
    INSERT INTO evidence (session_name, input_number, data, screenshot) VALUES ($1, $2, $3, $4)";

/// Of session `$1` the newest `$2` stay.
pub(crate) const TRIM: &str = "
    DELETE FROM evidence WHERE session_name = $1 AND input_number <= (
        SELECT input_number FROM evidence WHERE session_name = $1
        ORDER BY input_number DESC LIMIT 1 OFFSET $2)";

/// So much is kept of one session.
pub(crate) const KEPT: i64 = 50;

pub(crate) fn evidence(
    session: &SessionName,
    number: u64,
    row: &impl Columns,
) -> Result<Evidence, StoreError> {
    let row = Reading::of("evidence", row, format!("{session}/{number}"));
    let screenshot =
        row.row.optional_bytes("screenshot").map_err(|error| row.corrupt("screenshot", error))?;
    Ok(Evidence { screenshot, ..row.json("data")? })
}
