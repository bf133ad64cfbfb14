//! Events as `GET /whatsapp/events` writes them.

use anyhow::{Context as _, bail};
use pairing_core::{
    clock::Timestamp,
    event::{CodeNotice, EventData},
    handler::HandlerEvent,
};
use serde::Deserialize;
use serde_json::Value;

/// An event as the API writes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiEvent {
    id: Option<String>,
    session_name: String,
    at: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Value,
}

impl ApiEvent {
    /// The event as handlers get it.
    ///
    /// # Errors
    /// A value is missing or malformed: which.
    pub(super) fn read(self) -> anyhow::Result<HandlerEvent> {
        let Self { id, session_name, at, kind, data } = self;
        Ok(HandlerEvent {
            id: id.unwrap_or_else(|| "0".into()),
            session: session_name.parse()?,
            at: time(&at).context("`at`")?,
            data: self::data(kind, data).context("`data`")?,
        })
    }
}

fn data(kind: String, mut data: Value) -> anyhow::Result<EventData> {
    let known = match kind.as_str() {
        "qr-code" => return notice(&data).map(EventData::QrCode),
        "pairing-code" => return notice(&data).map(EventData::PairingCode),
        "session-deleted" => return Ok(EventData::SessionDeleted),
        "status-update" | "loading" | "session-connected" | "session-disconnected" => kind,
        _ => {
            let fields = data.as_object().into_iter().flatten();
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), Into::into);
            let fields = fields.map(|(name, value)| (name.clone(), text(value))).collect();
            return Ok(EventData::Other { kind, fields });
        }
    };
    if let Some(at) = data.pointer_mut("/detail/nextTryAt")
        && let Some(text) = at.as_str()
    {
        *at = time(text)?.0.into();
    }
    Ok(serde_json::from_value(serde_json::json!({ "type": known, "data": data }))?)
}

/// The code itself is none of a handler's business.
fn notice(data: &Value) -> anyhow::Result<CodeNotice> {
    let sequence = data["sequence"].as_u64().and_then(|number| number.try_into().ok());
    let expires_at = data["expiresAt"].as_str().context("`expiresAt` is missing")?;
    Ok(CodeNotice {
        sequence: sequence.context("`sequence` is no number")?,
        expires_at: time(expires_at)?,
    })
}

fn time(text: &str) -> anyhow::Result<Timestamp> {
    let time: jiff::Timestamp = text
        .parse()
        .with_context(|| format!("`{text}` is no time such as 2026-11-24T12:00:00Z"))?;
    match u64::try_from(time.as_millisecond()) {
        Ok(millis) => Ok(Timestamp(millis)),
        Err(_) => bail!("`{text}` is before 1970"),
    }
}

#[cfg(test)]
mod tests {
    use pairing_core::session::{Reason, Status};
    use serde_json::json;

    use super::*;

    fn read(kind: &str, data: Value) -> anyhow::Result<EventData> {
        let event = json!({ "id": "7", "sessionName": "sales", "at": "2026-09-21T14:13:20.123Z", "type": kind, "data": data });
        let event: ApiEvent = serde_json::from_value(event)?;
        let event = event.read()?;
        assert_eq!((event.id.as_str(), event.session.as_str()), ("7", "sales"));
        assert_eq!(event.at, Timestamp(1_790_000_000_123));
        Ok(event.data)
    }

    #[test]
    fn each_kind_is_read_as_the_api_writes_it() {
        let detail = json!({ "attempt": 2, "nextTryAt": "2026-09-21T14:13:20.123Z" });
        let update = json!({ "status": "QR_READY", "reason": "page_changed", "detail": detail, "account": null });
        let EventData::StatusUpdate { status, reason, detail, account } =
            read("status-update", update).unwrap()
        else {
            panic!("another kind")
        };
        assert_eq!((status, reason, account), (Status::QrReady, Some(Reason::PageChanged), None));
        assert_eq!(detail.unwrap().next_try_at, Some(Timestamp(1_790_000_000_123)));
        let code =
            json!({ "qrCode": null, "sequence": 4, "expiresAt": "2026-09-21T14:13:20.123Z" });
        let notice = CodeNotice { sequence: 4, expires_at: Timestamp(1_790_000_000_123) };
        assert_eq!(read("qr-code", code).unwrap(), EventData::QrCode(notice));
        assert_eq!(
            read("session-disconnected", json!({ "reason": "logged_out" })).unwrap(),
            EventData::SessionDisconnected { reason: Reason::LoggedOut }
        );
        assert_eq!(read("session-deleted", json!({})).unwrap(), EventData::SessionDeleted);
        let gap = EventData::Other {
            kind: "gap".into(),
            fields: vec![("from".into(), "3".into()), ("to".into(), "5".into())],
        };
        assert_eq!(read("gap", json!({ "from": "3", "to": "5" })).unwrap(), gap);
        assert!(read("session-disconnected", json!({ "reason": "unheard_of" })).is_err());
    }
}
