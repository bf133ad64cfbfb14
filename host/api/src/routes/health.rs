//! For probes and Prometheus.

use axum::{Json, extract::State, response::IntoResponse};
use http::{StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::counted::Counted;
use crate::{
    auth::Admin,
    problem::{Answer, ProblemBody},
    rate_limit::Limit,
    state::Api,
};

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
    let database = api.store.check().await;
    if let Err(error) = &database {
        tracing::warn!(%error, "not ready: the database does not answer");
    }
    let checks = vec![
        CheckBody { name: "database", ok: database.is_ok() },
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
