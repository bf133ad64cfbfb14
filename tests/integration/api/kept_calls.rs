//! The four calls that FinBot makes, to the letter.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use pairing_core::{
    fakes::FakeCall,
    workflow::{CodeFailure, CodeFailureKind},
};
use pairing_tests::TestApi;
use reqwest::Method;
use serde_json::{Value, json};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

fn keys(body: &Value) -> Vec<&str> {
    body.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn init_answers_success_and_message_and_may_be_repeated() {
    let host = TestApi::start().await;
    let body = json!({ "sessionName": "one" });
    let (status, first) = host.post("/whatsapp/init", body.clone()).await;
    assert_eq!((status.as_u16(), keys(&first)), (200, vec!["message", "success"]));
    assert_eq!(first["success"], true);
    let (status, again) = host.post("/whatsapp/init", body.clone()).await;
    assert_eq!((status.as_u16(), &again["success"]), (200, &json!(true)), "{again}");
    let linked = host.linked("linked", "5511999990001").await;
    let (status, answer) = host.post("/whatsapp/init", json!({ "sessionName": "linked" })).await;
    assert_eq!((status.as_u16(), &answer["success"]), (200, &json!(true)), "{answer}");
    assert_eq!(
        host.engine.calls(&linked).iter().filter(|call| **call == FakeCall::Start).count(),
        1
    );
    assert_eq!(
        host.get("/whatsapp/status/linked").await.1["status"],
        "CONNECTED",
        "and it still is"
    );
}

#[tokio::test]
async fn status_of_a_name_that_was_never_used_is_disconnected() {
    let host = TestApi::start().await;
    let (status, body) = host.get("/whatsapp/status/never").await;
    assert_eq!(status, 200);
    assert_eq!(body["status"], "DISCONNECTED");
    assert_eq!(body["reason"], "not_started");
    for member in ["qrCode", "pairingCode", "account", "qrExpiresAt", "createdAt"] {
        assert_eq!(body.get(member), Some(&Value::Null), "{member}");
    }
    assert!(body["serverTime"].is_string(), "{body}");
    let (_, list) = host.get("/whatsapp/sessions").await;
    assert_eq!(list, json!({ "sessions": [] }), "asking begins nothing");
    for path in ["/whatsapp/qr/never", "/whatsapp/qr/never.png", "/whatsapp/sessions/never"] {
        let (status, body) = host.get(path).await;
        assert_eq!((status.as_u16(), &body["code"]), (404, &json!("session_not_found")), "{path}");
    }
    let (status, body) =
        host.post("/whatsapp/pair/never", json!({ "phoneNumber": "5511999990001" })).await;
    assert_eq!((status.as_u16(), &body["code"]), (404, &json!("session_not_found")));
}

#[tokio::test]
async fn qr_is_a_png_as_a_data_url_and_409_without_a_code() {
    let host = TestApi::start().await;
    let name = host.init("one").await;
    let (status, body) = host.get("/whatsapp/qr/one").await;
    assert_eq!((status.as_u16(), &body["code"]), (409, &json!("session_not_ready")));
    host.engine.show_qr(&name, "2@a-live-secret", true).await;
    let now = host.until_status("one", "QR_READY").await;
    let (status, body) = host.get("/whatsapp/qr/one").await;
    assert_eq!((status.as_u16(), keys(&body)), (200, vec!["qrCode"]));
    assert_eq!(body["qrCode"], now["qrCode"]);
    let image = body["qrCode"].as_str().unwrap().strip_prefix("data:image/png;base64,").unwrap();
    assert!(BASE64_STANDARD.decode(image).unwrap().starts_with(PNG));
    assert_eq!(now["sequence"], 1);

    let expires_at = now["qrExpiresAt"].as_str().unwrap();
    assert!(expires_at > now["serverTime"].as_str().unwrap(), "{now}");
    host.clock.advance(Duration::from_secs(61));
    let (status, body) = host.get("/whatsapp/qr/one").await;
    assert_eq!(
        (status.as_u16(), &body["code"]),
        (409, &json!("session_not_ready")),
        "not a second longer"
    );
    let (_, now) = host.get("/whatsapp/status/one").await;
    assert_eq!((&now["qrCode"], &now["qrExpiresAt"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn qr_images_come_as_png_and_svg_with_their_expiry_and_are_never_kept() {
    let host = TestApi::start().await;
    host.init_with_qr("one", "2@a-live-secret").await;
    let (_, now) = host.get("/whatsapp/status/one").await;
    for (path, kind) in
        [("/whatsapp/qr/one.png?size=600", "image/png"), ("/whatsapp/qr/one.svg", "image/svg+xml")]
    {
        let response = host.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let headers = response.headers().clone();
        assert_eq!(headers["content-type"], kind);
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["x-qr-sequence"], "1");
        assert_eq!(headers["x-qr-expires-at"], now["qrExpiresAt"].as_str().unwrap());
        let bytes = response.bytes().await.unwrap();
        assert!(bytes.starts_with(PNG) || bytes.starts_with(b"<"), "{path}");
        assert!(!String::from_utf8_lossy(&bytes).contains("a-live-secret"));
    }
}

#[tokio::test]
async fn pair_gives_eight_characters_and_hides_the_qr_code_until_it_is_refreshed() {
    let host = TestApi::start().await;
    let name = host.init_with_qr("one", "2@secret").await;
    host.engine.answer_code(&name, Ok("ABCD2345"));
    let (status, body) =
        host.post("/whatsapp/pair/one", json!({ "phoneNumber": "+55 11 99999-0001" })).await;
    assert_eq!((status.as_u16(), &body), (200, &json!({ "pairingCode": "ABCD2345" })));
    let asked = FakeCall::RequestPairingCode("5511999990001".into());
    assert!(host.engine.calls(&name).contains(&asked), "{:?}", host.engine.calls(&name));
    let (_, now) = host.get("/whatsapp/status/one").await;
    assert_eq!(now["status"], "QR_READY");
    assert_eq!((&now["pairingCode"], &now["qrCode"]), (&json!("ABCD2345"), &Value::Null));
    assert!(now["pairingCodeExpiresAt"].is_string(), "{now}");
    assert_eq!(host.get("/whatsapp/qr/one").await.0, 409, "the page can't serve both");

    let (status, _) = host.post("/whatsapp/sessions/one/refresh-qr", json!({})).await;
    assert_eq!(status, 200);
    host.engine.wait_for(&name, &FakeCall::RefreshQr, 1).await;
    host.engine.show_qr(&name, "2@another", true).await;
    let now = pairing_tests::until("a QR code is shown again", async || {
        let (_, now) = host.get("/whatsapp/status/one").await;
        now["qrCode"].is_string().then_some(now)
    })
    .await;
    assert_eq!((&now["pairingCode"], &now["status"]), (&Value::Null, &json!("QR_READY")));
}

#[tokio::test]
async fn a_doubtful_number_is_let_through_with_a_warning() {
    let host = TestApi::start().await;
    let name = host.init_with_qr("one", "2@secret").await;
    host.engine.answer_code(&name, Ok("ABCD2345"));
    let (status, body) =
        host.post("/whatsapp/pair/one", json!({ "phoneNumber": "5215512345678" })).await;
    assert_eq!((status.as_u16(), &body["pairingCode"]), (200, &json!("ABCD2345")));
    assert!(body["warning"].is_string(), "{body}");
    let body = json!({ "sessionName": "two", "expectedPhoneNumber": "5215512345678" });
    let (status, body) = host.post("/whatsapp/init", body).await;
    assert_eq!(status, 200);
    assert!(body["warning"].is_string(), "{body}");
    assert_eq!(host.get("/whatsapp/status/two").await.1["expectedPhoneNumber"], "5215512345678");
}

#[tokio::test]
async fn a_code_is_made_only_where_a_qr_code_could_be_shown() {
    let host = TestApi::start().await;
    let phone = json!({ "phoneNumber": "5511999990001" });
    host.init("starting").await;
    let (status, body) = host.post("/whatsapp/pair/starting", phone.clone()).await;
    assert_eq!((status.as_u16(), &body["code"]), (409, &json!("session_not_ready")), "{body}");
    host.linked("linked", "5511999990001").await;
    let (status, body) = host.post("/whatsapp/pair/linked", phone).await;
    assert_eq!((status.as_u16(), &body["code"]), (409, &json!("already_linked")), "{body}");
}

#[tokio::test]
async fn what_the_page_says_about_a_code_becomes_a_problem() {
    let host = TestApi::start().await;
    for (index, (kind, status, code)) in [
        (CodeFailureKind::RateLimited, 429, "rate_limited"),
        (CodeFailureKind::PhoneRefused, 400, "phone_invalid"),
        (CodeFailureKind::Refused, 502, "code_refused"),
        (CodeFailureKind::Timeout, 504, "code_timeout"),
        (CodeFailureKind::PasskeyRequired, 409, "passkey_required"),
    ]
    .into_iter()
    .enumerate()
    {
        let session = format!("s{index}");
        let name = host.init_with_qr(&session, "2@secret").await;
        host.engine
            .answer_code(&name, Err(CodeFailure { kind, message: "the page said no".into() }));
        let request = host
            .request(Method::POST, &format!("/whatsapp/pair/{session}"))
            .json(&json!({ "phoneNumber": format!("551199999000{index}") }));
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{kind:?}");
        assert_eq!(response.headers().contains_key("retry-after"), status == 429, "{kind:?}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["code"], code, "{kind:?}");
    }
}
