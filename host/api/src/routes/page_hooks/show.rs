//! What is in use, and what was before.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::header;
use pairing_core::page_hooks::{HooksChange, HooksReport, HooksVersion};
use pairing_page_hooks::{Look, PageHooksStatus};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::Admin,
    problem::{Answer, ProblemBody},
    rate_limit::Limit,
    routes::counted::Counted,
    state::Api,
};

/// Changes and versions of one answer, at most.
const PAGE: usize = 100;

/// What was found on a page that is not linked.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HooksReportBody {
    /// All parts were found, and a code could be made.
    is_good: bool,
    /// The page's own version.
    #[schema(required)]
    page_version: Option<String>,
    /// By part: where it was found.
    found: BTreeMap<String, String>,
    /// By part: why it was not found.
    missing: BTreeMap<String, String>,
    /// The page came to a QR code.
    makes_codes: bool,
}

impl From<HooksReport> for HooksReportBody {
    fn from(report: HooksReport) -> Self {
        Self {
            is_good: report.is_good(),
            page_version: report.page_version,
            found: report.found,
            missing: report.missing,
            makes_codes: report.makes_codes,
        }
    }
}

/// A look at the page.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HooksLookBody {
    #[schema(format = "date-time")]
    at: String,
    /// The file that was in use.
    digest: String,
    /// What was found; null if the page could not be reached.
    #[schema(required)]
    report: Option<HooksReportBody>,
    /// Why the page could not be reached.
    #[schema(required)]
    error: Option<String>,
}

impl From<Look> for HooksLookBody {
    fn from(look: Look) -> Self {
        let (report, error) = match look.found {
            Ok(report) => (Some(report.into()), None),
            Err(error) => (None, Some(error)),
        };
        Self { at: look.at.to_string(), digest: look.digest, report, error }
    }
}

/// A file that was let in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HooksVersionBody {
    /// SHA-256 of its text.
    digest: String,
    #[schema(format = "date-time")]
    pushed_at: String,
    /// It is in use.
    is_active: bool,
    /// What its trial said.
    report: HooksReportBody,
}

impl HooksVersionBody {
    pub(super) fn of(version: HooksVersion, status: &PageHooksStatus) -> Self {
        Self {
            is_active: !status.is_embedded && status.digest == version.digest,
            digest: version.digest,
            pushed_at: version.pushed_at.to_string(),
            report: version.report.into(),
        }
    }
}

/// A change of the file in use.
#[derive(Serialize, ToSchema)]
pub(crate) struct HooksChangeBody {
    /// Counts the changes.
    generation: u64,
    #[schema(format = "date-time")]
    at: String,
    /// What is in use since; null is the file that came with the host.
    #[schema(required)]
    digest: Option<String>,
    /// `activate` or `rollback`.
    cause: String,
    /// Who asked.
    actor: String,
}

impl From<HooksChange> for HooksChangeBody {
    fn from(change: HooksChange) -> Self {
        Self {
            generation: change.generation,
            at: change.at.to_string(),
            digest: change.digest,
            cause: change.cause,
            actor: change.actor,
        }
    }
}

/// What is in use.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HooksInUseBody {
    /// SHA-256 of the file in use.
    digest: String,
    /// It is the one that came with the host.
    is_embedded: bool,
    /// Why the host's own file is in use although another one was activated.
    #[schema(required)]
    refused: Option<String>,
}

impl From<&PageHooksStatus> for HooksInUseBody {
    fn from(status: &PageHooksStatus) -> Self {
        Self {
            digest: status.digest.clone(),
            is_embedded: status.is_embedded,
            refused: status.refused.clone(),
        }
    }
}

/// The knowledge of the page.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageHooksBody {
    in_use: HooksInUseBody,
    /// The last look at the page since the host started.
    #[schema(required)]
    last_look: Option<HooksLookBody>,
    /// How often the page is looked at; null: only when somebody asks.
    #[schema(required)]
    canary_every_seconds: Option<u64>,
    /// Files that were let in, newest first, at most 100.
    versions: Vec<HooksVersionBody>,
    /// Changes, newest first, at most 100.
    history: Vec<HooksChangeBody>,
}

/// Which file is in use, whether the page still is what it says, and which others
/// there are.
#[utoipa::path(get, path = "/page-hooks", tag = "page hooks",
    responses((status = 200, body = PageHooksBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn read_page_hooks(
    State(api): State<Api>,
    Admin(caller): Admin,
) -> Answer<Counted<Json<PageHooksBody>>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let versions = api.page_hooks.versions().await?.into_iter().take(PAGE);
    let history = api.page_hooks.history().await?.into_iter().take(PAGE);
    let status = api.page_hooks.status();
    let body = PageHooksBody {
        in_use: HooksInUseBody::from(&status),
        versions: versions.map(|version| HooksVersionBody::of(version, &status)).collect(),
        history: history.map(HooksChangeBody::from).collect(),
        canary_every_seconds: status.canary_every.map(|every| every.as_secs()),
        last_look: status.last_look.map(HooksLookBody::from),
    };
    Ok(Counted(allowance, Json(body)))
}

/// The text of a file, to begin the next one with. The one that came with the host
/// is there, too.
#[utoipa::path(get, path = "/page-hooks/versions/{digest}", tag = "page hooks",
    params(("digest" = String, Path, description = "SHA-256 of the file, or at least the first six digits of it")),
    responses((status = 200, body = String, content_type = "application/toml"), (status = "default", body = ProblemBody)))]
pub(crate) async fn read_page_hooks_version(
    State(api): State<Api>,
    Admin(caller): Admin,
    Path(digest): Path<String>,
) -> Answer<Counted<Response>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let text = api.page_hooks.text(&digest.to_ascii_lowercase()).await?;
    Ok(Counted(allowance, ([(header::CONTENT_TYPE, "application/toml")], text).into_response()))
}
