//! For probes and Prometheus.

use std::time::Duration;

use axum::{Json, extract::State, response::IntoResponse};
use http::{StatusCode, header};
use pairing_core::store::Store;
use serde::Serialize;
use tokio::{sync::Mutex, time::Instant};
use utoipa::ToSchema;

use super::counted::Counted;
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
}

/// The host can do its work: the database answers, all plugins are loaded, and it
/// is not being stopped.
#[utoipa::path(get, path = "/health/ready", tag = "operations", security(()),
    responses((status = 200, body = ReadyBody), (status = 503, body = ReadyBody)))]
pub(crate) async fn ready(State(api): State<Api>) -> impl IntoResponse {
    let database = api.database.answers(&*api.store).await;
    let checks = vec![
        CheckBody { name: "database", ok: database },
        CheckBody { name: "plugins", ok: api.plugins.len() == 3 },
        CheckBody { name: "running", ok: !api.stopping.is_cancelled() },
    ];
    let is_ready = checks.iter().all(|check| check.ok);
    let (code, status) = if is_ready {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not_ready")
    };
    (code, Json(ReadyBody { status, checks }))
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
