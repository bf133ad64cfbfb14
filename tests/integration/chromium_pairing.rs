//! A device is linked, lives through restarts, and is unlinked.

use pairing_tests::{TestHost, browsers_on, until};
use serde_json::json;
use standin::Standin;

const PHONE: &str = "5511999990001";

async fn world() -> (Standin, TestHost) {
    let standin = Standin::start(standin::Config::default()).await.unwrap();
    let host = TestHost::on(standin.base_url()).start().await;
    (standin, host)
}

async fn link(standin: &Standin, host: &TestHost, session: &str) {
    host.init(session).await;
    let (qr, _) = host.until_qr(session, 0).await;
    standin.scan_data_url_as(&qr, PHONE, "Ana").await.unwrap();
    host.until_status(session, "CONNECTED").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_scans_the_qr_code_and_the_link_outlives_restarts() {
    let (standin, mut host) = world().await;
    link(&standin, &host, "pairing-console").await;
    let status = host.status("pairing-console").await;
    assert_eq!(status["account"], json!({ "phoneNumber": PHONE, "name": "Ana" }));
    assert_eq!(status["qrCode"], json!(null));
    assert_eq!(status["pairingCode"], json!(null));

    assert_eq!(host.stop().await, Some(0));
    assert!(browsers_on(&host.data_dir()).is_empty(), "a stopped host leaves no browser");
    host.launch().await;
    host.until_status("pairing-console", "CONNECTED").await;
    assert_eq!(standin.state().devices.len(), 1, "it is the same link");

    host.kill();
    host.launch().await;
    host.until_status("pairing-console", "CONNECTED").await;
    assert_eq!(standin.state().devices.len(), 1, "it is the same link");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_takes_the_pairing_code() {
    let (standin, host) = world().await;
    host.init("by-code").await;
    host.until_status("by-code", "QR_READY").await;
    let answer =
        host.post("/whatsapp/pair/by-code", json!({ "phoneNumber": "+55 11 99999-0001" })).await;
    let code = answer["pairingCode"].as_str().unwrap();
    assert_eq!(code.len(), 8, "without a dash");

    let status = host.status("by-code").await;
    assert_eq!(status["status"], "QR_READY");
    assert_eq!(status["pairingCode"], code);
    assert_eq!(status["qrCode"], json!(null), "the page can't serve both");

    standin.enter_code(PHONE, code).await.unwrap();
    let status = host.until_status("by-code", "CONNECTED").await;
    assert_eq!(status["account"]["phoneNumber"], PHONE);
    assert_eq!(status["pairingCode"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phone_unlinks_and_the_session_can_be_linked_again() {
    let (standin, host) = world().await;
    link(&standin, &host, "twice").await;
    standin.unlink(PHONE);
    let status = host.until_status("twice", "DISCONNECTED").await;
    assert_eq!(status["reason"], "unlinked_from_phone");
    assert_eq!(status["account"], json!(null));

    link(&standin, &host, "twice").await;
    assert_eq!(standin.state().devices.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_unlinks_the_phone_and_deleting_leaves_nothing() {
    let (standin, host) = world().await;
    link(&standin, &host, "gone").await;
    host.post("/whatsapp/sessions/gone/logout", json!({ "confirm": true })).await;
    let status = host.until_status("gone", "DISCONNECTED").await;
    assert_eq!(status["reason"], "logged_out");
    assert!(standin.state().devices.is_empty(), "the phone heard of it");

    let request = host.request(http::Method::DELETE, "/whatsapp/sessions/gone");
    assert!(request.send().await.unwrap().status().is_success());
    let answer = host.request(http::Method::GET, "/whatsapp/sessions/gone").send().await.unwrap();
    assert_eq!(answer.status(), 404);
    until("no browser is left", async || browsers_on(&host.data_dir()).is_empty().then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sessions_do_not_disturb_each_other() {
    let (standin, host) = world().await;
    link(&standin, &host, "first").await;
    host.init("second").await;
    let (qr, _) = host.until_qr("second", 0).await;
    standin.scan_data_url_as(&qr, "5511988880002", "Rui").await.unwrap();
    host.until_status("second", "CONNECTED").await;
    host.post("/whatsapp/sessions/second/disconnect", json!({})).await;
    let status = host.until_status("second", "DISCONNECTED").await;
    assert_eq!(status["reason"], "stopped");
    assert_eq!(host.status("first").await["status"], "CONNECTED");
    host.post("/whatsapp/sessions/second/reconnect", json!({})).await;
    host.until_status("second", "CONNECTED").await;
    assert_eq!(standin.state().devices.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_rotate_then_the_session_parks_and_one_call_resumes() {
    let standin = Standin::start(standin::Config::default()).await.unwrap();
    standin.change_settings(|settings| {
        settings.ref_count = 2;
        settings.first_ref_ms = 700;
        settings.next_ref_ms = 700;
    });
    let host = TestHost::on(standin.base_url())
        .set("PAIRING_PAIRING_MAX_QR_ROUNDS", 2)
        .set("PAIRING_PAIRING_FIRST_QR_LIFETIME", "700ms")
        .set("PAIRING_PAIRING_NEXT_QR_LIFETIME", "700ms")
        .start()
        .await;
    host.init("unseen").await;
    let (first, sequence) = host.until_qr("unseen", 0).await;
    let (second, _) = host.until_qr("unseen", sequence).await;
    assert_ne!(first, second);
    let status = host.until_status("unseen", "DISCONNECTED").await;
    assert_eq!(status["reason"], "parked");
    until("no browser waits", async || browsers_on(&host.data_dir()).is_empty().then_some(()))
        .await;

    standin.change_settings(|settings| settings.first_ref_ms = 60_000);
    let before = status["sequence"].as_u64().unwrap();
    host.init("unseen").await;
    let (qr, _) = host.until_qr("unseen", before).await;
    standin.scan_data_url(&qr).await.unwrap();
    host.until_status("unseen", "CONNECTED").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapps_refusals_reach_the_caller() {
    let (standin, host) = world().await;
    host.init("refused").await;
    host.until_status("refused", "QR_READY").await;
    for (status, expected_status, code) in [(429, 429, "rate_limited"), (400, 400, "phone_invalid")]
    {
        standin.add_fault(standin::Fault::once(standin::FaultKind::CodeRefused { status }));
        let request = host.request(http::Method::POST, "/whatsapp/pair/refused");
        let answer = request.json(&json!({ "phoneNumber": PHONE })).send().await.unwrap();
        let answer_status = answer.status();
        let problem: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(answer_status, expected_status, "{problem}");
        host.until_status("refused", "QR_READY").await;
    }
}
