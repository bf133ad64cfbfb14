//! Who gets which events of a handler, what it may do, and how it stands.

use std::collections::{BTreeMap, BTreeSet};

use axum::{Json, extract::State};
use pairing_core::{
    handler::HandlerName,
    id::SessionName,
    subscription::{Grants, Subscription, SubscriptionSettings},
};
use pairing_delivery::{LaneReport, SubscriptionReport};
use serde::Serialize;
use utoipa::ToSchema;

use super::input::{AtHandler, AtSubscription};
use crate::{
    auth::Admin,
    problem::{Answer, Problem, ProblemBody},
    rate_limit::Limit,
    routes::counted::Counted,
    state::Api,
    views::DoneBody,
};

/// Subscriptions that are told of with a slot.
const SUMMARIES: usize = 100;

/// What a handler may do; what is left out is not granted.
#[derive(ToSchema)]
#[schema(as = Grants, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes `pairing_core::subscription::Grants`")]
pub(crate) struct GrantsBody {
    /// Write lines for the operator.
    log: Option<bool>,
    /// Read its `config`.
    config: Option<bool>,
    /// Keep values.
    kv: Option<bool>,
    /// Tell the time.
    clock: Option<bool>,
    /// Get random bytes.
    random: Option<bool>,
    /// Sign with its secrets.
    secrets: Option<bool>,
    /// What it may do to sessions.
    session: Option<Vec<SessionActionBody>>,
    /// Where it may send requests.
    http: Option<Vec<HttpGrantBody>>,
    /// Requests a second in the long run, to all hosts together; more wait.
    http_per_second: Option<u32>,
}

/// What a handler may do to a session.
#[derive(ToSchema)]
#[schema(as = SessionAction, rename_all = "kebab-case")]
#[expect(dead_code, reason = "describes `pairing_core::subscription::SessionAction`")]
pub(crate) enum SessionActionBody {
    /// Start its browser again.
    Reconnect,
    /// Stop its browser; the link stays.
    Park,
    /// Unlink it.
    LogOut,
}

/// Where requests may go.
#[derive(ToSchema)]
#[schema(as = HttpGrant, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes `pairing_core::subscription::HttpGrant`")]
pub(crate) struct HttpGrantBody {
    /// Scheme, host, port, and the beginning of the path. A host that is an address,
    /// or `localhost`, is thereby granted whatever network it lies in.
    #[schema(format = "uri")]
    url: String,
    /// Methods in capitals; without it all.
    methods: Option<Vec<String>>,
    /// Networks beyond the public internet where the host's name may lead, such as
    /// `10.1.0.0/16`.
    networks: Option<Vec<String>>,
}

/// A subscription as it was set up. Of secrets only the names are told.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionBody {
    handler: String,
    name: String,
    /// Sessions whose events it gets; null means all.
    #[schema(required, value_type = Option<Vec<String>>)]
    sessions: Option<BTreeSet<SessionName>>,
    /// Kinds of events it gets; null means those that the handler wants.
    #[schema(required)]
    types: Option<BTreeSet<String>>,
    #[schema(value_type = GrantsBody)]
    grants: Grants,
    config: BTreeMap<String, String>,
    /// The names of its secrets.
    secrets: Vec<String>,
    /// Seconds between one failed attempt and the next.
    retry_seconds: Vec<u32>,
    /// One attempt may take so many milliseconds.
    timeout_ms: u32,
    /// Events, of different sessions, that are handed over at once.
    concurrency: u32,
    /// Why it is switched off; null: it is on.
    #[schema(required)]
    disabled: Option<String>,
    #[schema(format = "date-time")]
    created_at: String,
    #[schema(format = "date-time")]
    updated_at: String,
    updated_by: String,
    /// How it stands; null right after it was made.
    #[schema(required)]
    state: Option<SubscriptionStateBody>,
}

/// How far a subscription has come.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionStateBody {
    /// Opaque cursor: everything up to here is settled, but for sessions that lag.
    cursor: String,
    /// Entries of the journal after it.
    lag: u64,
    /// Events that are handed over right now.
    in_flight: usize,
    /// Events that were given up.
    dead_letters: u64,
    /// Sessions that lag behind.
    lagging: usize,
    /// The first hundred of those, by the time of their next attempt.
    lanes: Vec<LaneBody>,
}

/// A session that lags behind.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LaneBody {
    session: String,
    /// Failed attempts at its next event.
    attempts: u32,
    /// No attempt before this; null: it waits for its turn.
    #[schema(required, format = "date-time")]
    next_attempt_at: Option<String>,
    /// How the last attempt failed.
    error: String,
}

impl From<LaneReport> for LaneBody {
    fn from(lane: LaneReport) -> Self {
        Self {
            session: lane.session.to_string(),
            attempts: lane.attempts,
            next_attempt_at: lane.next_attempt_at.map(|at| at.to_string()),
            error: lane.error,
        }
    }
}

/// A subscription in a line.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionSummaryBody {
    name: String,
    /// Why it is switched off; null: it is on.
    #[schema(required)]
    disabled: Option<String>,
    /// Entries of the journal that are still to come.
    lag: u64,
    /// Sessions that lag behind.
    lagging: usize,
    /// Events that were given up.
    dead_letters: u64,
}

impl SubscriptionBody {
    pub(super) fn of(subscription: Subscription, state: Option<SubscriptionStateBody>) -> Self {
        let Subscription { id, settings, secrets, disabled, .. } = subscription;
        let SubscriptionSettings { sessions, types, grants, config, .. } = settings;
        Self {
            handler: id.handler.to_string(),
            name: id.name.to_string(),
            sessions,
            types,
            grants,
            config,
            secrets: secrets.into_keys().collect(),
            retry_seconds: settings.retry_seconds,
            timeout_ms: settings.timeout_ms,
            concurrency: settings.concurrency,
            disabled,
            created_at: subscription.created_at.to_string(),
            updated_at: subscription.updated_at.to_string(),
            updated_by: subscription.updated_by,
            state,
        }
    }
}

async fn state(api: &Api, report: SubscriptionReport) -> Answer<SubscriptionStateBody> {
    Ok(SubscriptionStateBody {
        dead_letters: api.store.count_dead_letters(&report.id).await?,
        cursor: report.cursor.to_string(),
        lag: report.lag,
        in_flight: report.in_flight,
        lagging: report.lagging,
        lanes: report.lanes.into_iter().map(LaneBody::from).collect(),
    })
}

/// How all subscriptions stand, in a line each.
pub(super) async fn summaries(
    api: &Api,
) -> Result<Vec<(HandlerName, SubscriptionSummaryBody)>, pairing_core::store::StoreError> {
    let mut summaries: Vec<(HandlerName, SubscriptionSummaryBody)> = Vec::new();
    for report in api.deliveries.reports().await? {
        let handler = report.id.handler;
        if summaries.iter().filter(|(other, _)| *other == handler).count() == SUMMARIES {
            continue;
        }
        let summary = SubscriptionSummaryBody {
            dead_letters: api.store.count_dead_letters(&report.id).await?,
            name: report.id.name.to_string(),
            disabled: report.disabled,
            lag: report.lag,
            lagging: report.lagging,
        };
        summaries.push((handler, summary));
    }
    Ok(summaries)
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SubscriptionsBody {
    /// By name.
    subscriptions: Vec<SubscriptionBody>,
}

/// The subscriptions of a handler, and how they stand.
#[utoipa::path(get, path = "/plugins/{slot}/subscriptions", tag = "plugins",
    params(("slot" = String, Path, description = "a handler's name")),
    responses((status = 200, body = SubscriptionsBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn list_subscriptions(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtHandler(handler): AtHandler,
) -> Answer<Counted<Json<SubscriptionsBody>>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let reports = api.deliveries.reports().await?;
    let mut subscriptions = Vec::new();
    for subscription in api.plugins.subscriptions(handler).await? {
        let report = reports.iter().find(|report| report.id == subscription.id);
        let state = match report {
            Some(report) => Some(state(&api, report.clone()).await?),
            None => None,
        };
        subscriptions.push(SubscriptionBody::of(subscription, state));
    }
    Ok(Counted(allowance, Json(SubscriptionsBody { subscriptions })))
}

/// A subscription, and how it stands.
#[utoipa::path(get, path = "/plugins/{slot}/subscriptions/{name}", tag = "plugins",
    params(("slot" = String, Path, description = "a handler's name"), ("name" = String, Path)),
    responses((status = 200, body = SubscriptionBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn read_subscription(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtSubscription(id): AtSubscription,
) -> Answer<Counted<Json<SubscriptionBody>>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let subscription = api.plugins.subscription(&id).await?;
    Ok(Counted(allowance, Json(with_state(&api, subscription).await?)))
}

pub(super) async fn with_state(api: &Api, subscription: Subscription) -> Answer<SubscriptionBody> {
    let mut reports = api.deliveries.reports().await?.into_iter();
    let state = match reports.find(|report| report.id == subscription.id) {
        Some(report) => Some(state(api, report).await?),
        None => None,
    };
    Ok(SubscriptionBody::of(subscription, state))
}

/// Remove a subscription with all that belongs to it: its place, its secrets, the
/// values it keeps and what it gave up.
#[utoipa::path(delete, path = "/plugins/{slot}/subscriptions/{name}", tag = "plugins",
    params(("slot" = String, Path, description = "a handler's name"), ("name" = String, Path)),
    responses((status = 200, body = DoneBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn remove_subscription(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtSubscription(id): AtSubscription,
) -> Answer<Counted<Json<DoneBody>>> {
    let allowance = api.limits.check(Limit::Write, caller.key())?;
    let (inner, who) = (api.clone(), caller.shown());
    let message = format!("subscription `{id}` is gone");
    let removing = async move {
        inner.plugins.remove_subscription(&id, &who).await?;
        inner.deliveries.reload().await;
        Ok::<_, Problem>(())
    };
    api.to_the_end(removing).await??;
    Ok(Counted(allowance, Json(DoneBody::new(message, None))))
}
