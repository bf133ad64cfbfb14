//! The journal's events. None of them carries a QR payload or a pairing code.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    id::SessionName,
    session::{Account, Detail, Reason, Status},
};

/// What is known about a code beside the code itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeNotice {
    /// Counts the session's codes, from 1.
    pub sequence: u32,
    /// From then on the code must not be shown.
    pub expires_at: Timestamp,
}

/// What happened. Stored as JSON: a case may be added, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum EventData {
    /// A session's state changed.
    StatusUpdate {
        /// The new status.
        status: Status,
        /// Why.
        reason: Option<Reason>,
        /// More about it.
        detail: Option<Detail>,
        /// The linked account.
        account: Option<Account>,
    },
    /// A new QR code was made.
    QrCode(CodeNotice),
    /// A new pairing code was made.
    PairingCode(CodeNotice),
    /// Progress.
    Loading {
        /// 0 to 100.
        percent: u8,
    },
    /// Linked and ready.
    SessionConnected {
        /// To whom.
        account: Account,
    },
    /// Not connected any more.
    SessionDisconnected {
        /// Why.
        reason: Reason,
    },
    /// The session was removed.
    SessionDeleted,
    /// A kind that a plugin brought.
    Other {
        /// The kind, in kebab case.
        kind: String,
        /// Its values.
        fields: Vec<(String, String)>,
    },
}

impl EventData {
    /// The kind, such as `status-update`.
    pub fn kind(&self) -> &str {
        match self {
            Self::StatusUpdate { .. } => "status-update",
            Self::QrCode(_) => "qr-code",
            Self::PairingCode(_) => "pairing-code",
            Self::Loading { .. } => "loading",
            Self::SessionConnected { .. } => "session-connected",
            Self::SessionDisconnected { .. } => "session-disconnected",
            Self::SessionDeleted => "session-deleted",
            Self::Other { kind, .. } => kind,
        }
    }
}

/// A place in the journal. Entries are numbered from 1 without gaps, in the
/// order of their commit; to clients the number is opaque text.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Cursor(pub u64);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl std::str::FromStr for Cursor {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// An entry of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEvent {
    /// Its place.
    pub id: Cursor,
    /// The session it is about.
    pub session: SessionName,
    /// When it was committed.
    pub at: Timestamp,
    /// What happened.
    pub data: EventData,
}
