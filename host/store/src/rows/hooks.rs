//! Versions of the knowledge of the page and changes of the one in use, and the
//! statements about them; both databases understand all of these.

use pairing_core::{
    page_hooks::{HooksChange, HooksVersion},
    store::StoreError,
};

use super::{Columns, Reading};

pub(crate) const PUT: &str = "
    INSERT INTO page_hooks (digest, text, pushed_at, report) VALUES ($1, $2, $3, $4)
    ON CONFLICT (digest) DO UPDATE SET text = excluded.text, pushed_at = excluded.pushed_at,
        report = excluded.report";

pub(crate) const VERSIONS: &str = "SELECT * FROM page_hooks ORDER BY pushed_at DESC, digest";

/// Only the next number is written; of two writers at once the second meets the
/// first one's row.
pub(crate) const CHANGE: &str = "
    INSERT INTO page_hooks_changes (generation, at, digest, cause, actor)
    SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT),
        CAST($5 AS TEXT)
    WHERE $1 = (SELECT COALESCE(MAX(generation), 0) + 1 FROM page_hooks_changes)
    ON CONFLICT (generation) DO NOTHING";

pub(crate) const CHANGES: &str = "SELECT * FROM page_hooks_changes ORDER BY generation";

pub(crate) fn version(row: &impl Columns) -> Result<HooksVersion, StoreError> {
    let row = Reading::of("page_hooks", row, row.text("digest").unwrap_or_default());
    Ok(HooksVersion {
        digest: row.text("digest")?,
        text: row.text("text")?,
        pushed_at: row.time("pushed_at")?,
        report: row.json("report")?,
    })
}

pub(crate) fn change(row: &impl Columns) -> Result<HooksChange, StoreError> {
    let generation = row.integer("generation").unwrap_or_default();
    let row = Reading::of("page_hooks_changes", row, generation.to_string());
    Ok(HooksChange {
        generation: row.number("generation")?,
        at: row.time("at")?,
        digest: row.optional_text("digest")?,
        cause: row.text("cause")?,
        actor: row.text("actor")?,
    })
}
