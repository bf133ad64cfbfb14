//! The versions that a slot knows.

use axum::{Json, extract::State};
use pairing_core::plugin_store::{PluginVersion, Verdict};
use pairing_plugin_registry::Pushed;
use serde::Serialize;
use utoipa::ToSchema;

use super::input::{AtSlot, AtVersion};
use crate::{
    auth::Admin,
    problem::{Answer, ProblemBody},
    rate_limit::Limit,
    routes::counted::Counted,
    state::Api,
};

/// What a test vector cost.
#[derive(Serialize, ToSchema)]
pub(crate) struct FuelBody {
    /// The vector's name.
    vector: String,
    /// Units of work.
    fuel: u64,
}

/// A component that was let in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionBody {
    /// SHA-256 of the component.
    digest: String,
    name: String,
    version: String,
    /// The component's bytes.
    size: u64,
    /// How it came in: `embedded`, `folder` or `upload`.
    source: String,
    /// The name of the key that signed it.
    #[schema(required)]
    signed_by: Option<String>,
    /// Who accepted it without a signature.
    #[schema(required)]
    accepted_by: Option<String>,
    #[schema(format = "date-time")]
    created_at: String,
    created_by: String,
    /// The interface that makes it fit the slot.
    interface: String,
    /// What it imports.
    imports: Vec<String>,
    /// Bytes of memory that each instance begins with.
    initial_memory: u64,
    /// The schema of the states that it writes; of a workflow only.
    #[schema(required)]
    writes_schema: Option<u32>,
    /// The schemas of the states that it reads; of a workflow only.
    reads_schemas: Vec<u32>,
    /// What each test vector cost.
    fuel: Vec<FuelBody>,
    is_active: bool,
    is_canary: bool,
}

impl VersionBody {
    fn of(api: &Api, version: PluginVersion) -> Self {
        let slots = api.plugins.slots();
        let running = slots.iter().find(|report| report.slot == version.slot);
        let canary = running.and_then(|report| report.canary.as_ref());
        let facts = version.facts;
        Self {
            is_active: running.is_some_and(|report| report.active.info.digest == version.digest),
            is_canary: canary.is_some_and(|(canary, _)| canary.info.digest == version.digest),
            digest: version.digest.to_string(),
            name: version.name,
            version: version.version,
            size: version.size,
            source: version.source,
            signed_by: version.signed_by,
            accepted_by: version.accepted_by,
            created_at: version.created_at.to_string(),
            created_by: version.created_by,
            interface: facts.interface,
            imports: facts.imports,
            initial_memory: facts.initial_memory,
            writes_schema: facts.writes_schema,
            reads_schemas: facts.reads_schemas.into_iter().collect(),
            fuel: facts.fuel.into_iter().map(|(vector, fuel)| FuelBody { vector, fuel }).collect(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct VersionsBody {
    /// Newest first, at most 200.
    versions: Vec<VersionBody>,
}

/// What a gate said about a version.
#[derive(Serialize, ToSchema)]
pub(crate) struct VerdictBody {
    /// `signature`, `world`, `compile`, `probe`, `replay`, …
    gate: String,
    passed: bool,
    /// What the gate found, and what to do about it.
    message: String,
    #[schema(format = "date-time")]
    at: String,
}

impl From<Verdict> for VerdictBody {
    fn from(verdict: Verdict) -> Self {
        Self {
            gate: verdict.gate,
            passed: verdict.passed,
            message: verdict.message,
            at: verdict.at.to_string(),
        }
    }
}

/// A version with what the gates said.
#[derive(Serialize, ToSchema)]
pub(crate) struct JudgedVersionBody {
    #[serde(flatten)]
    version: VersionBody,
    /// Oldest first.
    verdicts: Vec<VerdictBody>,
}

impl JudgedVersionBody {
    pub(super) fn of(api: &Api, pushed: Pushed) -> Self {
        let verdicts = pushed.verdicts.into_iter().map(VerdictBody::from).collect();
        Self { version: VersionBody::of(api, pushed.version), verdicts }
    }
}

/// The versions that a slot knows, newest first.
#[utoipa::path(get, path = "/plugins/{slot}/versions", tag = "plugins",
    params(("slot" = String, Path, description = "`workflow`, `qr-renderer`, `fan-out` or a handler's name")),
    responses((status = 200, body = VersionsBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn list_plugin_versions(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtSlot(slot): AtSlot,
) -> Answer<Counted<Json<VersionsBody>>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let versions = api.plugins.versions(slot).await?;
    let newest = versions.into_iter().take(super::PAGE as usize);
    let versions = newest.map(|version| VersionBody::of(&api, version)).collect();
    Ok(Counted(allowance, Json(VersionsBody { versions })))
}

/// A version with what the gates said of it.
#[utoipa::path(get, path = "/plugins/{slot}/versions/{digest}", tag = "plugins",
    params(("slot" = String, Path, description = "`workflow`, `qr-renderer`, `fan-out` or a handler's name"),
        ("digest" = String, Path, description = "SHA-256 of the component, or at least the first six digits of it")),
    responses((status = 200, body = JudgedVersionBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn read_plugin_version(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtVersion(slot, digest): AtVersion,
) -> Answer<Counted<Json<JudgedVersionBody>>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let found = api.plugins.version(slot, &digest).await?;
    Ok(Counted(allowance, Json(JudgedVersionBody::of(&api, found))))
}
