//! Another file is used, or the one before again; and a look at the page.

use axum::{Json, extract::State};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::show::{HooksInUseBody, HooksLookBody};
use crate::{
    announce::ToReadersOf,
    auth::Admin,
    input::Body,
    problem::{Answer, ProblemBody},
    rate_limit::Limit,
    routes::counted::Counted,
    state::Api,
};

#[derive(Deserialize, ToSchema)]
pub(crate) struct ActivateHooksBody {
    /// SHA-256 of the file, or at least the first six digits of it. Null: the file
    /// that came with the host.
    #[serde(deserialize_with = "said")]
    #[schema(required)]
    digest: Option<String>,
}

/// Null must be said, not left out.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(deserializer)
}

/// Use another file: new pages at once, running ones from their next document on.
#[utoipa::path(post, path = "/page-hooks/activate", tag = "page hooks", request_body = ActivateHooksBody,
    responses((status = 200, body = HooksInUseBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn activate_page_hooks(
    State(api): State<Api>,
    Admin(caller): Admin,
    Body(body): Body<ActivateHooksBody>,
) -> Answer<Counted<Json<HooksInUseBody>>> {
    let allowance = api.limits.check(Limit::Write, caller.key())?;
    let digest = body.digest.map(|digest| digest.to_ascii_lowercase());
    let (hooks, who) = (api.page_hooks.clone(), caller.shown());
    let change = async move { hooks.activate(digest.as_deref(), &who).await };
    api.to_the_end(change).await??;
    Ok(Counted(allowance, Json(HooksInUseBody::from(&api.page_hooks.status()))))
}

/// Use the file again that was in use before the last change.
#[utoipa::path(post, path = "/page-hooks/rollback", tag = "page hooks",
    responses((status = 200, body = HooksInUseBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn roll_back_page_hooks(
    State(api): State<Api>,
    Admin(caller): Admin,
) -> Answer<Counted<Json<HooksInUseBody>>> {
    let allowance = api.limits.check(Limit::Write, caller.key())?;
    let (hooks, who) = (api.page_hooks.clone(), caller.shown());
    api.to_the_end(async move { hooks.roll_back(&who).await }).await??;
    Ok(Counted(allowance, Json(HooksInUseBody::from(&api.page_hooks.status()))))
}

/// Look at the page now, with the file in use. It may take a minute.
#[utoipa::path(post, path = "/page-hooks/check", tag = "page hooks",
    responses((status = 200, body = HooksLookBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn check_page_hooks(
    State(api): State<Api>,
    Admin(caller): Admin,
) -> Answer<Counted<Json<HooksLookBody>>> {
    let allowance = api.limits.check(Limit::Write, caller.key())?;
    let (hooks, announce) = (api.page_hooks.clone(), ToReadersOf(api.sessions.clone()));
    let look = api.to_the_end(async move { hooks.check(&announce).await }).await?;
    Ok(Counted(allowance, Json(look.into())))
}
