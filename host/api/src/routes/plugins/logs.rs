//! What a handler says, and the host about its calls: a page, or a stream.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use http::{HeaderMap, header};
use pairing_core::handler::HandlerName;
use pairing_plugin_runtime::LogLine;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use utoipa::{IntoParams, ToSchema};

use super::input::AtHandler;
use crate::{
    auth::{Admin, Principal},
    input::Asked,
    problem::{Answer, ProblemBody},
    rate_limit::Limit,
    routes::counted::Counted,
    state::Api,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogQuery {
    /// Only lines with a higher number. Without it a page ends with the last line, and
    /// a stream begins with the next one.
    after: Option<u64>,
    /// At most so many, 1 to 2000.
    limit: Option<usize>,
}

/// A line that a handler wrote, or the host about its call.
#[derive(Serialize, ToSchema)]
pub(crate) struct LineBody {
    /// Counts the handler's lines since the host's start.
    number: u64,
    #[schema(format = "date-time")]
    at: String,
    /// For which subscription.
    subscription: String,
    /// Whose event was handled.
    session: String,
    /// The event's `id`.
    event: String,
    /// `debug`, `info`, `warn` or `error`.
    level: &'static str,
    message: String,
}

impl From<&LogLine> for LineBody {
    fn from(line: &LogLine) -> Self {
        Self {
            number: line.number,
            at: line.at.to_string(),
            subscription: line.subscription.clone(),
            session: line.session.clone(),
            event: line.event.clone(),
            level: line.level.as_str(),
            message: line.message.clone(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct LinesBody {
    /// Oldest first. The last 2000 are kept, until the host stops.
    lines: Vec<LineBody>,
}

/// What a handler wrote: a page, or with `Accept: text/event-stream` a stream that
/// goes on (`Last-Event-ID` resumes it).
#[utoipa::path(get, path = "/plugins/{slot}/logs", tag = "plugins",
    params(("slot" = String, Path, description = "a handler's name"), LogQuery),
    responses((status = 200, body = LinesBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn read_handler_log(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtHandler(handler): AtHandler,
    Asked(asked): Asked<LogQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/event-stream")) {
        let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
        return Ok(stream(api, caller, Reader::open(handler, last.or(asked.after))));
    }
    let limit = asked.limit.unwrap_or(200).clamp(1, 2_000);
    let mut lines = api.logs.lines(handler, asked.after.unwrap_or(0));
    match asked.after {
        Some(_) => lines.truncate(limit),
        None => drop(lines.drain(..lines.len().saturating_sub(limit))),
    }
    let lines = lines.iter().map(|line| LineBody::from(&**line)).collect();
    Ok(Counted(allowance, Json(LinesBody { lines })).into_response())
}

/// Reads on from a place, and never skips what is kept.
struct Reader {
    handler: HandlerName,
    live: Option<Receiver<Arc<LogLine>>>,
    after: Option<u64>,
    ready: VecDeque<Arc<LogLine>>,
}

impl Reader {
    fn open(handler: HandlerName, after: Option<u64>) -> Self {
        Self { handler, live: None, after, ready: VecDeque::new() }
    }

    async fn next(&mut self, api: &Api) -> Option<Arc<LogLine>> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                self.after = Some(line.number);
                return Some(line);
            }
            match &mut self.live {
                None => {
                    // Listening begins before the past is read, so that nothing falls between.
                    self.live = Some(api.logs.subscribe(self.handler));
                    if self.after.is_none() {
                        let last = api.logs.lines(self.handler, 0).pop();
                        self.after = Some(last.map_or(0, |last| last.number));
                    }
                }
                Some(live) => match live.recv().await {
                    // Who came too late finds it among what is kept.
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                },
            }
            self.ready.extend(api.logs.lines(self.handler, self.after.unwrap_or(0)));
        }
    }
}

fn stream(api: Api, caller: Principal, reader: Reader) -> Response {
    let lines = futures::stream::unfold((api, caller, reader), |(api, caller, mut reader)| async {
        let line = tokio::select! {
            line = reader.next(&api) => line?,
            () = api.until_void(&caller) => return None,
            () = api.stopping.cancelled() => return None,
        };
        let body = serde_json::to_string(&LineBody::from(&*line)).unwrap_or_default();
        let event = Event::default().event("line").id(line.number.to_string()).data(body);
        Some((Ok::<_, Infallible>(event), (api, caller, reader)))
    });
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    Sse::new(lines).keep_alive(keep_alive).into_response()
}
