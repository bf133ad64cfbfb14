//! Events that were given up: to be read, and to be tried once more.

use axum::{Json, extract::State};
use pairing_core::{delivery_store::DeadLetter, event::Cursor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{
    PAGE,
    input::{AtDeadLetter, AtSubscription},
};
use crate::{
    auth::Admin,
    input::{Asked, Body},
    problem::{Answer, Code, Problem, ProblemBody},
    rate_limit::Limit,
    routes::counted::Counted,
    state::Api,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadLettersQuery {
    /// Only of events after this `id`.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
    /// At most so many, 1 to 200.
    limit: Option<u32>,
}

/// An event that was given up.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeadLetterBody {
    /// The event's `id`.
    event: String,
    session_name: String,
    /// When it happened.
    #[schema(format = "date-time")]
    happened_at: String,
    /// `status-update`, `session-connected`, …
    #[serde(rename = "type")]
    kind: String,
    data: Value,
    /// How often it was tried.
    attempts: u32,
    /// How the last attempt failed.
    reason: String,
    /// When it was given up.
    #[schema(format = "date-time")]
    at: String,
    /// It is to be tried once more: since when.
    #[schema(required, format = "date-time")]
    requeued_at: Option<String>,
}

impl From<DeadLetter> for DeadLetterBody {
    fn from(letter: DeadLetter) -> Self {
        let event = letter.event;
        let data = serde_json::to_value(&event.data).unwrap_or_default();
        Self {
            event: event.id.to_string(),
            session_name: event.session.to_string(),
            happened_at: event.at.to_string(),
            kind: event.data.kind().to_owned(),
            data: data.get("data").cloned().unwrap_or_default(),
            attempts: letter.attempts,
            reason: letter.reason,
            at: letter.at.to_string(),
            requeued_at: letter.requeued_at.map(|at| at.to_string()),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeadLettersBody {
    /// Oldest event first.
    dead_letters: Vec<DeadLetterBody>,
    /// Ask again with `after` set to this; null at the end.
    #[schema(required)]
    next: Option<String>,
}

/// Events that a subscription gave up, oldest first. They are kept for 30 days.
#[utoipa::path(get, path = "/plugins/{slot}/subscriptions/{name}/dead-letters", tag = "plugins",
    params(("slot" = String, Path, description = "a handler's name"), ("name" = String, Path),
        DeadLettersQuery),
    responses((status = 200, body = DeadLettersBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn list_dead_letters(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtSubscription(id): AtSubscription,
    Asked(asked): Asked<DeadLettersQuery>,
) -> Answer<Counted<Json<DeadLettersBody>>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    api.plugins.subscription(&id).await?;
    let limit = asked.limit.unwrap_or(50).clamp(1, PAGE);
    // One more than is shown tells whether there is a next page.
    let after = asked.after.unwrap_or_default();
    let mut letters = api.store.dead_letters(&id, after, limit + 1).await?;
    let has_more = letters.len() > limit as usize;
    letters.truncate(limit as usize);
    let next = letters.last().filter(|_| has_more).map(|last| last.event.id.to_string());
    let dead_letters = letters.into_iter().map(DeadLetterBody::from).collect();
    Ok(Counted(allowance, Json(DeadLettersBody { dead_letters, next })))
}

/// One event that was given up.
#[utoipa::path(get, path = "/plugins/{slot}/subscriptions/{name}/dead-letters/{event}", tag = "plugins",
    params(("slot" = String, Path, description = "a handler's name"), ("name" = String, Path),
        ("event" = String, Path, description = "the event's `id`")),
    responses((status = 200, body = DeadLetterBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn read_dead_letter(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtDeadLetter(id, event): AtDeadLetter,
) -> Answer<Counted<Json<DeadLetterBody>>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    api.plugins.subscription(&id).await?;
    let letter = api.store.dead_letter(&id, event).await?.ok_or_else(|| missing(event))?;
    Ok(Counted(allowance, Json(letter.into())))
}

fn missing(event: impl std::fmt::Display) -> Problem {
    Problem::new(
        Code::DeadLetterNotFound,
        format!(
            "no event {event} was given up; it may have been handled since, or be older than 30 days"
        ),
    )
}

/// Either one event, or all from one to another.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequeueBody {
    /// The `id` of the one event that is meant.
    event: Option<String>,
    /// The first one; the oldest without it.
    from: Option<String>,
    /// The last one; the newest without it.
    to: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RequeuedBody {
    /// So many events are tried once more.
    requeued: u64,
}

/// Have events that were given up tried once more.
#[utoipa::path(post, path = "/plugins/{slot}/subscriptions/{name}/dead-letters/requeue", tag = "plugins",
    request_body = RequeueBody,
    params(("slot" = String, Path, description = "a handler's name"), ("name" = String, Path)),
    responses((status = 200, body = RequeuedBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn requeue_dead_letters(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtSubscription(id): AtSubscription,
    Body(body): Body<RequeueBody>,
) -> Answer<Counted<Json<RequeuedBody>>> {
    let allowance = api.limits.check(Limit::Write, caller.key())?;
    api.plugins.subscription(&id).await?;
    let (from, to) = match (&body.event, &body.from, &body.to) {
        (Some(event), None, None) => (place(event)?, place(event)?),
        (Some(_), _, _) => {
            return Err(Problem::new(Code::BodyInvalid, "give `event`, or `from` and `to`"));
        }
        (None, from, to) => (
            from.as_deref().map_or(Ok(Cursor(0)), place)?,
            // The last that a database can hold.
            to.as_deref().map_or(Ok(Cursor(i64::MAX.unsigned_abs())), place)?,
        ),
    };
    let requeued = api.store.requeue(&id, from, to, api.clock.now()).await?;
    if let (0, Some(event)) = (requeued, &body.event) {
        return Err(missing(event));
    }
    tracing::info!(subscription = %id, who = caller.shown(), requeued, "dead letters are tried once more");
    api.deliveries.reload().await;
    Ok(Counted(allowance, Json(RequeuedBody { requeued })))
}

fn place(text: &str) -> Answer<Cursor> {
    text.parse()
        .map_err(|_| Problem::new(Code::BodyInvalid, "an event is named by the `id` it came with"))
}
