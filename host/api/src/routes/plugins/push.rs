//! A component comes in.

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use pairing_core::plugin::Slot;
use pairing_plugin_registry::Push;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{input::AtAnySlot, versions::JudgedVersionBody};
use crate::{
    auth::Admin,
    input::Asked,
    problem::{Answer, Code, Problem, ProblemBody},
    rate_limit::Limit,
    routes::counted::Counted,
    state::Api,
};

const MIB: usize = 1024 * 1024;

/// Bytes of a component, at most.
pub const COMPONENT_BYTES: usize = 10 * MIB;

/// Bytes of a handler's component, at most: it may bring its language's runtime
/// along.
pub const HANDLER_BYTES: usize = 32 * MIB;

/// The one route whose body may be larger than others'.
pub(crate) const PATH: &str = "/plugins/{slot}/versions";

const MEDIA_TYPE: &str = "application/wasm";
const SIGNATURE: &str = "plugin-signature";

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PushQuery {
    /// Let the component of this SHA-256 in although no listed key signed it. It is
    /// noted who did.
    accept_unsigned: Option<String>,
}

/// A component's bytes.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "describes a body")]
pub(crate) struct Component(Vec<u8>);

/// Let a component in, if all gates let it pass. It becomes known and is not
/// active yet. 200 where it was in already.
#[utoipa::path(post, path = "/plugins/{slot}/versions", tag = "plugins",
    params(("slot" = String, Path, description = "`workflow`, `qr-renderer`, `fan-out` or a handler's name"), PushQuery,
        ("Plugin-Signature" = Option<String>, Header, description = "base64 of the component's Ed25519 signature, 64 bytes")),
    request_body(content = Component, content_type = "application/wasm", description = "at most 10 MiB, for a handler 32 MiB"),
    responses((status = 201, body = JudgedVersionBody), (status = 200, body = JudgedVersionBody),
        (status = "default", body = ProblemBody)))]
pub(crate) async fn push_plugin_version(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtAnySlot(slot): AtAnySlot,
    Asked(asked): Asked<PushQuery>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Counted<Response>> {
    // Nothing of the body is read before it is clear who sends it, and what.
    let allowance = api.limits.check(Limit::Write, caller.key())?;
    let signature = signature(&headers)?;
    check_kind(&headers)?;
    let component = read(slot, &headers, body).await?;
    let push = Push {
        slot,
        component: component.into(),
        signature,
        accept_unsigned: asked.accept_unsigned.map(|digest| digest.to_ascii_lowercase()),
        who: caller.shown(),
    };
    let registry = api.plugins.clone();
    let pushed = api.to_the_end(async move { registry.push(push).await }).await??;
    let status = if pushed.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let place = format!("/plugins/{}/versions/{}", slot.as_str(), pushed.version.digest);
    let body = Json(JudgedVersionBody::of(&api, pushed));
    Ok(Counted(allowance, (status, [(header::LOCATION, place)], body).into_response()))
}

fn check_kind(headers: &HeaderMap) -> Answer<()> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(MEDIA_TYPE) {
        return Ok(());
    }
    Err(Problem::new(
        Code::MediaTypeUnsupported,
        format!("send the component's bytes, with the header `Content-Type: {MEDIA_TYPE}`"),
    ))
}

/// The registry says what is wrong with one that is none.
fn signature(headers: &HeaderMap) -> Answer<Option<Vec<u8>>> {
    let Some(sent) = headers.get(SIGNATURE) else { return Ok(None) };
    let decoded = BASE64_STANDARD.decode(sent.as_bytes().trim_ascii());
    decoded.map(Some).map_err(|error| {
        Problem::new(
            Code::HeaderInvalid,
            format!("`Plugin-Signature` is the base64 of 64 bytes, in one line: {error}"),
        )
    })
}

async fn read(slot: Slot, headers: &HeaderMap, body: Body) -> Answer<Bytes> {
    let limit = if slot.handler().is_some() { HANDLER_BYTES } else { COMPONENT_BYTES };
    let said =
        headers.get(header::CONTENT_LENGTH).and_then(|said| said.to_str().ok()?.parse().ok());
    if said.is_some_and(|said: usize| said > limit) {
        return Err(too_large(limit, said));
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(limit, None)),
        Err(_) => Err(Problem::new(Code::BodyInvalid, "the component did not come whole")),
    }
}

fn too_large(limit: usize, size: Option<usize>) -> Problem {
    let size = match size {
        Some(size) => format!("{size} bytes"),
        None => format!("more than {limit} bytes"),
    };
    Problem::new(
        Code::BodyTooLarge,
        format!(
            "the component has {size}, at most {} MiB ({limit} bytes) are taken; build it for size and strip it",
            limit / MIB
        ),
    )
}
