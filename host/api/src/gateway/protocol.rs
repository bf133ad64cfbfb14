//! The frames of `/ws`.

use std::collections::BTreeSet;

use pairing_core::{event::Cursor, id::SessionName};
use serde::{Deserialize, Serialize};

/// What clients send.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum FromClient {
    /// The first frame, where nothing before it said who calls.
    Auth { ticket: Option<String>, token: Option<String> },
    /// What is of interest; replaces what was before.
    Subscribe {
        #[serde(default)]
        sessions: Sessions,
        types: Option<BTreeSet<String>>,
        after: Option<String>,
    },
    /// Nothing is of interest any more.
    Unsubscribe,
    /// These sessions are before somebody's eyes; replaces what was before. One that
    /// is subscribed to by its name is so without this.
    Watch { sessions: BTreeSet<SessionName> },
    /// To be answered.
    Ping,
    /// An answer.
    Pong,
}

/// `"*"` or a list of names.
#[derive(Debug, Default, Deserialize, Serialize, Clone)]
#[serde(untagged)]
pub(super) enum Sessions {
    Named(BTreeSet<SessionName>),
    All(AllSessions),
    #[default]
    #[serde(skip_deserializing)]
    Unsaid,
}

#[derive(Debug, Deserialize, Serialize, Clone, Copy)]
pub(super) enum AllSessions {
    #[serde(rename = "*")]
    All,
}

impl Sessions {
    pub(super) fn named(self) -> Option<BTreeSet<SessionName>> {
        match self {
            Self::Named(names) => Some(names),
            Self::All(_) | Self::Unsaid => None,
        }
    }
}

/// What the host sends beside events, which the fan-out plugin writes.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub(super) enum FromHost {
    Ready { server_time: String, heartbeat_seconds: u64 },
    Subscribed { sessions: Sessions, types: Option<BTreeSet<String>>, cursor: String },
    Ping { server_time: String },
    Pong { server_time: String },
    Error { code: &'static str, message: String },
}

/// Why the host closes. Above 4000 the numbers are ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    Unauthorized,
    Ended,
    Slow(Cursor),
    CursorExpired,
    TooChatty,
    Unreadable,
    TooLarge,
    HostStopping,
}

impl Closed {
    /// Code and reason of the close frame.
    pub(super) fn frame(self) -> (u16, String) {
        match self {
            Self::Unauthorized => (4001, "a valid ticket or token is needed".into()),
            Self::Ended => (4003, "the token or the sign-in has ended".into()),
            // The reason is the cursor alone, so that clients can use it.
            Self::Slow(last) => (4008, last.to_string()),
            Self::CursorExpired => (4010, "these events are no longer kept".into()),
            Self::TooChatty => (4009, "more than 100 frames in a minute".into()),
            Self::Unreadable => (1003, "frames are JSON text".into()),
            Self::TooLarge => (1009, "a frame has at most 64 KiB".into()),
            Self::HostStopping => (1012, "the host restarts".into()),
        }
    }
}
