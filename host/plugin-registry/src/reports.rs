//! What the registry is asked and what it answers.

use pairing_core::{
    plugin::{PluginDigest, Slot},
    plugin_store::{Canary, PluginVersion, Verdict},
};
use pairing_plugin_runtime::VersionReport;

use crate::replay_report::ReplayReport;

/// A component that wants in.
#[derive(Debug)]
pub struct Push {
    /// The slot it is for.
    pub slot: Slot,
    /// The component's bytes.
    pub component: Vec<u8>,
    /// Its Ed25519 signature, 64 bytes.
    pub signature: Option<Vec<u8>>,
    /// The digest that the sender accepts without a signature.
    pub accept_unsigned: Option<String>,
    /// Who sends it: a token's subject.
    pub who: String,
}

/// A component that is in.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// What is known of it.
    pub version: PluginVersion,
    /// What each gate said.
    pub verdicts: Vec<Verdict>,
    /// False: it was in already.
    pub is_new: bool,
}

/// A version that is to be active.
#[derive(Debug)]
pub struct Activate {
    /// Which slot.
    pub slot: Slot,
    /// Its digest, or the first digits of it.
    pub digest: String,
    /// For this percentage of the sessions only, 1 to 99.
    pub canary: Option<u8>,
    /// For the history.
    pub why: String,
    /// Who wants it.
    pub who: String,
}

/// Back to an earlier version.
#[derive(Debug)]
pub struct Rollback {
    /// Which slot.
    pub slot: Slot,
    /// The digest, or the first digits of it, of one of the last ten; none means
    /// the one before (or the end of the trial, if there is one).
    pub to: Option<String>,
    /// For the history.
    pub why: String,
    /// Who wants it.
    pub who: String,
}

/// What a change of the active version brought.
#[derive(Debug, Clone)]
pub struct Activated {
    /// The slot's new generation.
    pub generation: u64,
    /// What was active before.
    pub from: Option<PluginDigest>,
    /// What is active now.
    pub active: PluginDigest,
    /// What is on trial now.
    pub canary: Option<Canary>,
    /// Sessions that stay with another version.
    pub pinned_sessions: usize,
    /// For people.
    pub message: String,
    /// What replaying the sessions' histories showed; none after a rollback.
    pub replay: Option<ReplayReport>,
}

/// A slot as it runs.
#[derive(Debug, Clone)]
pub struct SlotReport {
    /// Which slot.
    pub slot: Slot,
    /// The activation that made it so.
    pub generation: u64,
    /// What serves all but canaries and pinned sessions.
    pub active: VersionReport,
    /// What is on trial, and for how many percent of the sessions.
    pub canary: Option<(VersionReport, u8)>,
    /// Sessions that stay with another version.
    pub pinned_sessions: usize,
}
