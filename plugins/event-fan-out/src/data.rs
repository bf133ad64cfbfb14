//! What an event says, as JSON: names and forms as the HTTP API has them.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::bindings::pairing_console::types::{
    events::{EventData, StatusUpdate},
    types::{Account, CodeNotice, Detail, Reason, Status, Timestamp},
};

/// The host puts the picture's data URL here, or null once it has expired.
const QR_CODE: &str = "{{qr-code}}";
/// The host puts the eight characters here, or null once they have expired.
const PAIRING_CODE: &str = "{{pairing-code}}";

/// The event's name, such as `status-update`.
pub(crate) fn kind(data: &EventData) -> &str {
    match data {
        EventData::StatusUpdate(_) => "status-update",
        EventData::QrCode(_) => "qr-code",
        EventData::PairingCode(_) => "pairing-code",
        EventData::Loading(_) => "loading",
        EventData::SessionConnected(_) => "session-connected",
        EventData::SessionDisconnected(_) => "session-disconnected",
        EventData::SessionDeleted => "session-deleted",
        EventData::Other(other) => &other.kind,
    }
}

/// The event's values.
pub(crate) fn data(data: &EventData) -> Map<String, Value> {
    let value = match data {
        EventData::StatusUpdate(update) => status_update(update),
        EventData::QrCode(notice) => code("qrCode", QR_CODE, notice),
        EventData::PairingCode(notice) => code("pairingCode", PAIRING_CODE, notice),
        EventData::Loading(percent) => json!({ "percent": percent }),
        EventData::SessionConnected(linked) => json!({ "account": account(linked) }),
        EventData::SessionDisconnected(why) => json!({ "reason": reason(*why) }),
        EventData::SessionDeleted => json!({}),
        EventData::Other(other) => {
            other.fields.iter().map(|(name, value)| (name.clone(), text(value))).collect()
        }
    };
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// RFC 3339 in UTC with milliseconds.
pub(crate) fn time(time: Timestamp) -> String {
    // Beyond the year 9999 there is no such form.
    const LAST: Timestamp = 253_402_300_799_999;
    let time = UNIX_EPOCH + Duration::from_millis(time.min(LAST));
    humantime::format_rfc3339_millis(time).to_string()
}

fn status_update(update: &StatusUpdate) -> Value {
    json!({
        "status": status(update.status),
        "reason": update.reason.map(reason),
        "detail": update.detail.as_ref().map(detail),
        "account": update.account.as_ref().map(account),
    })
}

fn code(name: &str, place: &str, notice: &CodeNotice) -> Value {
    json!({ name: place, "expiresAt": time(notice.expires_at), "sequence": notice.sequence })
}

fn account(account: &Account) -> Value {
    json!({
        "phoneNumber": account.phone_number,
        "name": account.name.as_deref().map(text),
    })
}

/// Without the members that are not there.
fn detail(detail: &Detail) -> Value {
    let members = [
        ("percent", detail.percent.map(Value::from)),
        ("attempt", detail.attempt.map(Value::from)),
        ("nextTryAt", detail.next_try_at.map(|at| time(at).into())),
        ("message", detail.message.as_deref().map(text)),
        ("step", detail.step.as_deref().map(text)),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// A text that somebody else chose. It must not become a place for secrets.
fn text(text: &str) -> Value {
    text.replace("{{", "{ {").into()
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Disconnected => "DISCONNECTED",
        Status::Connecting => "CONNECTING",
        Status::QrReady => "QR_READY",
        Status::Authenticated => "AUTHENTICATED",
        Status::Connected => "CONNECTED",
    }
}

fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::NotStarted => "not_started",
        Reason::Starting => "starting",
        Reason::Loading => "loading",
        Reason::Reconnecting => "reconnecting",
        Reason::Parked => "parked",
        Reason::Stopped => "stopped",
        Reason::LoggedOut => "logged_out",
        Reason::UnlinkedFromPhone => "unlinked_from_phone",
        Reason::Conflict => "conflict",
        Reason::ClientOutdated => "client_outdated",
        Reason::Banned => "banned",
        Reason::PasskeyRequired => "passkey_required",
        Reason::EngineCrashed => "engine_crashed",
        Reason::PageChanged => "page_changed",
        Reason::Degraded => "degraded",
        Reason::Other => "other",
    }
}
