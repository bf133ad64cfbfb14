//! What fills the slots, and how it does.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use pairing_core::plugin::Slot;
use pairing_plugin_registry::SlotReport;
use pairing_plugin_runtime::{BreakerState, Health, VersionReport};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

use super::subscriptions::{SubscriptionSummaryBody, summaries};
use crate::{
    auth::Admin,
    problem::{Answer, ProblemBody},
    rate_limit::Limit,
    routes::counted::Counted,
    state::Api,
};

pub(crate) fn slot() -> impl Into<RefOr<Schema>> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("`workflow`, `qr-renderer`, `fan-out` or a handler's name"))
}

pub(crate) fn breaker() -> impl Into<RefOr<Schema>> {
    use BreakerState::{Closed, HalfOpen, Open, Quarantined};
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some([Closed, Open, HalfOpen, Quarantined].map(BreakerState::as_str)))
        .description(Some("may the version be called?"))
}

/// How a version does since it was loaded.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthBody {
    #[schema(schema_with = breaker)]
    breaker: &'static str,
    calls: u64,
    /// Calls that failed.
    errors: u64,
    /// The same by kind, such as `trapped`.
    errors_by_kind: BTreeMap<&'static str, u64>,
    /// Of the last calls 99 % took no longer, in milliseconds.
    #[schema(required)]
    p99_ms: Option<f64>,
    #[schema(required)]
    last_error: Option<String>,
}

impl From<Health> for HealthBody {
    fn from(health: Health) -> Self {
        Self {
            breaker: health.breaker.as_str(),
            calls: health.calls,
            errors: health.errors.values().sum(),
            errors_by_kind: health.errors,
            p99_ms: health.p99.map(|p99| (p99.as_secs_f64() * 1e6).round() / 1e3),
            last_error: health.last_error,
        }
    }
}

/// A version that serves a share of the sessions on trial.
#[derive(Serialize, ToSchema)]
pub(crate) struct RunningCanaryBody {
    digest: String,
    name: String,
    version: String,
    /// Percent of the sessions.
    share: u8,
    health: HealthBody,
}

impl RunningCanaryBody {
    fn of((VersionReport { info, health }, share): (VersionReport, u8)) -> Self {
        Self {
            digest: info.digest.to_string(),
            name: info.name,
            version: info.version,
            share,
            health: health.into(),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SlotBody {
    #[schema(schema_with = slot)]
    slot: String,
    /// SHA-256 of the component that serves all sessions but those on trial and
    /// those that are pinned.
    digest: String,
    name: String,
    version: String,
    /// How it came in: `embedded`, `folder` or `upload`.
    source: String,
    /// The activation that made it so.
    generation: u64,
    /// Sessions that stay with another version.
    pinned_sessions: usize,
    health: HealthBody,
    #[schema(required)]
    canary: Option<RunningCanaryBody>,
    /// Of a handler, the first hundred by name. Null: the database is away.
    #[schema(required)]
    subscriptions: Option<Vec<SubscriptionSummaryBody>>,
}

impl SlotBody {
    fn of(report: SlotReport, subscriptions: Option<Vec<SubscriptionSummaryBody>>) -> Self {
        let VersionReport { info, health } = report.active;
        Self {
            slot: report.slot.label(),
            digest: info.digest.to_string(),
            name: info.name,
            version: info.version,
            source: info.source,
            generation: report.generation,
            pinned_sessions: report.pinned_sessions,
            health: health.into(),
            canary: report.canary.map(RunningCanaryBody::of),
            subscriptions,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SlotsBody {
    slots: Vec<SlotBody>,
}

/// The plugins that fill the slots, and how they do.
#[utoipa::path(get, path = "/plugins", tag = "plugins",
    responses((status = 200, body = SlotsBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn list_plugins(
    State(api): State<Api>,
    Admin(caller): Admin,
) -> Answer<Counted<Json<SlotsBody>>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let summaries = summaries(&api).await;
    if let Err(error) = &summaries {
        tracing::warn!(%error, "how subscriptions stand could not be read");
    }
    let of = |slot: Slot| {
        let all = summaries.as_ref().ok()?.iter();
        let own = all.filter(|(handler, _)| slot.handler() == Some(*handler));
        Some(own.map(|(_, summary)| summary.clone()).collect())
    };
    let slots = api.plugins.slots().into_iter();
    let slots = slots.map(|report| SlotBody::of(report.clone(), of(report.slot))).collect();
    Ok(Counted(allowance, Json(SlotsBody { slots })))
}
