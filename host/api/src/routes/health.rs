//! For probes and Prometheus.

use std::time::Duration;

use axum::{Json, extract::State, response::IntoResponse};
use http::{StatusCode, header};
use pairing_core::{plugin::Slot, store::Store};
use pairing_plugin_registry::SlotReport;
use pairing_plugin_runtime::BreakerState;
use serde::Serialize;
use tokio::{sync::Mutex, time::Instant};
use utoipa::ToSchema;

use super::{
    counted::Counted,
    plugins::slots::{breaker, slot},
};
use crate::{
    auth::Admin,
    problem::{Answer, ProblemBody},
    rate_limit::Limit,
    state::Api,
};

/// The check writes to the database, and anybody may ask for it: it is done once in
/// this time, however many ask.
const CHECKED_FOR: Duration = Duration::from_millis(500);

/// When the database was last looked at, and whether it answered.
#[derive(Default)]
pub(crate) struct DatabaseCheck(Mutex<Option<(Instant, bool)>>);

impl DatabaseCheck {
    async fn answers(&self, store: &dyn Store) -> bool {
        let mut last = self.0.lock().await;
        if let Some((at, answers)) = *last
            && at.elapsed() < CHECKED_FOR
        {
            return answers;
        }
        let checked = store.check().await;
        if let Err(error) = &checked {
            tracing::warn!(%error, "not ready: the database does not answer");
        }
        *last = Some((Instant::now(), checked.is_ok()));
        checked.is_ok()
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct LiveBody {
    status: &'static str,
}

/// The process runs. Asks nothing of anybody.
#[utoipa::path(get, path = "/health/live", tag = "operations", security(()),
    responses((status = 200, body = LiveBody)))]
pub(crate) async fn live() -> Json<LiveBody> {
    Json(LiveBody { status: "live" })
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CheckBody {
    name: &'static str,
    ok: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ReadyBody {
    /// `ready` or `not_ready`.
    status: &'static str,
    checks: Vec<CheckBody>,
    plugins: Vec<ReadyPluginBody>,
}

/// What fills a slot. Anybody may ask, so neither names nor errors are told.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReadyPluginBody {
    #[schema(schema_with = slot)]
    slot: String,
    /// The first twelve digits.
    digest: String,
    #[schema(schema_with = breaker)]
    breaker: &'static str,
}

impl From<&SlotReport> for ReadyPluginBody {
    fn from(report: &SlotReport) -> Self {
        Self {
            slot: report.slot.label(),
            digest: report.active.info.digest.short().to_owned(),
            breaker: report.active.health.breaker.as_str(),
        }
    }
}

/// The host can do its work: the database answers, all slots are filled and the
/// workflow is not quarantined, and it is not being stopped.
#[utoipa::path(get, path = "/health/ready", tag = "operations", security(()),
    responses((status = 200, body = ReadyBody), (status = 503, body = ReadyBody)))]
pub(crate) async fn ready(State(api): State<Api>) -> impl IntoResponse {
    let database = api.database.answers(&*api.store).await;
    let slots = api.plugins.slots();
    let checks = vec![
        CheckBody { name: "database", ok: database },
        CheckBody { name: "plugins", ok: can_decide(&slots) },
        CheckBody { name: "running", ok: !api.stopping.is_cancelled() },
    ];
    let is_ready = checks.iter().all(|check| check.ok);
    let (code, status) = if is_ready {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not_ready")
    };
    let own = slots.iter().filter(|report| Slot::OWN.contains(&report.slot));
    let plugins = own.map(ReadyPluginBody::from).collect();
    (code, Json(ReadyBody { status, checks, plugins }))
}

/// Without the others pairing goes on; without the workflow nothing does. Handlers
/// are not asked after.
fn can_decide(slots: &[SlotReport]) -> bool {
    let is_called = |report: &SlotReport| {
        report.slot != Slot::Workflow || report.active.health.breaker != BreakerState::Quarantined
    };
    let own = slots.iter().filter(|report| Slot::OWN.contains(&report.slot));
    own.clone().count() == Slot::OWN.len() && own.into_iter().all(is_called)
}

/// Metrics in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses((status = 200, body = String, content_type = "text/plain"), (status = "default", body = ProblemBody)))]
pub(crate) async fn metrics(
    State(api): State<Api>,
    Admin(caller): Admin,
) -> Answer<Counted<impl IntoResponse>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(Counted(allowance, ([(header::CONTENT_TYPE, kind)], api.metrics.render())))
}

#[cfg(test)]
mod tests {
    use pairing_core::plugin::{PluginDigest, PluginInfo};
    use pairing_plugin_runtime::{Health, VersionReport};

    use super::*;

    fn report(slot: Slot, breaker: BreakerState) -> SlotReport {
        let info = PluginInfo {
            slot,
            digest: PluginDigest("0be7d2419f3c58a6".into()),
            name: slot.as_str().into(),
            version: "0.1.0".into(),
            source: "embedded".into(),
        };
        let health = Health {
            breaker,
            calls: 9,
            errors: [("trapped", 9)].into(),
            p99: None,
            last_error: None,
        };
        let active = VersionReport { info, health };
        SlotReport { slot, generation: 1, active, canary: None, pinned_sessions: 0 }
    }

    #[test]
    fn a_quarantined_workflow_makes_the_host_unready_and_other_plugins_do_not() {
        let with = |workflow, others| {
            let breaker = |slot| if slot == Slot::Workflow { workflow } else { others };
            Slot::OWN.map(|slot| report(slot, breaker(slot)))
        };
        use BreakerState::{Closed, HalfOpen, Open, Quarantined};
        assert!(!can_decide(&with(Quarantined, Closed)));
        for breaker in [Closed, HalfOpen, Open] {
            assert!(can_decide(&with(breaker, Quarantined)), "{breaker:?}");
        }
        assert!(!can_decide(&with(Closed, Closed)[..2]), "an empty slot");
    }
}
