//! What a version would have done with the past.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use pairing_plugin_registry::{Difference, ReplayReport, ReplayResult, SessionReplay};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::input::{AtSlot, digest};
use crate::{
    auth::Admin,
    input::Body,
    problem::{Answer, ProblemBody},
    rate_limit::Limit,
    routes::counted::Counted,
    state::Api,
};

/// How the replay of a history ended.
#[derive(Serialize, ToSchema, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ReplayResult)]
pub(crate) enum ResultBody {
    /// It decides as was recorded.
    Identical,
    /// It decides something else.
    Differs,
    /// It does not read the session's state.
    StateRejected,
    /// It failed in the call.
    Trapped,
    /// It took more time, fuel or memory than a call may.
    OverBudget,
}

impl From<ReplayResult> for ResultBody {
    fn from(result: ReplayResult) -> Self {
        match result {
            ReplayResult::Identical => Self::Identical,
            ReplayResult::Differs => Self::Differs,
            ReplayResult::StateRejected => Self::StateRejected,
            ReplayResult::Trapped => Self::Trapped,
            ReplayResult::OverBudget => Self::OverBudget,
        }
    }
}

/// How many histories ended in which way; those that none did are left out.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct ResultsBody {
    identical: Option<u64>,
    differs: Option<u64>,
    state_rejected: Option<u64>,
    trapped: Option<u64>,
    over_budget: Option<u64>,
}

/// One place where two decisions differ.
#[derive(Serialize, ToSchema)]
pub(crate) struct DifferenceBody {
    /// A JSON pointer into the decision, such as `/effects/0`.
    path: String,
    /// What was decided then; null where nothing was.
    #[schema(required)]
    recorded: Option<Value>,
    /// What is decided now; null where nothing is.
    #[schema(required)]
    now: Option<Value>,
}

impl From<Difference> for DifferenceBody {
    fn from(Difference { path, recorded, now }: Difference) -> Self {
        Self { path, recorded, now }
    }
}

/// A history that is not identical.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionReplayBody {
    session: String,
    result: ResultBody,
    /// The input at which it ended so.
    #[schema(required)]
    input_number: Option<u64>,
    /// That input's kind, such as `engine:ready`.
    #[schema(required)]
    cause: Option<String>,
    /// What happened, for people.
    message: String,
    differences: Vec<DifferenceBody>,
}

impl From<SessionReplay> for SessionReplayBody {
    fn from(replay: SessionReplay) -> Self {
        Self {
            session: replay.session.to_string(),
            result: replay.result.into(),
            input_number: replay.input_number,
            cause: replay.cause,
            message: replay.message,
            differences: replay.differences.into_iter().map(DifferenceBody::from).collect(),
        }
    }
}

/// What came of replaying recorded histories through a version.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReplayReport)]
pub(crate) struct ReplayBody {
    digest: String,
    /// Sessions whose histories were replayed.
    histories: u64,
    /// Inputs that they had, all in all.
    inputs: u64,
    #[schema(value_type = ResultsBody)]
    results: BTreeMap<ResultBody, u64>,
    /// Fuel that the recorded decisions took.
    fuel_recorded: u64,
    /// Fuel that the same inputs take now.
    fuel_now: u64,
    /// What to know about it, in sentences.
    remarks: Vec<String>,
    /// The histories that are not identical; the first hundred.
    sessions: Vec<SessionReplayBody>,
}

impl From<ReplayReport> for ReplayBody {
    fn from(report: ReplayReport) -> Self {
        let results = report.results.into_iter();
        Self {
            digest: report.digest.to_string(),
            histories: report.histories,
            inputs: report.inputs,
            results: results.map(|(result, count)| (result.into(), count)).collect(),
            fuel_recorded: report.fuel_recorded,
            fuel_now: report.fuel_now,
            remarks: report.remarks,
            sessions: report.sessions.into_iter().map(SessionReplayBody::from).collect(),
        }
    }
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct ReplayRequestBody {
    /// The version's digest, or at least its first six digits.
    digest: String,
}

/// What a version would have done with the recorded histories. Changes nothing.
#[utoipa::path(post, path = "/plugins/{slot}/replay", tag = "plugins", request_body = ReplayRequestBody,
    params(("slot" = String, Path, description = "`workflow`, `qr-renderer`, `fan-out` or a handler's name")),
    responses((status = 200, body = ReplayBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn replay_plugin(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtSlot(slot): AtSlot,
    Body(body): Body<ReplayRequestBody>,
) -> Answer<Counted<Json<ReplayBody>>> {
    let allowance = api.limits.check(Limit::Write, caller.key())?;
    let report = api.plugins.replay(slot, &digest(&body.digest)?).await?;
    Ok(Counted(allowance, Json(report.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_the_registrys_report() {
        let results = [
            ReplayResult::Identical,
            ReplayResult::Differs,
            ReplayResult::StateRejected,
            ReplayResult::Trapped,
            ReplayResult::OverBudget,
        ];
        let session = SessionReplay {
            session: "one".parse().unwrap(),
            result: ReplayResult::Differs,
            input_number: Some(7),
            cause: Some("engine:ready".into()),
            message: "decides something else".into(),
            differences: vec![Difference {
                path: "/effects/0".into(),
                recorded: Some("stop".into()),
                now: None,
            }],
        };
        let report = ReplayReport {
            digest: pairing_core::plugin::PluginDigest("0be7d2".into()),
            histories: 5,
            inputs: 100,
            results: results.map(|result| (result, 1)).into(),
            fuel_recorded: 10,
            fuel_now: 9,
            remarks: vec!["a remark".into()],
            sessions: vec![session],
        };
        let theirs = serde_json::to_value(&report).unwrap();
        assert_eq!(serde_json::to_value(ReplayBody::from(report)).unwrap(), theirs);
    }
}
