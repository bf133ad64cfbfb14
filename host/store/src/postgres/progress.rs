//! Saving how far a subscription has come. What may be thousands of rows goes in
//! one statement.

use pairing_core::{
    delivery_store::{DeadLetter, Lane, ProgressChange},
    store::StoreError,
    subscription::SubscriptionId,
};
use sqlx::{PgConnection, Postgres, query::Query};

use crate::{
    error::from_sqlx,
    rows::{self, deliveries as delivery_rows, plugins::plain},
};

const PUT_LANES: &str = "
    INSERT INTO delivery_lanes (handler, name, session_name, settled, attempts,
        first_attempt_at, next_attempt_at, error, gap_from, gap_to)
    SELECT $1, $2, * FROM UNNEST($3::TEXT[], $4::BIGINT[], $5::BIGINT[], $6::BIGINT[],
        $7::BIGINT[], $8::TEXT[], $9::BIGINT[], $10::BIGINT[])
    ON CONFLICT (handler, name, session_name) DO UPDATE SET settled = excluded.settled,
        attempts = excluded.attempts, first_attempt_at = excluded.first_attempt_at,
        next_attempt_at = excluded.next_attempt_at, error = excluded.error,
        gap_from = excluded.gap_from, gap_to = excluded.gap_to";

const REMOVE_LANES: &str = "
    DELETE FROM delivery_lanes WHERE handler = $1 AND name = $2 AND session_name = ANY($3)";

const PUT_DEAD: &str = "
    INSERT INTO dead_letters (handler, name, id, session_name, at, event, attempts, reason,
        given_up_at, requeued_at)
    SELECT $1, $2, * FROM UNNEST($3::BIGINT[], $4::TEXT[], $5::BIGINT[], $6::TEXT[],
        $7::BIGINT[], $8::TEXT[], $9::BIGINT[], $10::BIGINT[])
    ON CONFLICT (handler, name, id) DO UPDATE SET session_name = excluded.session_name,
        at = excluded.at, event = excluded.event, attempts = excluded.attempts,
        reason = excluded.reason, given_up_at = excluded.given_up_at,
        requeued_at = excluded.requeued_at";

const REMOVE_DEAD: &str = "
    DELETE FROM dead_letters WHERE handler = $1 AND name = $2 AND id = ANY($3)";

/// Statements about one subscription, one after another.
struct Statements<'a> {
    connection: &'a mut PgConnection,
    id: &'a SubscriptionId,
}

impl Statements<'_> {
    /// Answers how many rows it changed.
    async fn run<'q>(
        &mut self,
        statement: &'static str,
        bind: impl FnOnce(Bound<'q>) -> Bound<'q>,
    ) -> Result<u64, StoreError> {
        let query = sqlx::query(statement)
            .bind(self.id.handler.to_string())
            .bind(self.id.name.to_string());
        let done = bind(query).execute(&mut *self.connection).await.map_err(from_sqlx)?;
        Ok(done.rows_affected())
    }
}

type Bound<'q> = Query<'q, Postgres, sqlx::postgres::PgArguments>;

/// False, and nothing is to be committed, if the subscription was moved or is
/// gone. Its row is held from then on: nobody else writes what belongs to it.
pub(super) async fn save(
    connection: &mut PgConnection,
    id: &SubscriptionId,
    change: &ProgressChange,
) -> Result<bool, StoreError> {
    let mut statements = Statements { connection, id };
    let (cursor, epoch) = (rows::integer(change.cursor.0), rows::integer(change.epoch));
    let moved = statements
        .run(delivery_rows::SAVE_CURSOR, |query| query.bind(cursor).bind(epoch))
        .await?;
    if moved == 0 {
        return Ok(false);
    }
    let lanes = delivery_rows::lanes(change);
    if !lanes.is_empty() {
        statements.run(PUT_LANES, |query| bind_lanes(query, &lanes)).await?;
    }
    if !change.caught_up.is_empty() {
        let sessions: Vec<_> = change.caught_up.iter().map(ToString::to_string).collect();
        statements.run(REMOVE_LANES, |query| query.bind(sessions)).await?;
    }
    let dead = delivery_rows::dead(change);
    if !dead.is_empty() {
        let events = dead.iter().map(|letter| rows::json(&letter.event.data));
        let events = events.collect::<Result<Vec<_>, _>>()?;
        statements.run(PUT_DEAD, |query| bind_dead(query, &dead, events)).await?;
    }
    if !change.revived.is_empty() {
        let events: Vec<_> = change.revived.iter().map(|event| rows::integer(event.0)).collect();
        statements.run(REMOVE_DEAD, |query| query.bind(events)).await?;
    }
    Ok(true)
}

fn column<S, T>(rows: &[S], of: impl Fn(&S) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

fn bind_lanes<'q>(query: Bound<'q>, lanes: &[&Lane]) -> Bound<'q> {
    query
        .bind(column(lanes, |lane| lane.session.to_string()))
        .bind(column(lanes, |lane| rows::integer(lane.settled.0)))
        .bind(column(lanes, |lane| i64::from(lane.attempts)))
        .bind(column(lanes, |lane| rows::time(lane.first_attempt_at)))
        .bind(column(lanes, |lane| rows::time(lane.next_attempt_at)))
        .bind(column(lanes, |lane| plain(&lane.error)))
        .bind(column(lanes, |lane| lane.gap.map(|gap| rows::integer(gap.from.0))))
        .bind(column(lanes, |lane| lane.gap.map(|gap| rows::integer(gap.to.0))))
}

fn bind_dead<'q>(query: Bound<'q>, dead: &[&DeadLetter], events: Vec<String>) -> Bound<'q> {
    query
        .bind(column(dead, |letter| rows::integer(letter.event.id.0)))
        .bind(column(dead, |letter| letter.event.session.to_string()))
        .bind(column(dead, |letter| rows::time(letter.event.at)))
        .bind(events)
        .bind(column(dead, |letter| i64::from(letter.attempts)))
        .bind(column(dead, |letter| plain(&letter.reason)))
        .bind(column(dead, |letter| rows::time(letter.at)))
        .bind(column(dead, |letter| letter.requeued_at.map(rows::time)))
}
