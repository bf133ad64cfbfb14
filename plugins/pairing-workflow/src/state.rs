//! What a session remembers from one input to the next.

use serde::{Deserialize, Serialize};

use crate::contract::{Account, CommandId, Reason, ShownCode, Timestamp, WorkflowError};

/// The schema of what [`State::write`] writes.
pub(crate) const SCHEMA: u32 = 1;

/// A session's state. As JSON it is what the host keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) phase: Phase,
    /// The account that the link belongs to, once it was ready.
    pub(crate) account: Option<Account>,
    /// The number that is to be linked, digits only.
    pub(crate) expected: Option<String>,
    /// The number of the latest code.
    pub(crate) sequence: u32,
    /// When the link was taken back, in the last hour, from where it was used elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) takeovers: Vec<Timestamp>,
    /// The end of a number that was linked though another one was expected: that
    /// link is given up as soon as the page can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wrong: Option<String>,
}

/// Where a session is in its life. See the diagram in the crate's header.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// No engine runs, and none will until somebody asks.
    Off { linked: bool, why: Why },
    /// The engine is to show codes; nothing is linked.
    Pairing(Pairing),
    /// The phone has accepted; the page synchronises for the first time.
    Linking { percent: Option<u8>, deadline: Timestamp },
    /// There is a link, and it is to be connected.
    Linked(Linked),
    /// The link is being given up.
    Unlinking(Unlinking),
    /// Nothing is left; the host forgets the session.
    Deleted,
}

/// Why no engine runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Why {
    pub(crate) reason: Reason,
    pub(crate) message: Option<String>,
    pub(crate) step: Option<String>,
}

/// What failed, and when it is tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) at: Timestamp,
    pub(crate) message: String,
    pub(crate) step: String,
    /// The link is used elsewhere; nothing failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) conflict: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pairing {
    pub(crate) stage: PairingStage,
    /// Rounds of codes that ended unseen since somebody last asked for something.
    pub(crate) rounds: u32,
    /// QR codes made since then.
    pub(crate) codes: u32,
    /// Failures of the engine since then.
    pub(crate) restarts: u32,
    /// The pairing code that is being made.
    pub(crate) asked: Option<CodeAsked>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum PairingStage {
    /// From the engine's start to the first code.
    Starting { percent: Option<u8>, deadline: Timestamp },
    /// The engine failed and starts again later.
    Waiting(Waiting),
    /// Codes can be asked for. `shown` is none while one is being made. After
    /// `deadline` the code that is shown is of no use, or the page got stuck.
    Ready { shown: Option<ShownCode>, deadline: Timestamp },
}

/// A pairing code that somebody waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CodeAsked {
    pub(crate) phone_number: String,
    pub(crate) replies: Vec<CommandId>,
    /// The page was asked, and must have answered by then; none: it is asked as
    /// soon as it is ready.
    pub(crate) deadline: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Linked {
    pub(crate) stage: LinkedStage,
    /// Failures since the link was last connected.
    pub(crate) attempt: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum LinkedStage {
    /// From the engine's start to ready.
    Starting { percent: Option<u8>, deadline: Timestamp },
    /// The engine failed and starts again later.
    Waiting(Waiting),
    /// Connected. Degraded: it does not answer.
    Online { degraded: bool },
    /// The page lost its connection and restores it by itself.
    Lost { percent: Option<u8> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Unlinking {
    pub(crate) stage: UnlinkingStage,
    pub(crate) then: Then,
    /// Commands that wait for the end of it.
    pub(crate) replies: Vec<CommandId>,
    /// The session was not at rest before, and goes on if this fails.
    pub(crate) was_running: bool,
    /// How often a number that was not expected could not be unlinked.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) attempt: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum UnlinkingStage {
    /// The page must be connected before it can tell the server.
    Connecting { deadline: Timestamp },
    /// The page was told. Until it confirms, who was connected stays so.
    Asked { deadline: Timestamp, was_online: bool },
}

/// What follows once the link is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Then {
    /// Nothing.
    Stop,
    /// The session is removed; so it is if the phone can't be told.
    Delete,
    /// Another phone is linked, perhaps by this code.
    Pair { asked: Option<CodeAsked> },
    /// It was not the number that was expected. Ends with these digits.
    Refuse { tail: String },
}

impl State {
    /// Of a session that was never used.
    pub(crate) fn new() -> Self {
        let why = Why::of(Reason::NotStarted);
        Self {
            phase: Phase::Off { linked: false, why },
            account: None,
            expected: None,
            sequence: 0,
            takeovers: Vec::new(),
            wrong: None,
        }
    }

    /// Is there, or may there be, a link in the profile?
    pub(crate) fn is_linked(&self) -> bool {
        match &self.phase {
            Phase::Off { linked, .. } => *linked,
            Phase::Pairing(_) | Phase::Deleted => false,
            Phase::Linking { .. } | Phase::Linked(_) | Phase::Unlinking(_) => true,
        }
    }

    /// When the session is to be woken, if nothing happens before.
    pub(crate) fn wake_up_at(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Off { .. } | Phase::Deleted => None,
            Phase::Linking { deadline, .. } => Some(*deadline),
            Phase::Pairing(pairing) => {
                let of_stage = match &pairing.stage {
                    PairingStage::Starting { deadline, .. }
                    | PairingStage::Ready { deadline, .. } => *deadline,
                    PairingStage::Waiting(waiting) => waiting.at,
                };
                let of_code = pairing.asked.as_ref().and_then(|asked| asked.deadline);
                Some(of_code.map_or(of_stage, |deadline| deadline.min(of_stage)))
            }
            Phase::Linked(linked) => match &linked.stage {
                LinkedStage::Starting { deadline, .. } => Some(*deadline),
                LinkedStage::Waiting(waiting) => Some(waiting.at),
                LinkedStage::Online { .. } | LinkedStage::Lost { .. } => None,
            },
            Phase::Unlinking(unlinking) => match &unlinking.stage {
                UnlinkingStage::Connecting { deadline }
                | UnlinkingStage::Asked { deadline, .. } => Some(*deadline),
            },
        }
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, WorkflowError> {
        serde_json::from_slice(bytes).map_err(|error| WorkflowError::BadState(error.to_string()))
    }

    pub(crate) fn write(&self) -> Result<Vec<u8>, WorkflowError> {
        serde_json::to_vec(self).map_err(|error| WorkflowError::Other(error.to_string()))
    }
}

impl Linked {
    /// It waits because the link is used elsewhere.
    pub(crate) fn is_used_elsewhere(&self) -> bool {
        matches!(&self.stage, LinkedStage::Waiting(waiting) if waiting.conflict)
    }
}

impl Why {
    pub(crate) fn of(reason: Reason) -> Self {
        Self { reason, message: None, step: None }
    }

    pub(crate) fn told(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: Some(message.into()), step: None }
    }
}
