//! What the agent in the page says, and answers when asked.

use pairing_core::session::Account;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

/// One message; the kinds are those of `scripts/agent.js`.
#[derive(Debug, Deserialize)]
pub(crate) struct AgentMessage {
    /// Names the document; a reload makes another.
    pub(crate) doc: String,
    /// Counted from 1 in each document.
    pub(crate) seq: u64,
    #[serde(flatten)]
    pub(crate) news: News,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub(crate) enum News {
    /// A document begins.
    Hello {
        /// No new document: the agent took another's place.
        #[serde(default)]
        again: bool,
        /// Its address is the one to which the page goes after a logout.
        logged_out: bool,
        /// That address's query.
        #[serde(default)]
        reason: String,
    },
    /// Parts are not there yet.
    Waiting { missing: String },
    /// All required parts are there.
    Begun {},
    /// The page's state changed.
    State(Snapshot),
    /// A QR code's payload.
    Qr { payload: SecretString },
    /// There is a ref, but no QR code can be made of it.
    QrBlocked { missing: String },
    /// Of synchronising, in percent.
    Progress { percent: Option<f64> },
    /// The page was told that its link is gone.
    Logout {
        event: String,
        /// What came with it.
        #[serde(default)]
        reason: String,
    },
    /// The account demands a passkey.
    Passkey {},
    /// The page refuses the browser.
    Unsupported {},
    /// Something in the page failed that the agent could do without.
    Trouble { error: String },
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Snapshot {
    pub(crate) state: String,
    pub(crate) synced: bool,
    /// Whether there is a ref.
    pub(crate) r#ref: bool,
    /// Whether a pairing code was asked for, so that no QR code is valid.
    pub(crate) by_code: bool,
    #[serde(default)]
    pub(crate) account: Option<LinkedAccount>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LinkedAccount {
    phone_number: String,
    name: Option<String>,
}

impl From<LinkedAccount> for Account {
    fn from(account: LinkedAccount) -> Self {
        Self { phone_number: account.phone_number, name: account.name }
    }
}

/// An answer: the value, or the page's error with all that it carries.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Answer {
    Answer(Value),
    Error(Value),
}
