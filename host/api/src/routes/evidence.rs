//! What was seen when a session was repaired.

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::header;
use pairing_core::{evidence::Evidence, id::SessionName};
use serde::Serialize;
use utoipa::ToSchema;

use super::counted::Counted;
use crate::{
    auth::Admin,
    problem::{Answer, Code, Problem, ProblemBody},
    rate_limit::Limit,
    state::Api,
};

/// One look at a session's page.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EvidenceBody {
    /// What was done next: `agent`, `reload` or `restart`.
    repair: &'static str,
    /// The page's own word for its state; empty before it had one.
    page_state: String,
    /// The last step that the engine had finished or was in.
    step: String,
    /// Why the session was repaired.
    message: String,
    /// The last lines of page and browser, oldest first, without secrets.
    console: Vec<String>,
    /// There is a picture, of which nothing can be read.
    has_screenshot: bool,
}

/// A picture's bytes.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "describes a body")]
pub(crate) struct Picture(Vec<u8>);

/// What was seen when a session was repaired.
#[utoipa::path(get, path = "/whatsapp/sessions/{sessionName}/history/{number}/evidence",
    tag = "sessions",
    params(("sessionName" = String, Path), ("number" = String, Path, description = "the `id` of the line of history")),
    responses((status = 200, body = EvidenceBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn read_evidence(
    State(api): State<Api>,
    Admin(caller): Admin,
    Path((name, number)): Path<(String, String)>,
) -> Answer<Counted<Json<EvidenceBody>>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let evidence = find(&api, &name, &number).await?;
    let body = EvidenceBody {
        repair: evidence.repair.as_str(),
        has_screenshot: evidence.screenshot.is_some(),
        page_state: evidence.page_state,
        step: evidence.step,
        message: evidence.message,
        console: evidence.console,
    };
    Ok(Counted(allowance, Json(body)))
}

/// The picture of it: PNG, so coarse that nothing can be read.
#[utoipa::path(get, path = "/whatsapp/sessions/{sessionName}/history/{number}/evidence/screenshot",
    tag = "sessions",
    params(("sessionName" = String, Path), ("number" = String, Path, description = "the `id` of the line of history")),
    responses((status = 200, body = Picture, content_type = "image/png"), (status = "default", body = ProblemBody)))]
pub(crate) async fn read_evidence_screenshot(
    State(api): State<Api>,
    Admin(caller): Admin,
    Path((name, number)): Path<(String, String)>,
) -> Answer<Counted<Response>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let evidence = find(&api, &name, &number).await?;
    let picture = evidence.screenshot.ok_or_else(|| {
        Problem::new(
            Code::EvidenceNotFound,
            "no picture was taken then; only linked pages are shown",
        )
    })?;
    Ok(Counted(allowance, ([(header::CONTENT_TYPE, "image/png")], picture).into_response()))
}

async fn find(api: &Api, name: &str, number: &str) -> Answer<Evidence> {
    let name: SessionName = name.parse()?;
    let nothing = || {
        Problem::new(
            Code::EvidenceNotFound,
            "nothing was seen at this line of history, or it is no longer kept; `hasEvidence` says where there is something",
        )
    };
    let number = number.parse().map_err(|_| nothing())?;
    api.sessions.evidence(&name, number).await?.ok_or_else(nothing)
}
