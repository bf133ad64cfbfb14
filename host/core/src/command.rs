//! What people and programs ask of a session, and how that ends.

use serde::{Deserialize, Serialize};

/// A command. `confirm` means: the caller accepts that a link may be lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Command {
    /// Start, or say that it runs already.
    Init {
        /// The number that is to be linked, digits only.
        expected_phone_number: Option<String>,
        /// See above.
        confirm: bool,
    },
    /// Make a pairing code.
    RequestPairingCode {
        /// International form, digits only.
        phone_number: String,
        /// See above.
        confirm: bool,
    },
    /// Make a new QR code; leaves pairing by code.
    RefreshQr {
        /// See above.
        confirm: bool,
    },
    /// Stop the engine, keep the link.
    Disconnect,
    /// Start the engine again.
    Reconnect,
    /// Unlink.
    Logout {
        /// See above.
        confirm: bool,
    },
    /// Unlink where linked, then remove all.
    Delete {
        /// See above.
        confirm: bool,
    },
}

impl Command {
    /// May the command begin a session that does not exist yet?
    pub fn creates_session(&self) -> bool {
        matches!(self, Self::Init { .. })
    }
}

/// Why a command was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is documented where the contract is: wit/workflow")]
pub enum RefusalCode {
    SessionNotReady,
    AlreadyLinked,
    CodeRefused,
    RateLimited,
    CodeTimeout,
    PhoneInvalid,
    PasskeyRequired,
    ClientOutdated,
    EngineUnavailable,
    Other,
}

/// How the workflow ended a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Done, or under way; a sentence for people.
    Done(String),
    /// The pairing code is there.
    CodeMade,
    /// Not done.
    Refused {
        /// Why.
        code: RefusalCode,
        /// For people: what is wrong and what to do.
        message: String,
    },
}
