//! The pairing workflow as the host sees it: a pure function that decides.
//!
//! These types mirror `wit/workflow`; as JSON they are what is recorded of each
//! input, so that later versions can be judged by replaying a session.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    command::{Command, Outcome},
    event::EventData,
    id::SessionName,
    phone::Masked,
    plugin::{PluginDigest, PluginError, PluginInfo},
    session::{Account, View},
};

/// Names a command within a session, so that its reply finds the caller.
pub type CommandId = u64;

/// The operator's settings that bear on pairing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PairingSettings {
    /// Life of the first QR code of a round.
    pub first_qr_lifetime: Duration,
    /// Life of each further QR code of a round.
    pub next_qr_lifetime: Duration,
    /// Life of a pairing code.
    pub pairing_code_lifetime: Duration,
    /// After so many rounds of QR codes without a scan the session parks.
    pub max_qr_rounds: u32,
    /// From the engine's start to its first code or to ready.
    pub boot_deadline: Duration,
    /// From the scan to ready.
    pub link_deadline: Duration,
    /// First delay before a failed engine is started again; it doubles.
    pub first_retry_delay: Duration,
    /// The delay's upper bound.
    pub max_retry_delay: Duration,
    /// How often a pairing may restart the engine before it fails.
    pub max_pairing_restarts: u32,
    /// A link is connected again by itself: after a failure of its engine, and
    /// when the host starts.
    pub auto_reconnect: bool,
}

impl Default for PairingSettings {
    fn default() -> Self {
        Self {
            // The page's own rotation: one code of 60 s, then five of 20 s.
            first_qr_lifetime: Duration::from_secs(60),
            next_qr_lifetime: Duration::from_secs(20),
            // The page gives a pairing code 3.25 minutes.
            pairing_code_lifetime: Duration::from_secs(195),
            max_qr_rounds: 4,
            boot_deadline: Duration::from_secs(90),
            link_deadline: Duration::from_secs(180),
            first_retry_delay: Duration::from_secs(2),
            max_retry_delay: Duration::from_secs(600),
            max_pairing_restarts: 3,
            auto_reconnect: true,
        }
    }
}

/// All that a decision may depend on beside state and input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    /// The session's name.
    pub session_name: SessionName,
    /// The time of the input.
    pub now: Timestamp,
    /// Random for this input.
    pub seed: u64,
    /// Counts the session's inputs, from 1, without gaps.
    pub input_number: u64,
    /// Settings.
    pub settings: PairingSettings,
    /// Somebody looks at this session: it is open in a console, subscribed to by
    /// name, or was asked about a moment ago. Codes are made for nobody else.
    #[serde(default = "yes")]
    pub watched: bool,
}

/// What was recorded before anybody was counted.
fn yes() -> bool {
    true
}

/// Why no pairing code was made; meanings as in `wit/workflow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is documented where the contract is: wit/workflow")]
pub enum CodeFailureKind {
    RateLimited,
    PhoneRefused,
    Refused,
    Timeout,
    PasskeyRequired,
    Interrupted,
    Other,
}

/// A pairing code was not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("no pairing code ({kind:?}): {message}")]
pub struct CodeFailure {
    /// Why.
    pub kind: CodeFailureKind,
    /// What the page said, without secrets.
    pub message: String,
}

/// Why the engine ended or can't go on; meanings as in `wit/workflow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is documented where the contract is: wit/workflow")]
pub enum EngineFailureKind {
    LaunchFailed,
    BrowserExited,
    PageCrashed,
    NavigationFailed,
    PageChanged,
    Deadline,
    Other,
}

/// The engine failed and has stopped itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("engine failed ({kind:?}) at {step}: {message}")]
pub struct EngineFailure {
    /// Why.
    pub kind: EngineFailureKind,
    /// The last step that was under way.
    pub step: String,
    /// What happened, without secrets.
    pub message: String,
}

/// What the engine reports, less all secrets; meanings as in `wit/workflow`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[expect(missing_docs, reason = "each is documented where the contract is: wit/workflow")]
pub enum EngineReport {
    Started,
    Loading { percent: u8 },
    QrMade { begins_round: bool },
    QrExpired,
    CodeMade,
    CodeFailed(CodeFailure),
    Authenticated,
    Ready(Account),
    ConnectionLost,
    LoggedOut { by_us: bool },
    Conflict,
    ClientOutdated,
    Banned { word: String },
    PasskeyRequired,
    Probe { answered: bool },
    Stopped,
    Failed(EngineFailure),
}

/// What a session is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Input {
    /// The host has taken up the session. No engine runs, no code is alive, and
    /// no earlier command awaits a reply.
    HostStarted,
    /// Somebody asks for something.
    Command {
        /// To be used in [`Effect::Reply`].
        id: CommandId,
        /// What is asked.
        command: Command,
    },
    /// The engine reports.
    Engine(EngineReport),
    /// The time asked for by `wake_up_at` has come.
    WakeUp,
}

impl Input {
    /// Its kind, such as `engine:ready`: for people and for counting.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::HostStarted => "host-started",
            Self::WakeUp => "wake-up",
            Self::Command { command, .. } => match command {
                Command::Init { .. } => "command:init",
                Command::RequestPairingCode { .. } => "command:request-pairing-code",
                Command::RefreshQr { .. } => "command:refresh-qr",
                Command::Disconnect => "command:disconnect",
                Command::Reconnect => "command:reconnect",
                Command::Logout { .. } => "command:logout",
                Command::Delete { .. } => "command:delete",
            },
            Self::Engine(report) => match report {
                EngineReport::Started => "engine:started",
                EngineReport::Loading { .. } => "engine:loading",
                EngineReport::QrMade { .. } => "engine:qr-made",
                EngineReport::QrExpired => "engine:qr-expired",
                EngineReport::CodeMade => "engine:code-made",
                EngineReport::CodeFailed(_) => "engine:code-failed",
                EngineReport::Authenticated => "engine:authenticated",
                EngineReport::Ready(_) => "engine:ready",
                EngineReport::ConnectionLost => "engine:connection-lost",
                EngineReport::LoggedOut { .. } => "engine:logged-out",
                EngineReport::Conflict => "engine:conflict",
                EngineReport::ClientOutdated => "engine:client-outdated",
                EngineReport::Banned { .. } => "engine:banned",
                EngineReport::PasskeyRequired => "engine:passkey-required",
                EngineReport::Probe { .. } => "engine:probe",
                EngineReport::Stopped => "engine:stopped",
                EngineReport::Failed(_) => "engine:failed",
            },
        }
    }
}

/// What the host is to do once the transition is committed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Effect {
    /// Start the engine; one that runs is stopped first.
    StartEngine,
    /// Stop the engine. The profile and the link are kept.
    StopEngine,
    /// Have the page make a new QR code.
    RefreshQr,
    /// Have the page make a pairing code for this number.
    RequestPairingCode {
        /// International form, digits only.
        phone_number: String,
    },
    /// Unlink.
    LogOut,
    /// Remove the browser profile. A running engine is stopped first.
    WipeProfile,
    /// Answer a command.
    Reply {
        /// Which.
        id: CommandId,
        /// How it ended.
        outcome: Outcome,
    },
    /// Remove the session with all that belongs to it.
    DeleteSession,
}

/// Phone numbers print masked.
impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StartEngine => f.write_str("StartEngine"),
            Self::StopEngine => f.write_str("StopEngine"),
            Self::RefreshQr => f.write_str("RefreshQr"),
            Self::RequestPairingCode { phone_number } => {
                f.debug_tuple("RequestPairingCode").field(&Masked(phone_number)).finish()
            }
            Self::LogOut => f.write_str("LogOut"),
            Self::WipeProfile => f.write_str("WipeProfile"),
            Self::Reply { id, outcome } => write!(f, "Reply({id}, {outcome:?})"),
            Self::DeleteSession => f.write_str("DeleteSession"),
        }
    }
}

/// A decision.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transition {
    /// The new state, opaque.
    #[serde(with = "state_as_text")]
    pub state: Vec<u8>,
    /// What the world sees.
    pub view: View,
    /// Events beyond those that follow from the view.
    pub events: Vec<EventData>,
    /// What to do, in order.
    pub effects: Vec<Effect>,
    /// When [`Input::WakeUp`] is to come; replaces any earlier wish.
    pub wake_up_at: Option<Timestamp>,
}

/// Without the state, which may hold what prints masked elsewhere.
impl fmt::Debug for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transition")
            .field("view", &self.view)
            .field("events", &self.events)
            .field("effects", &self.effects)
            .field("wake_up_at", &self.wake_up_at)
            .finish_non_exhaustive()
    }
}

/// State is usually text; other bytes are recorded as a list of numbers.
mod state_as_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Recorded {
        Text(String),
        Bytes(Vec<u8>),
    }

    pub(super) fn serialize<S: Serializer>(state: &[u8], to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(state) {
            Ok(text) => to.serialize_str(text),
            Err(_) => Recorded::Bytes(state.to_vec()).serialize(to),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        Ok(match Recorded::deserialize(from)? {
            Recorded::Text(text) => text.into_bytes(),
            Recorded::Bytes(bytes) => bytes,
        })
    }
}

/// A transition, and which component made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub transition: Transition,
    /// The schema of the new state.
    pub state_schema: u32,
    /// Who decided.
    pub digest: PluginDigest,
    /// Units of work that it took: the same on every machine.
    pub fuel: u64,
}

/// Decides what a session does next.
#[async_trait]
pub trait Workflow: Send + Sync + 'static {
    /// The component that decides now.
    fn info(&self) -> PluginInfo;

    /// Decides. `state` is none for a new session; if it was written under
    /// another schema than the component's, it is migrated first. A call that is
    /// cut off is made once more on a fresh instance before it fails.
    async fn handle(
        &self,
        state: Option<(u32, &[u8])>,
        input: &Input,
        context: &Context,
    ) -> Result<Decision, PluginError>;
}

/// A workflow that many sessions share.
pub type SharedWorkflow = Arc<dyn Workflow>;
