//! The journal: pages, or a stream of server-sent events.

use std::{collections::BTreeSet, convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use http::{HeaderMap, header};
use pairing_core::{
    event::Cursor,
    fan_out::{Interest, Transport},
    id::SessionName,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::counted::Counted;
use crate::{
    auth::Admin,
    gateway::Feed,
    input::Asked,
    problem::{Answer, Code, Problem, ProblemBody},
    rate_limit::Limit,
    state::Api,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Go on after this `id`. Without it a page begins with the oldest event that
    /// is kept, and a stream with the next one.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
    /// At most so many, 1 to 1000.
    limit: Option<u32>,
    /// Names of sessions, separated by commas; all without it.
    sessions: Option<String>,
    /// Kinds of events, separated by commas; all without it.
    types: Option<String>,
}

/// An entry of the journal.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventBody {
    /// Opaque cursor.
    #[schema(required)]
    id: Option<String>,
    session_name: String,
    #[schema(format = "date-time")]
    at: String,
    /// `status-update`, `qr-code`, `session-connected`, …
    #[serde(rename = "type")]
    kind: String,
    data: serde_json::Value,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct EventsBody {
    /// Oldest first.
    events: Vec<EventBody>,
    /// Ask again with `after` set to this; null at the end.
    #[schema(required)]
    next: Option<String>,
}

/// Events, oldest first: a page, or with `Accept: text/event-stream` a stream that
/// goes on (`Last-Event-ID` resumes it).
#[utoipa::path(get, path = "/whatsapp/events", tag = "events", params(EventsQuery),
    responses((status = 200, body = EventsBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn read_events(
    State(api): State<Api>,
    Admin(caller): Admin,
    headers: HeaderMap,
    Asked(asked): Asked<EventsQuery>,
) -> Answer<Response> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let interest = Interest {
        transport: Transport::EventStream,
        sessions: asked.sessions.as_deref().map(session_names).transpose()?,
        types: asked.types.as_deref().map(|types| words(types).map(str::to_owned).collect()),
    };
    let wants_stream = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/event-stream"));
    if wants_stream {
        let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
        // A reader that was cut off comes back to the same address, where an old
        // `after` may stand: what it heard last is newer.
        let feed = Feed::open(&api, interest, last.or(asked.after)).await?;
        return Ok(stream(&api, feed, caller));
    }
    let limit = asked.limit.unwrap_or(100).clamp(1, 1000);
    let after = asked.after.unwrap_or(Cursor(0));
    let after = if asked.after.is_none() { oldest(&api).await? } else { after };
    let page = api.sessions.events().page(&interest, after, limit).await?;
    let next = (!page.at_end).then(|| format!("\"{}\"", page.next));
    let bodies: Vec<&str> = page.deliveries.iter().map(|routed| &*routed.body).collect();
    let json = format!(
        r#"{{"events":[{}],"next":{}}}"#,
        bodies.join(","),
        next.as_deref().unwrap_or("null")
    );
    Ok(Counted(allowance, ([(header::CONTENT_TYPE, "application/json")], json)).into_response())
}

async fn oldest(api: &Api) -> Answer<Cursor> {
    let (oldest, _) = api.store.bounds().await?;
    Ok(Cursor(oldest.0.saturating_sub(1)))
}

fn stream(api: &Api, feed: Feed, caller: crate::auth::Principal) -> Response {
    let state = (feed, api.clone(), caller);
    let events = futures::stream::unfold(state, |(mut feed, api, caller)| async move {
        let routed = tokio::select! {
            routed = feed.next() => routed.ok()?,
            () = api.until_void(&caller) => return None,
            () = api.stopping.cancelled() => return None,
        };
        let mut event = Event::default().event(&routed.name).data(&*routed.body);
        if let Some(id) = routed.id {
            event = event.id(id.to_string());
        }
        Some((Ok::<_, Infallible>(event), (feed, api, caller)))
    });
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    Sse::new(events).keep_alive(keep_alive).into_response()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty())
}

fn session_names(text: &str) -> Result<BTreeSet<SessionName>, Problem> {
    let names = words(text).map(str::parse);
    names.collect::<Result<_, _>>().map_err(|error: pairing_core::id::InvalidSessionName| {
        Problem::new(Code::SessionNameInvalid, error.to_string())
    })
}
