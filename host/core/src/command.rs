//! What people and programs ask of a session, and how that ends.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::phone::Masked;

/// A command. `confirm` means: the caller accepts that a link may be lost.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// Phone numbers print masked.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Init { expected_phone_number, confirm } => f
                .debug_struct("Init")
                .field("expected_phone_number", &expected_phone_number.as_deref().map(Masked))
                .field("confirm", confirm)
                .finish(),
            Self::RequestPairingCode { phone_number, confirm } => f
                .debug_struct("RequestPairingCode")
                .field("phone_number", &Masked(phone_number))
                .field("confirm", confirm)
                .finish(),
            Self::RefreshQr { confirm } => write!(f, "RefreshQr {{ confirm: {confirm} }}"),
            Self::Disconnect => f.write_str("Disconnect"),
            Self::Reconnect => f.write_str("Reconnect"),
            Self::Logout { confirm } => write!(f, "Logout {{ confirm: {confirm} }}"),
            Self::Delete { confirm } => write!(f, "Delete {{ confirm: {confirm} }}"),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_prints_without_its_phone_number() {
        let number = "5511987654321";
        let init = Command::Init { expected_phone_number: Some(number.into()), confirm: true };
        let request = Command::RequestPairingCode { phone_number: number.into(), confirm: false };
        for command in [init, request] {
            let printed = format!("{command:?}");
            assert!(!printed.contains("987654"), "{printed}");
            assert!(printed.contains("…21"), "{printed}");
        }
    }
}
