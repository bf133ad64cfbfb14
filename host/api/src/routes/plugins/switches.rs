//! A subscription is switched on or off, or moved.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    activate::why,
    input::AtSubscription,
    put_subscription::begin,
    subscriptions::{SubscriptionBody, with_state},
};
use crate::{
    auth::Admin,
    input::{Body, OptionalBody},
    problem::{Answer, ProblemBody},
    rate_limit::Limit,
    routes::counted::Counted,
    state::Api,
};

#[derive(Default, Deserialize, ToSchema)]
pub(crate) struct DisableBody {
    /// The reason, which is shown: up to 500 characters.
    why: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct SeekBody {
    /// `now`, or the place after which it goes on: the `id` of an event.
    cursor: String,
}

/// Switch a subscription on: it goes on where it stood.
#[utoipa::path(post, path = "/plugins/{slot}/subscriptions/{name}/enable", tag = "plugins",
    params(("slot" = String, Path, description = "a handler's name"), ("name" = String, Path)),
    responses((status = 200, body = SubscriptionBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn enable_subscription(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtSubscription(id): AtSubscription,
) -> Answer<Counted<Json<SubscriptionBody>>> {
    let allowance = api.limits.check(Limit::Write, caller.key())?;
    let (inner, who) = (api.clone(), caller.shown());
    let switching = async move {
        inner.plugins.enable(&id, &who).await?;
        inner.deliveries.reload().await;
        with_state(&inner, inner.plugins.subscription(&id).await?).await
    };
    let body = api.to_the_end(switching).await??;
    Ok(Counted(allowance, Json(body)))
}

/// Switch a subscription off: nothing is handed over, and its place stays.
#[utoipa::path(post, path = "/plugins/{slot}/subscriptions/{name}/disable", tag = "plugins",
    request_body(content = Option<DisableBody>),
    params(("slot" = String, Path, description = "a handler's name"), ("name" = String, Path)),
    responses((status = 200, body = SubscriptionBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn disable_subscription(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtSubscription(id): AtSubscription,
    OptionalBody(body): OptionalBody<DisableBody>,
) -> Answer<Counted<Json<SubscriptionBody>>> {
    let allowance = api.limits.check(Limit::Write, caller.key())?;
    let (inner, who, why) = (api.clone(), caller.shown(), why(body.why)?);
    let switching = async move {
        inner.plugins.disable(&id, &why, &who).await?;
        inner.deliveries.reload().await;
        with_state(&inner, inner.plugins.subscription(&id).await?).await
    };
    let body = api.to_the_end(switching).await??;
    Ok(Counted(allowance, Json(body)))
}

/// Move a subscription: what comes after the place is handed over, again if it was
/// before.
#[utoipa::path(post, path = "/plugins/{slot}/subscriptions/{name}/seek", tag = "plugins",
    request_body = SeekBody,
    params(("slot" = String, Path, description = "a handler's name"), ("name" = String, Path)),
    responses((status = 200, body = SubscriptionBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn seek_subscription(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtSubscription(id): AtSubscription,
    Body(body): Body<SeekBody>,
) -> Answer<Counted<Json<SubscriptionBody>>> {
    let allowance = api.limits.check(Limit::Write, caller.key())?;
    let (inner, who, to) = (api.clone(), caller.shown(), begin(&body.cursor)?);
    let moving = async move {
        inner.plugins.seek(&id, to, &who).await?;
        inner.deliveries.reload().await;
        with_state(&inner, inner.plugins.subscription(&id).await?).await
    };
    let body = api.to_the_end(moving).await??;
    Ok(Counted(allowance, Json(body)))
}
