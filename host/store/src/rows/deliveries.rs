//! Rows of subscriptions, and the statements about them; both databases
//! understand all of these. `$1` and `$2` name the subscription.

use std::collections::BTreeMap;

use pairing_core::{
    delivery_store::{DeadLetter, Gap, KvEntry, Lane, Progress},
    event::{Cursor, JournalEvent},
    store::StoreError,
    subscription::{SealedSecret, Subscription, SubscriptionId},
};

use super::{Columns, Reading};

/// A row for each secret, and one for a subscription without.
pub(crate) const SUBSCRIPTIONS: &str = "
    SELECT subscriptions.*, secret, sealed
    FROM subscriptions LEFT JOIN subscription_secrets USING (handler, name)
    ORDER BY handler, name";

/// What is there keeps its place and its first time.
pub(crate) const PUT_SUBSCRIPTION: &str = "
    INSERT INTO subscriptions (handler, name, settings, disabled, cursor, epoch, created_at,
        updated_at, updated_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (handler, name) DO UPDATE SET settings = excluded.settings,
        disabled = excluded.disabled, updated_at = excluded.updated_at,
        updated_by = excluded.updated_by";

pub(crate) const FORGET_SECRETS: &str =
    "DELETE FROM subscription_secrets WHERE handler = $1 AND name = $2";

pub(crate) const ADD_SECRET: &str = "
    INSERT INTO subscription_secrets (handler, name, secret, sealed) VALUES ($1, $2, $3, $4)";

pub(crate) const SEEK: &str =
    "UPDATE subscriptions SET cursor = $3, epoch = $4 WHERE handler = $1 AND name = $2";

pub(crate) const FORGET_LANES: &str = "DELETE FROM delivery_lanes WHERE handler = $1 AND name = $2";

pub(crate) const SET_DISABLED: &str =
    "UPDATE subscriptions SET disabled = $3 WHERE handler = $1 AND name = $2";

pub(crate) const REMOVE_SUBSCRIPTION: &str =
    "DELETE FROM subscriptions WHERE handler = $1 AND name = $2";

/// A row for each lane, and one for a subscription without: one statement, so
/// that place and lanes belong together.
pub(crate) const PROGRESS: &str = "
    SELECT cursor, epoch, delivery_lanes.*
    FROM subscriptions LEFT JOIN delivery_lanes USING (handler, name)
    WHERE handler = $1 AND name = $2 ORDER BY session_name";

/// Takes the row, so that nobody moves the subscription meanwhile.
pub(crate) const MOVE_ON: &str = "
    UPDATE subscriptions SET cursor = $3 WHERE handler = $1 AND name = $2 AND epoch = $4";

pub(crate) const SESSION_EVENTS: &str =
    "SELECT * FROM journal WHERE session_name = $1 AND id > $2 ORDER BY id LIMIT $3";

pub(crate) const DEAD_LETTERS: &str = "
    SELECT * FROM dead_letters WHERE handler = $1 AND name = $2 AND id > $3
    ORDER BY id LIMIT $4";

pub(crate) const DEAD_LETTER: &str =
    "SELECT * FROM dead_letters WHERE handler = $1 AND name = $2 AND id = $3";

pub(crate) const COUNT_DEAD_LETTERS: &str =
    "SELECT COUNT(*) AS letters FROM dead_letters WHERE handler = $1 AND name = $2";

pub(crate) const REQUEUE: &str = "
    UPDATE dead_letters SET requeued_at = $5
    WHERE handler = $1 AND name = $2 AND id BETWEEN $3 AND $4";

pub(crate) const REQUEUED: &str = "
    SELECT * FROM dead_letters WHERE handler = $1 AND name = $2 AND requeued_at IS NOT NULL
    ORDER BY id LIMIT $3";

/// The first of one subscription's; `$3` is how many, or one more. By a bound,
/// because PostgreSQL may look through a list anew for each row.
pub(crate) const REMOVE_DEAD_LETTERS: &str = "
    DELETE FROM dead_letters WHERE handler = $1 AND name = $2 AND id <= COALESCE(
        (SELECT id FROM dead_letters WHERE handler = $1 AND name = $2
         ORDER BY id LIMIT 1 OFFSET $3), 9223372036854775807)";

/// The oldest; `$1` is the time, `$2` how many, or a few more.
pub(crate) const PURGE_DEAD_LETTERS: &str = "
    DELETE FROM dead_letters WHERE at < $1 AND at <= COALESCE(
        (SELECT at FROM dead_letters WHERE at < $1 ORDER BY at LIMIT 1 OFFSET $2), $1)";

/// Takes the subscription's row: its writers take turns.
pub(crate) const NEXT_REVISION: &str = "
    UPDATE subscriptions SET kv_revision = kv_revision + 1 WHERE handler = $1 AND name = $2
    RETURNING kv_revision";

pub(crate) const KV_GET: &str =
    "SELECT value, revision FROM handler_kv WHERE handler = $1 AND name = $2 AND key = $3";

/// Of all other keys.
pub(crate) const KV_USED: &str = "
    SELECT COUNT(*) AS keys,
        CAST(COALESCE(SUM(OCTET_LENGTH(key) + OCTET_LENGTH(value)), 0) AS BIGINT) AS bytes
    FROM handler_kv WHERE handler = $1 AND name = $2 AND key <> $3";

pub(crate) const KV_PUT: &str = "
    INSERT INTO handler_kv (handler, name, key, value, revision) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (handler, name, key) DO UPDATE SET value = excluded.value,
        revision = excluded.revision";

pub(crate) const KV_DELETE: &str =
    "DELETE FROM handler_kv WHERE handler = $1 AND name = $2 AND key = $3";

pub(crate) const KV_KEYS: &str = "
    SELECT key FROM handler_kv
    WHERE handler = $1 AND name = $2 AND SUBSTR(key, 1, LENGTH($3)) = $3 AND key > $4
    ORDER BY key LIMIT $5";

fn id<R: Columns>(row: &Reading<'_, R>) -> Result<SubscriptionId, StoreError> {
    let handler = row.text("handler")?;
    Ok(SubscriptionId {
        handler: handler.parse().map_err(|error| row.corrupt("handler", error))?,
        name: row.session("name")?,
    })
}

fn key(row: &impl Columns) -> String {
    let (handler, name) = (row.text("handler"), row.text("name"));
    format!("{}/{}", handler.unwrap_or_default(), name.unwrap_or_default())
}

/// From rows of [`SUBSCRIPTIONS`].
pub(crate) fn subscriptions(rows: &[impl Columns]) -> Result<Vec<Subscription>, StoreError> {
    let mut all: Vec<Subscription> = Vec::new();
    for row in rows {
        let next = subscription(row)?;
        match all.last_mut() {
            Some(last) if last.id == next.id => last.secrets.extend(next.secrets),
            _ => all.push(next),
        }
    }
    Ok(all)
}

/// With one secret at most.
fn subscription(row: &impl Columns) -> Result<Subscription, StoreError> {
    let row = Reading::of("subscriptions", row, key(row));
    let mut secrets = BTreeMap::new();
    if let Some(secret) = row.optional_text("secret")? {
        secrets.insert(secret, SealedSecret(row.bytes("sealed")?));
    }
    Ok(Subscription {
        id: id(&row)?,
        settings: row.json("settings")?,
        secrets,
        disabled: row.optional_text("disabled")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        updated_by: row.text("updated_by")?,
    })
}

/// From rows of [`PROGRESS`].
pub(crate) fn progress(rows: &[impl Columns]) -> Result<Option<Progress>, StoreError> {
    let Some(first) = rows.first() else { return Ok(None) };
    let first = Reading::of("subscriptions", first, key(first));
    let has_lane = |row: &&_| !matches!(Columns::optional_text(*row, "session_name"), Ok(None));
    Ok(Some(Progress {
        cursor: Cursor(first.number("cursor")?),
        lanes: rows.iter().filter(has_lane).map(lane).collect::<Result<_, _>>()?,
        epoch: first.number("epoch")?,
    }))
}

fn lane(row: &impl Columns) -> Result<Lane, StoreError> {
    let session = row.text("session_name").unwrap_or_default();
    let row = Reading::of("delivery_lanes", row, format!("{}/{session}", key(row)));
    let gap = match row.optional_time("gap_from")? {
        None => None,
        Some(from) => Some(Gap { from: Cursor(from.0), to: Cursor(row.number("gap_to")?) }),
    };
    Ok(Lane {
        session: row.session("session_name")?,
        settled: Cursor(row.number("settled")?),
        attempts: row.number("attempts")?,
        first_attempt_at: row.time("first_attempt_at")?,
        next_attempt_at: row.time("next_attempt_at")?,
        error: row.text("error")?,
        gap,
    })
}

pub(crate) fn dead_letter(row: &impl Columns) -> Result<DeadLetter, StoreError> {
    let event = row.integer("id").unwrap_or_default();
    let row = Reading::of("dead_letters", row, format!("{}/{event}", key(row)));
    Ok(DeadLetter {
        event: JournalEvent {
            id: Cursor(row.number("id")?),
            session: row.session("session_name")?,
            at: row.time("event_at")?,
            data: row.json("event")?,
        },
        attempts: row.number("attempts")?,
        reason: row.text("reason")?,
        at: row.time("at")?,
        requeued_at: row.optional_time("requeued_at")?,
    })
}

pub(crate) fn kv_entry(row: &impl Columns) -> Result<KvEntry, StoreError> {
    let row = Reading::of("handler_kv", row, String::new());
    Ok(KvEntry { value: row.bytes("value")?, revision: row.number("revision")? })
}

pub(crate) fn kv_key(row: &impl Columns) -> Result<String, StoreError> {
    Reading::of("handler_kv", row, String::new()).text("key")
}
