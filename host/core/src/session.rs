//! What a session is: its states, what the world sees of it, and its row.
//!
//! How it moves from state to state is decided in `plugins/pairing-workflow`
//! and nowhere else.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{clock::Timestamp, id::SessionName, phone::Masked};

/// Where a session stands, as FinBot's front end knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Nothing runs, or nothing is linked any more.
    Disconnected,
    /// The engine starts, loads, or reconnects.
    Connecting,
    /// A QR code or a pairing code can be shown and asked for.
    QrReady,
    /// The phone has accepted the link; its data is being synchronised.
    Authenticated,
    /// Linked and ready.
    Connected,
}

impl Status {
    /// The status on the wire, such as `QR_READY`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "DISCONNECTED",
            Self::Connecting => "CONNECTING",
            Self::QrReady => "QR_READY",
            Self::Authenticated => "AUTHENTICATED",
            Self::Connected => "CONNECTED",
        }
    }
}

/// Why a session stands where it does; meanings as in `wit/types`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is documented where the contract is: wit/types/types.wit")]
pub enum Reason {
    NotStarted,
    Starting,
    Loading,
    Reconnecting,
    Parked,
    Stopped,
    LoggedOut,
    UnlinkedFromPhone,
    Conflict,
    ClientOutdated,
    Banned,
    PasskeyRequired,
    EngineCrashed,
    PageChanged,
    Degraded,
    Other,
}

impl Reason {
    /// The reason on the wire, such as `unlinked_from_phone`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::Starting => "starting",
            Self::Loading => "loading",
            Self::Reconnecting => "reconnecting",
            Self::Parked => "parked",
            Self::Stopped => "stopped",
            Self::LoggedOut => "logged_out",
            Self::UnlinkedFromPhone => "unlinked_from_phone",
            Self::Conflict => "conflict",
            Self::ClientOutdated => "client_outdated",
            Self::Banned => "banned",
            Self::PasskeyRequired => "passkey_required",
            Self::EngineCrashed => "engine_crashed",
            Self::PageChanged => "page_changed",
            Self::Degraded => "degraded",
            Self::Other => "other",
        }
    }
}

/// What goes with a status and a reason.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    /// Progress of loading, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// Which attempt is under way, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// When the next attempt is made, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<Timestamp>,
    /// What happened, and what to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The last step that the engine had finished or was in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}

/// The WhatsApp account that a session is linked to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// International form, digits only.
    pub phone_number: String,
    /// The name that the account shows.
    pub name: Option<String>,
}

/// Its number prints masked.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Account").field(&Masked(&self.phone_number)).finish()
    }
}

/// Which kind of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeKind {
    /// To be scanned.
    Qr,
    /// Eight characters, to be typed into the phone.
    PairingCode,
}

/// A code that may be shown until it expires. The code itself is a secret and
/// stays in memory, see `pairing-sessions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownCode {
    /// Which kind: the latest one that the engine made.
    pub kind: CodeKind,
    /// Counts the session's codes, from 1.
    pub sequence: u32,
    /// From then on it is not shown.
    pub expires_at: Timestamp,
}

/// What the world sees of a session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// The status.
    pub status: Status,
    /// Why.
    pub reason: Option<Reason>,
    /// More about it.
    pub detail: Option<Detail>,
    /// The linked account; kept while the link is there, connected or not.
    pub account: Option<Account>,
    /// There is a link in the profile that must not be lost.
    pub linked: bool,
    /// The number that the caller of init expects, digits only.
    pub expected_phone_number: Option<String>,
    /// The code to show.
    pub shown: Option<ShownCode>,
}

impl View {
    /// Of a session that was never started.
    pub fn not_started() -> Self {
        Self {
            status: Status::Disconnected,
            reason: Some(Reason::NotStarted),
            detail: None,
            account: None,
            linked: false,
            expected_phone_number: None,
            shown: None,
        }
    }

    /// What a `status-update` event tells: all but codes and expectations.
    pub fn tells_the_same_as(&self, other: &Self) -> bool {
        (self.status, self.reason, &self.detail, &self.account)
            == (other.status, other.reason, &other.detail, &other.account)
    }

    /// Nothing but loading has gone on, if anything at all has happened.
    pub fn is_as_far_as(&self, other: &Self) -> bool {
        let without_percent = |view: &Self| {
            let detail = view.detail.clone().map(|detail| Detail { percent: None, ..detail });
            detail.unwrap_or_default()
        };
        (self.status, self.reason, &self.account) == (other.status, other.reason, &other.account)
            && without_percent(self) == without_percent(other)
    }
}

/// Phone numbers print masked.
impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("status", &self.status)
            .field("reason", &self.reason)
            .field("detail", &self.detail)
            .field("account", &self.account)
            .field("linked", &self.linked)
            .field("expected_phone_number", &self.expected_phone_number.as_deref().map(Masked))
            .field("shown", &self.shown)
            .finish()
    }
}

/// A session's row, as committed.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its name: the key.
    pub name: SessionName,
    /// What the world sees.
    pub view: View,
    /// The workflow's state, opaque.
    pub state: Vec<u8>,
    /// The schema of `state`.
    pub state_schema: u32,
    /// How many inputs were committed.
    pub input_number: u64,
    /// When the workflow wants to be woken.
    pub wake_up_at: Option<Timestamp>,
    /// When the session was first used.
    pub created_at: Timestamp,
    /// When the row last changed.
    pub updated_at: Timestamp,
}

/// Without the state, which may hold what prints masked elsewhere.
impl fmt::Debug for SessionRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRecord")
            .field("name", &self.name)
            .field("input_number", &self.input_number)
            .field("view", &self.view)
            .field("wake_up_at", &self.wake_up_at)
            .field("updated_at", &self.updated_at)
            .finish_non_exhaustive()
    }
}
