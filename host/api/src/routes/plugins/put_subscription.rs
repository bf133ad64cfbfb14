//! A subscription is made or changed.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use pairing_core::{
    id::SessionName,
    subscription::{Grants, SubscriptionSettings},
};
use pairing_plugin_registry::{Begin, PutSubscription};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    activate::why,
    input::AtSubscription,
    subscriptions::{GrantsBody, SubscriptionBody, with_state},
};
use crate::{
    auth::Admin,
    input::Body,
    problem::{Answer, Code, Problem, ProblemBody},
    rate_limit::Limit,
    routes::counted::Counted,
    state::Api,
};

/// All of a subscription but its secrets: what is left out is as for a new one.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PutSubscriptionBody {
    /// Sessions whose events it gets; all without it.
    #[schema(value_type = Option<Vec<String>>)]
    sessions: Option<BTreeSet<SessionName>>,
    /// Kinds of events it gets; without it those that the handler wants.
    types: Option<BTreeSet<String>>,
    /// What it may do: at least what the active version imports.
    #[serde(default)]
    #[schema(value_type = Option<GrantsBody>)]
    grants: Grants,
    /// What the handler reads by `config`: up to 64 keys, 16 KiB in all.
    #[serde(default)]
    config: BTreeMap<String, String>,
    /// Secrets to set, or to remove (null); others stay. Up to 16 of 4 KiB each. They
    /// are never told again.
    #[serde(default)]
    secrets: BTreeMap<String, Option<String>>,
    /// Seconds between one failed attempt and the next, up to 20 of 1 to 604800; after
    /// the last one the event is given up. Without it the nine of Standard Webhooks.
    retry_seconds: Option<Vec<u32>>,
    /// One attempt may take so many milliseconds, 100 to 30000; 5000 without it.
    timeout_ms: Option<u32>,
    /// Events, of different sessions, that are handed over at once, 1 to 64; 8 without
    /// it.
    concurrency: Option<u32>,
    /// Where one that is new begins: `now`, or after a cursor of the journal. One that
    /// is there keeps its place.
    from: Option<String>,
    /// The reason, for the history: up to 500 characters.
    why: Option<String>,
}

impl PutSubscriptionBody {
    fn settings(&mut self) -> SubscriptionSettings {
        let default = SubscriptionSettings::default();
        SubscriptionSettings {
            sessions: self.sessions.take(),
            types: self.types.take(),
            grants: std::mem::take(&mut self.grants),
            config: std::mem::take(&mut self.config),
            retry_seconds: self.retry_seconds.take().unwrap_or(default.retry_seconds),
            timeout_ms: self.timeout_ms.unwrap_or(default.timeout_ms),
            concurrency: self.concurrency.unwrap_or(default.concurrency),
        }
    }
}

/// `now`, or a cursor.
pub(super) fn begin(text: &str) -> Answer<Begin> {
    if text == "now" {
        return Ok(Begin::Now);
    }
    text.parse().map(Begin::After).map_err(|_| {
        Problem::new(
            Code::SubscriptionInvalid,
            "a place of the journal is `now`, or an `id` that an event came with",
        )
    })
}

/// Make a subscription, or put other settings in place of its own.
#[utoipa::path(put, path = "/plugins/{slot}/subscriptions/{name}", tag = "plugins",
    request_body = PutSubscriptionBody,
    params(("slot" = String, Path, description = "a handler's name"), ("name" = String, Path,
        description = "1 to 64 of `A-Z a-z 0-9 - _`; `default` where there is but one")),
    responses((status = 201, body = SubscriptionBody), (status = 200, body = SubscriptionBody),
        (status = "default", body = ProblemBody)))]
pub(crate) async fn put_subscription(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtSubscription(id): AtSubscription,
    Body(mut body): Body<PutSubscriptionBody>,
) -> Answer<Counted<Response>> {
    let allowance = api.limits.check(Limit::Write, caller.key())?;
    let secrets = std::mem::take(&mut body.secrets).into_iter();
    let ask = PutSubscription {
        id,
        settings: body.settings(),
        secrets: secrets.map(|(name, value)| (name, value.map(SecretString::from))).collect(),
        from: begin(body.from.as_deref().unwrap_or("now"))?,
        why: why(body.why)?,
        who: caller.shown(),
    };
    let inner = api.clone();
    let putting = async move {
        let put = inner.plugins.put_subscription(ask).await?;
        inner.deliveries.reload().await;
        Ok::<_, Problem>(put)
    };
    let put = api.to_the_end(putting).await??;
    let status = if put.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let body = with_state(&api, put.subscription).await?;
    Ok(Counted(allowance, (status, Json(body)).into_response()))
}
