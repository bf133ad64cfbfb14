//! Sessions as clients see them.

use std::sync::Arc;

use pairing_core::{
    clock::Timestamp,
    id::SessionName,
    session::{CodeKind, Detail, Status, View},
    store::HistoryEntry,
};
use pairing_sessions::SessionSnapshot;
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

fn status() -> impl Into<RefOr<Schema>> {
    let words = [
        Status::Disconnected,
        Status::Connecting,
        Status::QrReady,
        Status::Authenticated,
        Status::Connected,
    ];
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words.map(Status::as_str)))
        .description(Some("where the session stands"))
}

/// The linked account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountBody {
    /// International form, digits only.
    phone_number: String,
    /// The name that the account shows.
    #[schema(required)]
    name: Option<String>,
}

/// More about a status.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DetailBody {
    /// Progress of loading, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<u8>,
    /// Which attempt is under way, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    /// When the next attempt is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    next_try_at: Option<String>,
    /// What happened, and what to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// The last step of the engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
}

/// A place in the line of sessions that wait for a browser.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueueBody {
    /// From 1.
    position: usize,
    /// How many wait.
    waiting: usize,
    /// For what: `starting` (others are in the middle of their start), `slots` (as
    /// many browsers run as may) or `space` (the disk is full).
    reason: &'static str,
}

/// A session. In lists the two codes are null.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionStatusBody {
    session_name: String,
    #[schema(schema_with = status)]
    status: &'static str,
    /// A PNG as a data URL, while there is one to scan.
    #[schema(value_type = Option<String>, required)]
    qr_code: Option<Arc<str>>,
    /// Eight characters, while there are some to type.
    #[schema(value_type = Option<String>, required)]
    pairing_code: Option<Arc<str>>,
    /// Why the status is what it is: `parked`, `unlinked_from_phone`, …
    #[schema(required)]
    reason: Option<&'static str>,
    #[schema(required)]
    detail: Option<DetailBody>,
    #[schema(required)]
    account: Option<AccountBody>,
    #[schema(format = "date-time", required)]
    qr_expires_at: Option<String>,
    #[schema(format = "date-time", required)]
    pairing_code_expires_at: Option<String>,
    /// Counts the session's codes.
    sequence: u32,
    /// The host's clock, for countdowns.
    #[schema(format = "date-time")]
    server_time: String,
    #[schema(format = "date-time", required)]
    created_at: Option<String>,
    #[schema(format = "date-time", required)]
    updated_at: Option<String>,
    /// The number that is to be linked, where `init` said.
    #[schema(required)]
    expected_phone_number: Option<String>,
    /// There is a link that a careless command could lose.
    linked: bool,
    /// Where it stands while it waits for its browser.
    #[schema(required)]
    queue: Option<QueueBody>,
}

/// Are the codes to be shown?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codes {
    Shown,
    Hidden,
}

impl SessionStatusBody {
    pub(crate) fn of(session: &SessionSnapshot, now: Timestamp, codes: Codes) -> Self {
        let mut body = Self::of_view(&session.name, &session.view, now);
        if codes == Codes::Shown {
            body.qr_code = session.qr_data_url(now);
            body.pairing_code = session.pairing_code(now);
        }
        if let Some(shown) = session.shown(now) {
            let expires_at = Some(shown.expires_at.to_string());
            match shown.kind {
                CodeKind::Qr => body.qr_expires_at = expires_at,
                CodeKind::PairingCode => body.pairing_code_expires_at = expires_at,
            }
        }
        body.created_at = Some(session.created_at.to_string());
        body.updated_at = Some(session.updated_at.to_string());
        body.queue = session.queue().map(|place| QueueBody {
            position: place.position,
            waiting: place.waiting,
            reason: place.reason.as_str(),
        });
        body
    }

    /// Of a name that was never used: a front end asks before it inits.
    pub(crate) fn not_started(name: &SessionName, now: Timestamp) -> Self {
        Self::of_view(name, &View::not_started(), now)
    }

    fn of_view(name: &SessionName, view: &View, now: Timestamp) -> Self {
        Self {
            session_name: name.to_string(),
            status: view.status.as_str(),
            qr_code: None,
            pairing_code: None,
            reason: view.reason.map(|reason| reason.as_str()),
            detail: view.detail.as_ref().map(DetailBody::of),
            account: view.account.as_ref().map(|account| AccountBody {
                phone_number: account.phone_number.clone(),
                name: account.name.clone(),
            }),
            qr_expires_at: None,
            pairing_code_expires_at: None,
            sequence: view.shown.map_or(0, |shown| shown.sequence),
            server_time: now.to_string(),
            created_at: None,
            updated_at: None,
            expected_phone_number: view.expected_phone_number.clone(),
            linked: view.linked,
            queue: None,
        }
    }
}

impl DetailBody {
    fn of(detail: &Detail) -> Self {
        Self {
            percent: detail.percent,
            attempt: detail.attempt,
            next_try_at: detail.next_try_at.map(|time| time.to_string()),
            message: detail.message.clone(),
            step: detail.step.clone(),
        }
    }
}

/// A change of a session's state.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HistoryBody {
    /// To go on after.
    id: String,
    #[schema(format = "date-time")]
    at: String,
    #[schema(schema_with = status)]
    status: &'static str,
    #[schema(required)]
    reason: Option<&'static str>,
    #[schema(required)]
    detail: Option<DetailBody>,
    /// What caused it, such as `command:init`, `engine:ready` or `repair:reload`.
    cause: String,
    /// What was seen then can be read under the same number.
    has_evidence: bool,
}

impl From<&HistoryEntry> for HistoryBody {
    fn from(entry: &HistoryEntry) -> Self {
        Self {
            id: entry.input_number.to_string(),
            at: entry.at.to_string(),
            status: entry.status.as_str(),
            reason: entry.reason.map(|reason| reason.as_str()),
            detail: entry.detail.as_ref().map(DetailBody::of),
            cause: entry.cause.clone(),
            has_evidence: entry.has_evidence,
        }
    }
}

/// What a command answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DoneBody {
    success: bool,
    /// What was done, or is under way.
    message: String,
    /// Something to look at all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

impl DoneBody {
    pub(crate) fn new(message: String, warning: Option<String>) -> Self {
        Self { success: true, message, warning }
    }
}
