//! A file comes in.

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;

use super::show::HooksVersionBody;
use crate::{
    auth::Admin,
    input::Asked,
    problem::{Answer, Code, Problem, ProblemBody},
    rate_limit::Limit,
    routes::counted::Counted,
    state::Api,
};

/// Bytes of a file, at most.
const BYTES: usize = 256 * 1024;
const MEDIA_TYPES: [&str; 2] = ["application/toml", "text/plain"];

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ForceQuery {
    /// Let the file in even if the page does not have all of its parts, or could not
    /// be looked at.
    #[serde(default)]
    force: bool,
}

/// Let a file in, once it was tried on a scratch page, which may take a minute. It
/// is not in use yet. 200 where it was in already.
#[utoipa::path(post, path = "/page-hooks/versions", tag = "page hooks", params(ForceQuery),
    request_body(content = String, content_type = "application/toml", description = "the file's text, at most 256 KiB"),
    responses((status = 201, body = HooksVersionBody), (status = 200, body = HooksVersionBody),
        (status = "default", body = ProblemBody)))]
pub(crate) async fn push_page_hooks(
    State(api): State<Api>,
    Admin(caller): Admin,
    Asked(ForceQuery { force }): Asked<ForceQuery>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Counted<Response>> {
    let allowance = api.limits.check(Limit::Write, caller.key())?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    if !MEDIA_TYPES.iter().any(|known| known.eq_ignore_ascii_case(essence)) {
        return Err(Problem::new(
            Code::MediaTypeUnsupported,
            "send the file's text, with the header `Content-Type: application/toml`",
        ));
    }
    let bytes = to_bytes(body, BYTES).await.map_err(|_| {
        Problem::new(Code::BodyTooLarge, "a file of page hooks has at most 256 KiB")
    })?;
    let text = String::from_utf8(bytes.into())
        .map_err(|error| Problem::new(Code::PageHooksInvalid, format!("it is no text: {error}")))?;
    let (hooks, who) = (api.page_hooks.clone(), caller.shown());
    let pushed = api.to_the_end(async move { hooks.push(&text, &who, force).await }).await??;
    let status = if pushed.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let place = format!("/page-hooks/versions/{}", pushed.version.digest);
    let body = Json(HooksVersionBody::of(pushed.version, &api.page_hooks.status()));
    Ok(Counted(allowance, (status, [(header::LOCATION, place)], body).into_response()))
}
