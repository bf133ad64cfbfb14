//! Which plugins decide, draw and route.

use axum::{Json, extract::State};
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
pub(crate) struct SlotBody {
    /// `workflow`, `qr-renderer` or `fan-out`.
    slot: &'static str,
    /// SHA-256 of the component's file.
    digest: String,
    name: String,
    version: String,
    /// `embedded`, or the file's name.
    source: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PluginsBody {
    slots: Vec<SlotBody>,
}

/// The plugins that fill the slots.
#[utoipa::path(get, path = "/plugins", tag = "plugins",
    responses((status = 200, body = PluginsBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn list_plugins(
    State(api): State<Api>,
    Admin(caller): Admin,
) -> Answer<Counted<Json<PluginsBody>>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let slots = api.plugins.iter().map(|plugin| SlotBody {
        slot: plugin.slot.as_str(),
        digest: plugin.digest.to_string(),
        name: plugin.name.clone(),
        version: plugin.version.clone(),
        source: file_name(&plugin.source),
    });
    Ok(Counted(allowance, Json(PluginsBody { slots: slots.collect() })))
}

/// Where files of the host lie is nobody's business.
fn file_name(source: &str) -> String {
    let name = std::path::Path::new(source).file_name();
    name.map_or_else(|| source.to_owned(), |name| name.to_string_lossy().into_owned())
}
