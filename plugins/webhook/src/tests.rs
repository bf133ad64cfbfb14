use serde_json::{Value, json};

use crate::{
    answer::{Answer, outcome},
    bindings::{
        exports::pairing_console::handler::handler::{Event, HandleError, Later},
        pairing_console::types::{
            events::{EventData, OtherEvent, StatusUpdate},
            types::{Account, CodeNotice, Detail, Reason, Status},
        },
    },
    endpoint::Endpoint,
    message, signature,
};

const AT: u64 = 1_790_000_000_123;
const AT_TEXT: &str = "2026-09-21T14:13:20.123Z";

fn event(data: EventData) -> Event {
    Event { id: "7".into(), session_name: "pairing-console".into(), at: AT, data }
}

fn body(data: EventData) -> Value {
    serde_json::from_slice(&message::body(&event(data))).unwrap()
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn settings(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_body_has_what_the_specification_asks_for_and_the_events_place_and_session() {
    let linked = Account { phone_number: "5511999990001".into(), name: Some("Ana".into()) };
    assert_eq!(
        body(EventData::SessionConnected(linked)),
        json!({
            "id": "7",
            "type": "session-connected",
            "timestamp": AT_TEXT,
            "sessionName": "pairing-console",
            "data": { "account": { "phoneNumber": "5511999990001", "name": "Ana" } },
        })
    );
}

#[test]
fn codes_are_not_even_named_by_a_placeholder() {
    let notice = CodeNotice { sequence: 4, expires_at: AT };
    let values = json!({ "qrCode": null, "expiresAt": AT_TEXT, "sequence": 4 });
    assert_eq!(body(EventData::QrCode(notice))["data"], values);
    let values = json!({ "pairingCode": null, "expiresAt": AT_TEXT, "sequence": 4 });
    assert_eq!(body(EventData::PairingCode(notice))["data"], values);
}

#[test]
fn every_attempt_at_an_event_has_the_same_id() {
    assert_eq!(message::id(&event(EventData::SessionDeleted)), "evt_7");
    let gap = Event { id: "gap-3-9".into(), ..event(EventData::SessionDeleted) };
    assert_eq!(message::id(&gap), "evt_gap-3-9");
}

fn status_with(message: String) -> EventData {
    let detail = Detail {
        percent: Some(40),
        attempt: None,
        next_try_at: None,
        message: Some(message),
        step: None,
    };
    EventData::StatusUpdate(StatusUpdate {
        status: Status::Connecting,
        reason: Some(Reason::Other),
        detail: Some(detail),
        account: None,
    })
}

#[test]
fn a_body_of_less_than_20_kb_is_whole() {
    let short = body(status_with("x".repeat(19_000)));
    assert_eq!(short["data"]["detail"]["message"].as_str().unwrap().len(), 19_000);
    assert_eq!(short.get("truncated"), None);
    assert_eq!(short.get("fetch"), None);
}

#[test]
fn a_larger_body_is_cut_and_says_where_the_whole_is() {
    let long = event(status_with("é".repeat(30_000)));
    let bytes = message::body(&long);
    assert!(bytes.len() < 20_000, "{}", bytes.len());
    let body: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(body["data"]["status"], "CONNECTING");
    assert_eq!(body["data"]["detail"]["percent"], 40);
    let text = format!("{}…", "é".repeat(200));
    assert_eq!(body["data"]["detail"]["message"], text);
    assert_eq!(body["truncated"], true);
    assert_eq!(body["fetch"], "/whatsapp/events?after=6&limit=1&sessions=pairing-console");
}

#[test]
fn values_that_are_too_many_even_when_cut_are_left_out() {
    let fields = (0..1000).map(|n| (format!("field-{n}"), "x".repeat(100))).collect();
    let other = OtherEvent { kind: "plugin-activated".into(), fields };
    let gap = Event { id: "gap-3-9".into(), ..event(EventData::Other(other)) };
    let body: Value = serde_json::from_slice(&message::body(&gap)).unwrap();
    assert_eq!(body["data"], json!({}));
    assert_eq!(body["truncated"], true);
    // It is not in the journal.
    assert_eq!(body["fetch"], json!(null));
}

#[test]
fn what_is_signed_is_id_seconds_and_body_with_dots_between() {
    assert_eq!(signature::signed("evt_7", AT, b"{}"), b"evt_7.1790000000.{}");
}

#[test]
fn each_signing_secret_gives_a_signature() {
    let names = strings(&["crm-token", "signing", "signing-old"]);
    let fake = |name: &str, bytes: &[u8]| Ok([name.as_bytes(), b"/", bytes].concat());
    let header = signature::sign(&names, b"text", fake).unwrap();
    // base64 of `signing/text` and of `signing-old/text`.
    assert_eq!(header, "v1,c2lnbmluZy90ZXh0 v1,c2lnbmluZy1vbGQvdGV4dA==");
}

#[test]
fn without_a_signing_secret_nothing_is_sent() {
    let unused = |_: &str, _: &[u8]| -> Result<Vec<u8>, String> { unreachable!("not asked") };
    let error = signature::sign(&strings(&["crm-token"]), b"text", unused).unwrap_err();
    assert!(error.contains("`signing`") && error.contains("whsec_"), "{error}");
    let refuses = |_: &str, _: &[u8]| Err("it is not base64".to_owned());
    let error = signature::sign(&strings(&["signing"]), b"text", refuses).unwrap_err();
    assert_eq!(error, "the secret `signing` did not sign: it is not base64");
}

#[test]
fn an_endpoint_is_an_address_and_headers() {
    let read = Endpoint::read(&settings(&[
        ("url", " https://example.com:8443/hooks/7?a=b#c "),
        ("header.Authorization", "Bearer {{secret:crm-token}}"),
        ("colour", "blue"),
    ]));
    let expected = Endpoint {
        is_https: true,
        authority: "example.com:8443".into(),
        path_and_query: "/hooks/7?a=b".into(),
        headers: settings(&[("authorization", "Bearer {{secret:crm-token}}")]),
    };
    assert_eq!(read, Ok(expected));
    let bare = Endpoint::read(&settings(&[("url", "http://127.0.0.1:80")])).unwrap();
    assert_eq!((bare.is_https, &*bare.path_and_query), (false, "/"));
}

#[test]
fn a_setting_that_makes_no_sense_is_named() {
    let error = |pairs: &[(&str, &str)]| Endpoint::read(&settings(pairs)).unwrap_err();
    assert!(error(&[]).contains("`url` is missing"));
    assert!(error(&[("url", "  ")]).contains("`url` is missing"));
    for bad in ["example.com/hooks", "/hooks", "ftp://example.com/", "https://", "http://a b/"] {
        assert!(error(&[("url", bad)]).contains("`url` is no address"), "{bad}");
    }
    let password = error(&[("url", "https://me:hidden@example.com/")]);
    assert!(password.contains("header.authorization") && !password.contains("hidden"));
    let good = ("url", "https://example.com/");
    for (name, value) in [
        ("header.webhook-id", "1"),
        ("header.Content-Type", "text/plain"),
        ("header.a b", "1"),
        ("header.", "1"),
        ("header.x", "a\nb"),
    ] {
        let error = error(&[good, (name, value)]);
        assert!(error.contains(&format!("`{name}` is no header")), "{error}");
    }
}

fn answered(status: u16, retry_after: Option<&str>) -> Result<(), HandleError> {
    let retry_after = retry_after.map(str::to_owned);
    outcome(&Answer { status, retry_after, text: String::new() }, AT)
}

#[test]
fn only_2xx_is_success_and_410_ends_it() {
    for status in [200, 201, 202, 204, 299] {
        assert_eq!(answered(status, Some("60")), Ok(()));
    }
    let why = "the receiver answered 410 (the receiver wants no more)".to_owned();
    assert_eq!(answered(410, None), Err(HandleError::Gone(why)));
    for status in [100, 301, 302, 307, 308, 400, 401, 404, 413, 429, 500, 502, 503, 599] {
        assert!(matches!(answered(status, None), Err(HandleError::Retry(_))), "{status}");
    }
    // It is worth something with these two alone.
    assert!(matches!(answered(500, Some("60")), Err(HandleError::Retry(_))));
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let after = |text: &str| match answered(429, Some(text)) {
        Err(HandleError::RetryAfter(Later { after, .. })) => Some(after),
        Err(HandleError::Retry(_)) => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(after("120"), Some(120_000));
    assert_eq!(after(" 0 "), Some(0));
    assert_eq!(after("99999999999999999999999"), Some(u64::MAX));
    assert_eq!(after("Mon, 21 Sep 2026 14:15:20 GMT"), Some(119_877));
    assert_eq!(after("Mon, 21 Sep 2026 14:00:00 GMT"), Some(0));
    for nonsense in ["", "-5", "soon", "1.5", "Mon, 99 Sep 2026"] {
        assert_eq!(after(nonsense), None, "{nonsense}");
    }
    assert!(matches!(answered(503, Some("5")), Err(HandleError::RetryAfter(_))));
}

#[test]
fn the_operator_reads_how_an_error_began_on_one_line() {
    let text = format!("no\n such \u{1b}[31mhook {}", "x".repeat(500));
    let Err(HandleError::Retry(why)) =
        outcome(&Answer { status: 404, retry_after: None, text }, AT)
    else {
        panic!("it is tried again");
    };
    assert!(why.starts_with("the receiver answered 404: no such [31mhook xxx"), "{why}");
    assert!(why.chars().count() < 250);
}
