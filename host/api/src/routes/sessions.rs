//! Sessions, for the console and for scripts.

use axum::{Json, extract::State};
use pairing_core::{command::Command, id::SessionName};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    counted::Counted,
    pairing::{done, not_found},
};
use crate::{
    auth::{Admin, Principal},
    input::{Asked, ConfirmBody, Named, OptionalBody},
    problem::{Answer, ProblemBody},
    rate_limit::Limit,
    state::Api,
    views::{Codes, DoneBody, HistoryBody, SessionStatusBody},
};

#[derive(Serialize, ToSchema)]
pub(crate) struct SessionsBody {
    /// By name; codes are null.
    sessions: Vec<SessionStatusBody>,
}

/// All sessions, by name. Codes are null here.
#[utoipa::path(get, path = "/whatsapp/sessions", tag = "sessions",
    responses((status = 200, body = SessionsBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn list_sessions(
    State(api): State<Api>,
    Admin(caller): Admin,
) -> Answer<Counted<Json<SessionsBody>>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let now = api.clock.now();
    let sessions = api.sessions.sessions();
    let view = |session: &_| SessionStatusBody::of(session, now, Codes::Hidden);
    let sessions = sessions.iter().map(|session| view(session)).collect();
    Ok(Counted(allowance, Json(SessionsBody { sessions })))
}

/// One session.
#[utoipa::path(get, path = "/whatsapp/sessions/{sessionName}", tag = "sessions",
    params(("sessionName" = String, Path)),
    responses((status = 200, body = SessionStatusBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn read_session(
    State(api): State<Api>,
    Admin(caller): Admin,
    Named(name): Named,
) -> Answer<Counted<Json<SessionStatusBody>>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let session = api.sessions.session(&name).ok_or_else(|| not_found(&name))?;
    api.sessions.looked_at(&name);
    let body = SessionStatusBody::of(&session, api.clock.now(), Codes::Shown);
    Ok(Counted(allowance, Json(body)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConfirmQuery {
    /// The link may be lost.
    #[serde(default)]
    confirm: bool,
}

/// Remove a session with all that belongs to it; one that is linked is unlinked
/// first, and needs `confirm`.
#[utoipa::path(delete, path = "/whatsapp/sessions/{sessionName}", tag = "sessions",
    params(("sessionName" = String, Path), ConfirmQuery),
    responses((status = 200, body = DoneBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn delete_session(
    State(api): State<Api>,
    Admin(caller): Admin,
    Named(name): Named,
    Asked(ConfirmQuery { confirm }): Asked<ConfirmQuery>,
) -> Answer<Counted<Json<DoneBody>>> {
    tell(&api, &caller, &name, Command::Delete { confirm }).await
}

/// Stop the browser; the link stays.
#[utoipa::path(post, path = "/whatsapp/sessions/{sessionName}/disconnect", tag = "sessions",
    params(("sessionName" = String, Path)), request_body(content = Option<ConfirmBody>),
    responses((status = 200, body = DoneBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn disconnect_session(
    State(api): State<Api>,
    Admin(caller): Admin,
    Named(name): Named,
    OptionalBody(_body): OptionalBody<ConfirmBody>,
) -> Answer<Counted<Json<DoneBody>>> {
    tell(&api, &caller, &name, Command::Disconnect).await
}

/// Start the browser again.
#[utoipa::path(post, path = "/whatsapp/sessions/{sessionName}/reconnect", tag = "sessions",
    params(("sessionName" = String, Path)), request_body(content = Option<ConfirmBody>),
    responses((status = 200, body = DoneBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn reconnect_session(
    State(api): State<Api>,
    Admin(caller): Admin,
    Named(name): Named,
    OptionalBody(_body): OptionalBody<ConfirmBody>,
) -> Answer<Counted<Json<DoneBody>>> {
    tell(&api, &caller, &name, Command::Reconnect).await
}

/// Make a new QR code; leaves pairing by code.
#[utoipa::path(post, path = "/whatsapp/sessions/{sessionName}/refresh-qr", tag = "sessions",
    params(("sessionName" = String, Path)), request_body(content = Option<ConfirmBody>),
    responses((status = 200, body = DoneBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn refresh_session_qr(
    State(api): State<Api>,
    Admin(caller): Admin,
    Named(name): Named,
    OptionalBody(ConfirmBody { confirm }): OptionalBody<ConfirmBody>,
) -> Answer<Counted<Json<DoneBody>>> {
    tell(&api, &caller, &name, Command::RefreshQr { confirm }).await
}

/// Unlink.
#[utoipa::path(post, path = "/whatsapp/sessions/{sessionName}/logout", tag = "sessions",
    params(("sessionName" = String, Path)), request_body(content = Option<ConfirmBody>),
    responses((status = 200, body = DoneBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn logout_session(
    State(api): State<Api>,
    Admin(caller): Admin,
    Named(name): Named,
    OptionalBody(ConfirmBody { confirm }): OptionalBody<ConfirmBody>,
) -> Answer<Counted<Json<DoneBody>>> {
    tell(&api, &caller, &name, Command::Logout { confirm }).await
}

async fn tell(
    api: &Api,
    caller: &Principal,
    name: &SessionName,
    command: Command,
) -> Answer<Counted<Json<DoneBody>>> {
    let allowance = api.limits.check(Limit::Write, caller.key())?;
    if api.sessions.session(name).is_none() {
        return Err(not_found(name));
    }
    let message = done(api.sessions.command(name, command).await?)?;
    Ok(Counted(allowance, Json(DoneBody::new(message, None))))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Go on after this `id`.
    after: Option<u64>,
    /// At most so many, 1 to 500.
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct HistoryPageBody {
    /// Oldest first.
    history: Vec<HistoryBody>,
    /// Ask again with `after` set to this; null at the end.
    #[schema(required)]
    next: Option<String>,
}

/// How a session got where it is: its changes of state, oldest first.
#[utoipa::path(get, path = "/whatsapp/sessions/{sessionName}/history", tag = "sessions",
    params(("sessionName" = String, Path), PageQuery),
    responses((status = 200, body = HistoryPageBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn read_history(
    State(api): State<Api>,
    Admin(caller): Admin,
    Named(name): Named,
    Asked(page): Asked<PageQuery>,
) -> Answer<Counted<Json<HistoryPageBody>>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    if api.sessions.session(&name).is_none() {
        return Err(not_found(&name));
    }
    let limit = page.limit.unwrap_or(100).clamp(1, 500);
    // One more than is shown tells whether there is a next page.
    let mut entries = api.sessions.history(&name, page.after.unwrap_or(0), limit + 1).await?;
    let has_more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let last = entries.last().filter(|_| has_more);
    let next = last.map(|entry| entry.input_number.to_string());
    let history = entries.iter().map(HistoryBody::from).collect();
    Ok(Counted(allowance, Json(HistoryPageBody { history, next })))
}
