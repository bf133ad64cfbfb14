//! Who calls, and a ticket for that.

use std::time::Duration;

use axum::{Json, extract::State};
use http::{HeaderMap, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::session::ABSOLUTE;
use crate::{
    auth::{Admin, Issuer},
    problem::{Answer, Code, Problem, ProblemBody},
    rate_limit::Limit,
    routes::counted::Counted,
    state::Api,
};

#[derive(Serialize, ToSchema)]
pub(crate) struct MeBody {
    subject: String,
    #[schema(required)]
    username: Option<String>,
    /// `local` or `external`.
    issuer: &'static str,
    role: &'static str,
}

/// Who the token speaks for.
#[utoipa::path(get, path = "/auth/me", tag = "auth",
    responses((status = 200, body = MeBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn read_me(
    State(api): State<Api>,
    Admin(caller): Admin,
) -> Answer<Counted<Json<MeBody>>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let issuer = match caller.issuer {
        Issuer::Local => "local",
        Issuer::External => "external",
    };
    let body = MeBody { subject: caller.subject, username: caller.username, issuer, role: "admin" };
    Ok(Counted(allowance, Json(body)))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TicketBody {
    /// Works once.
    ticket: String,
    #[schema(format = "date-time")]
    expires_at: String,
}

/// A ticket to open `/ws` with, from the same origin: it works once, for 30 s. The
/// socket of a sign-in lives as long as the sign-in, not as the token.
#[utoipa::path(post, path = "/auth/ws-ticket", tag = "auth",
    responses((status = 200, body = TicketBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn issue_ws_ticket(
    State(api): State<Api>,
    Admin(caller): Admin,
    headers: HeaderMap,
) -> Answer<Counted<Json<TicketBody>>> {
    let allowance = api.limits.check(Limit::Write, caller.key())?;
    let mut caller = caller;
    if let Some(login) = caller.login {
        caller.expires_at = login.began_at.after(ABSOLUTE);
    }
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let ticket = api.tickets.issue(caller, origin.map(str::to_owned)).ok_or_else(|| {
        Problem::new(Code::RateLimited, "too many tickets are out").after(Duration::from_secs(30))
    })?;
    let body = TicketBody { ticket: ticket.text, expires_at: ticket.expires_at.to_string() };
    Ok(Counted(allowance, Json(body)))
}
