//! The frames between the page and the server, JSON with a `type`; the page's
//! side is in `page/connection.js` and `page/linking.js`.

use serde::{Deserialize, Serialize};

use crate::faults::LogoutEvent;

/// An account as the page learns of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Account {
    pub(crate) phone_number: String,
    pub(crate) lid: String,
    pub(crate) name: String,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub(crate) enum FromPage {
    Hello {
        boot: u64,
        browser: String,
        noise: String,
        identity: String,
        user_agent: String,
        #[serde(default)]
        browser_signs: serde_json::Value,
        link: Option<LinkClaim>,
    },
    /// The page shows this ref from now on; none when it has run out of them.
    RefShown {
        r#ref: Option<String>,
        life_ms: u64,
    },
    CompanionHello {
        id: u64,
        phone_number: String,
        code: String,
    },
    CodeDropped,
    State {
        state: String,
        has_synced: bool,
    },
    PairAccepted {
        device_id: String,
    },
    PairRejected {
        device_id: String,
    },
    Logout,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LinkClaim {
    pub(crate) device_id: String,
    /// HMAC of the challenge with the device's key.
    pub(crate) proof: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub(crate) enum ToPage {
    Challenge {
        nonce: String,
    },
    PairDevice {
        refs: Vec<String>,
        first_ms: u64,
        next_ms: u64,
    },
    LoginOk {
        account: Account,
        sync_ms: Option<u64>,
    },
    LoginRefused,
    CompanionHelloAnswer {
        id: u64,
        refusal: Option<CodeRefusal>,
    },
    PrimaryHello,
    PairSuccess {
        device_id: String,
        account: Account,
        secret: String,
        proof: String,
        mac: String,
        via: &'static str,
        reload_after_ms: Option<u64>,
    },
    PasskeyRequired,
    LogoutDone,
    Logout {
        event: LogoutEvent,
        navigate: bool,
        reason: Option<String>,
    },
    SetState {
        state: String,
    },
    Conflict,
    RotateRef,
    RefsRunOut,
    LoseSocket {
        ms: u64,
    },
    Reload {
        ms: u64,
    },
    Hang {
        ms: u64,
    },
    Busy {
        ms: u64,
        pause_ms: u64,
    },
    CrashRenderer,
    ForgetDrivers,
    Say {
        text: String,
    },
    Show {
        test_id: String,
    },
}

/// Why a code was refused, as nested in the page's `CompanionHelloError`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CodeRefusal {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    pub(crate) code: u16,
}

impl CodeRefusal {
    pub(crate) fn with_status(status: u16) -> Self {
        match status {
            429 => Self { name: "IQErrorRateOverlimit", text: "rate-overlimit", code: 429 },
            400 => Self { name: "IQErrorBadRequest", text: "bad-request", code: 400 },
            _ => Self {
                name: "IQErrorInternalServerError",
                text: "internal-server-error",
                code: status,
            },
        }
    }
}
