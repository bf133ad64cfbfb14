//! What a version would have done with the past.

use std::collections::BTreeMap;

use pairing_core::{id::SessionName, plugin::PluginDigest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What came of replaying recorded histories through a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayReport {
    /// Which version.
    pub digest: PluginDigest,
    /// How many sessions' histories were replayed.
    pub histories: u64,
    /// How many inputs they had, all in all.
    pub inputs: u64,
    /// How many histories ended in which way.
    pub results: BTreeMap<ReplayResult, u64>,
    /// Fuel that the recorded decisions took.
    pub fuel_recorded: u64,
    /// Fuel that the same inputs take now.
    pub fuel_now: u64,
    /// What to know about it, in sentences.
    pub remarks: Vec<String>,
    /// The histories that are not identical, those that it failed in first; the
    /// first hundred.
    pub sessions: Vec<SessionReplay>,
}

/// How the replay of one history ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplayResult {
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

impl ReplayResult {
    /// A version that does so in a past that really happened is not activated.
    pub(crate) fn is_failure(self) -> bool {
        matches!(self, Self::Trapped | Self::OverBudget)
    }
}

/// One history that is not identical.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionReplay {
    /// Whose.
    pub session: SessionName,
    /// How it ended.
    pub result: ReplayResult,
    /// The input at which it did.
    pub input_number: Option<u64>,
    /// That input's kind, such as `engine:ready`.
    pub cause: Option<String>,
    /// What happened, for people.
    pub message: String,
    /// What was decided otherwise.
    pub differences: Vec<Difference>,
}

/// One place where two decisions differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// A JSON pointer into the decision, such as `/effects/0`.
    pub path: String,
    /// What was decided then; none: nothing was there.
    pub recorded: Option<Value>,
    /// What is decided now; none: nothing is there.
    pub now: Option<Value>,
}
