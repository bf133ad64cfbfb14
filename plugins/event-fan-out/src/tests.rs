use serde_json::{Value, json};

use super::*;
use crate::bindings::{
    exports::pairing_console::events::router::Transport,
    pairing_console::types::{
        events::{EventData, OtherEvent, StatusUpdate},
        types::{Account, CodeNotice, Detail, Reason, Status},
    },
};

const AT: u64 = 1_790_000_000_123;
const AT_TEXT: &str = "2026-09-21T14:13:20.123Z";

fn event(data: EventData) -> Event {
    Event { id: "7".into(), session_name: "pairing-console".into(), at: AT, data }
}

fn everything(id: u32, transport: Transport) -> Subscription {
    Subscription { id, transport, sessions: None, types: None, extra: Vec::new() }
}

fn list(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

fn delivered(data: EventData, transport: Transport) -> (String, Value) {
    let deliveries = FanOut::route(event(data), vec![everything(3, transport)]).unwrap();
    assert_eq!(deliveries.len(), 1);
    assert_eq!(deliveries[0].subscription, 3);
    (deliveries[0].name.clone(), serde_json::from_slice(&deliveries[0].body).unwrap())
}

fn account() -> Account {
    Account { phone_number: "5511999990001".into(), name: Some("Ana".into()) }
}

/// One event of each kind, and its values as clients get them.
fn each_kind() -> Vec<(EventData, &'static str, Value)> {
    let notice = CodeNotice { sequence: 4, expires_at: AT };
    let detail = Detail {
        percent: Some(40),
        attempt: Some(2),
        next_try_at: Some(AT),
        message: Some("again soon".into()),
        step: None,
    };
    let account_json = json!({ "phoneNumber": "5511999990001", "name": "Ana" });
    vec![
        (
            EventData::StatusUpdate(StatusUpdate {
                status: Status::Connecting,
                reason: Some(Reason::Reconnecting),
                detail: Some(detail),
                account: Some(account()),
            }),
            "status-update",
            json!({
                "status": "CONNECTING",
                "reason": "reconnecting",
                "detail": { "percent": 40, "attempt": 2, "nextTryAt": AT_TEXT, "message": "again soon" },
                "account": account_json,
            }),
        ),
        (
            EventData::StatusUpdate(StatusUpdate {
                status: Status::QrReady,
                reason: None,
                detail: None,
                account: None,
            }),
            "status-update",
            json!({ "status": "QR_READY", "reason": null, "detail": null, "account": null }),
        ),
        (
            EventData::QrCode(notice),
            "qr-code",
            json!({ "qrCode": "{{qr-code}}", "expiresAt": AT_TEXT, "sequence": 4 }),
        ),
        (
            EventData::PairingCode(notice),
            "pairing-code",
            json!({ "pairingCode": "{{pairing-code}}", "expiresAt": AT_TEXT, "sequence": 4 }),
        ),
        (EventData::Loading(99), "loading", json!({ "percent": 99 })),
        (
            EventData::SessionConnected(account()),
            "session-connected",
            json!({ "account": account_json }),
        ),
        (
            EventData::SessionDisconnected(Reason::UnlinkedFromPhone),
            "session-disconnected",
            json!({ "reason": "unlinked_from_phone" }),
        ),
        (EventData::SessionDeleted, "session-deleted", json!({})),
        (
            EventData::Other(OtherEvent {
                kind: "plugin-activated".into(),
                fields: vec![("slot".into(), "workflow".into())],
            }),
            "plugin-activated",
            json!({ "slot": "workflow" }),
        ),
    ]
}

#[test]
fn socket_io_gets_the_values_flat_beside_the_sessions_name() {
    for (data, name, values) in each_kind() {
        let mut expected = values;
        expected["sessionName"] = json!("pairing-console");
        assert_eq!(delivered(data, Transport::SocketIo), (name.to_owned(), expected));
    }
}

#[test]
fn a_web_socket_gets_a_frame_around_the_event() {
    for (data, name, values) in each_kind() {
        let expected = json!({
            "type": "event",
            "event": { "id": "7", "sessionName": "pairing-console", "at": AT_TEXT, "type": name, "data": values },
        });
        assert_eq!(delivered(data, Transport::WebSocket), (name.to_owned(), expected));
    }
}

#[test]
fn streams_webhooks_and_handlers_get_the_event_itself() {
    for transport in [Transport::EventStream, Transport::Webhook, Transport::Handler] {
        for (data, name, values) in each_kind() {
            let expected = json!({
                "id": "7", "sessionName": "pairing-console", "at": AT_TEXT, "type": name, "data": values,
            });
            assert_eq!(delivered(data, transport), (name.to_owned(), expected));
        }
    }
}

#[test]
fn every_status_and_reason_has_its_word_of_the_wire() {
    let word = |status, reason| {
        let update = StatusUpdate { status, reason: Some(reason), detail: None, account: None };
        let (_, body) = delivered(EventData::StatusUpdate(update), Transport::SocketIo);
        (body["status"].as_str().unwrap().to_owned(), body["reason"].as_str().unwrap().to_owned())
    };
    let statuses = [
        (Status::Disconnected, "DISCONNECTED"),
        (Status::Connecting, "CONNECTING"),
        (Status::QrReady, "QR_READY"),
        (Status::Authenticated, "AUTHENTICATED"),
        (Status::Connected, "CONNECTED"),
    ];
    for (status, text) in statuses {
        assert_eq!(word(status, Reason::Other).0, text);
    }
    let reasons = [
        (Reason::NotStarted, "not_started"),
        (Reason::Starting, "starting"),
        (Reason::Loading, "loading"),
        (Reason::Reconnecting, "reconnecting"),
        (Reason::Parked, "parked"),
        (Reason::Stopped, "stopped"),
        (Reason::LoggedOut, "logged_out"),
        (Reason::UnlinkedFromPhone, "unlinked_from_phone"),
        (Reason::Conflict, "conflict"),
        (Reason::ClientOutdated, "client_outdated"),
        (Reason::Banned, "banned"),
        (Reason::PasskeyRequired, "passkey_required"),
        (Reason::EngineCrashed, "engine_crashed"),
        (Reason::PageChanged, "page_changed"),
        (Reason::Degraded, "degraded"),
        (Reason::Other, "other"),
    ];
    for (reason, text) in reasons {
        assert_eq!(word(Status::Disconnected, reason).1, text);
    }
}

#[test]
fn a_live_code_that_is_sent_again_has_no_place() {
    let again = Event {
        id: "0".into(),
        ..event(EventData::QrCode(CodeNotice { sequence: 4, expires_at: AT }))
    };
    let deliveries = FanOut::route(again, vec![everything(0, Transport::WebSocket)]).unwrap();
    let frame: Value = serde_json::from_slice(&deliveries[0].body).unwrap();
    assert_eq!(frame["event"]["id"], json!(null));
}

#[test]
fn each_gets_the_sessions_and_kinds_it_asked_for() {
    let asks = |id, sessions: Option<&[&str]>, types: Option<&[&str]>| Subscription {
        sessions: sessions.and_then(list),
        types: types.and_then(list),
        ..everything(id, Transport::SocketIo)
    };
    let subscriptions = vec![
        asks(1, None, None),
        asks(2, Some(&["other", "pairing-console"]), None),
        asks(3, Some(&["other"]), None),
        asks(4, None, Some(&["loading", "qr-code"])),
        asks(5, None, Some(&["qr-code"])),
        asks(6, Some(&["pairing-console"]), Some(&["loading"])),
        asks(7, Some(&["pairing-console"]), Some(&["session-deleted"])),
        asks(8, Some(&[]), None),
        asks(9, None, Some(&[])),
    ];
    let deliveries = FanOut::route(event(EventData::Loading(1)), subscriptions).unwrap();
    let ids: Vec<u32> = deliveries.iter().map(|delivery| delivery.subscription).collect();
    assert_eq!(ids, [1, 2, 4, 6]);
}

#[test]
fn a_placeholder_stands_as_a_whole_string_and_once() {
    for (data, place) in [
        (EventData::QrCode(CodeNotice { sequence: 1, expires_at: AT }), "\"{{qr-code}}\""),
        (
            EventData::PairingCode(CodeNotice { sequence: 1, expires_at: AT }),
            "\"{{pairing-code}}\"",
        ),
    ] {
        for transport in [Transport::SocketIo, Transport::WebSocket, Transport::EventStream] {
            let deliveries =
                FanOut::route(event(data.clone()), vec![everything(0, transport)]).unwrap();
            let body = String::from_utf8(deliveries[0].body.clone()).unwrap();
            assert_eq!(body.matches(place).count(), 1, "{body}");
            assert_eq!(body.matches("{{").count(), 1, "{body}");
        }
    }
}

#[test]
fn a_name_in_another_field_is_no_placeholder() {
    // People choose their account's name; it must not become a place for secrets.
    let sly = Account { phone_number: "1".into(), name: Some("{{qr-code}}".into()) };
    let (_, body) = delivered(EventData::SessionConnected(sly), Transport::SocketIo);
    assert_eq!(body["account"]["name"], "{ {qr-code}}");
}

#[test]
fn times_beyond_the_calendar_do_not_trap() {
    assert_eq!(data::time(u64::MAX), "9999-12-31T23:59:59.999Z");
    assert_eq!(data::time(0), "1970-01-01T00:00:00.000Z");
}
