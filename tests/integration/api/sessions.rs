//! Sessions as the console and scripts handle them.

use std::time::Duration;

use pairing_core::fakes::FakeCall;
use pairing_tests::{TestApi, until};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn the_list_has_all_sessions_by_name_and_no_code() {
    let host = TestApi::start().await;
    host.linked("b", "5511999990001").await;
    host.init_with_qr("a", "2@secret").await;
    let (status, body) = host.get("/whatsapp/sessions").await;
    assert_eq!(status, 200);
    let sessions = body["sessions"].as_array().unwrap();
    let seen: Vec<_> = sessions.iter().map(|one| (&one["sessionName"], &one["status"])).collect();
    assert_eq!(seen, [(&json!("a"), &json!("QR_READY")), (&json!("b"), &json!("CONNECTED"))]);
    assert!(sessions.iter().all(|one| one["qrCode"].is_null() && one["pairingCode"].is_null()));
    assert_eq!(sessions[1]["account"], json!({ "phoneNumber": "5511999990001", "name": "Ana" }));
    let (_, one) = host.get("/whatsapp/sessions/a").await;
    assert!(one["qrCode"].is_string(), "a single session shows its code: {one}");
}

#[tokio::test]
async fn a_link_survives_disconnect_and_reconnect() {
    let host = TestApi::start().await;
    let name = host.linked("one", "5511999990001").await;
    let (status, body) = host.post("/whatsapp/sessions/one/disconnect", json!({})).await;
    assert_eq!((status.as_u16(), &body["success"]), (200, &json!(true)), "{body}");
    let now = host.until_status("one", "DISCONNECTED").await;
    assert_eq!((&now["reason"], &now["linked"]), (&json!("stopped"), &json!(true)), "{now}");
    host.engine.wait_for(&name, &FakeCall::Stop, 1).await;
    let (status, _) = host.post("/whatsapp/sessions/one/reconnect", json!({})).await;
    assert_eq!(status, 200);
    host.engine.wait_for(&name, &FakeCall::Start, 2).await;
    assert_eq!(host.get("/whatsapp/status/one").await.1["linked"], true);
}

#[tokio::test]
async fn what_could_lose_a_link_wants_to_be_confirmed() {
    let host = TestApi::start().await;
    let name = host.linked("one", "5511999990001").await;
    for path in ["refresh-qr", "logout"] {
        let (status, body) = host.post(&format!("/whatsapp/sessions/one/{path}"), json!({})).await;
        assert_eq!(
            (status.as_u16(), &body["code"]),
            (409, &json!("already_linked")),
            "{path}: {body}"
        );
    }
    let request = host.request(Method::DELETE, "/whatsapp/sessions/one");
    let (status, body) = pairing_tests::read(request).await;
    assert_eq!((status.as_u16(), &body["code"]), (409, &json!("already_linked")), "{body}");
    assert_eq!(host.get("/whatsapp/status/one").await.1["status"], "CONNECTED");

    let (status, _) = host.post("/whatsapp/sessions/one/logout", json!({ "confirm": true })).await;
    assert_eq!(status, 200);
    host.engine.wait_for(&name, &FakeCall::LogOut, 1).await;
    let now = host.until_status("one", "DISCONNECTED").await;
    assert_eq!((&now["reason"], &now["account"]), (&json!("logged_out"), &Value::Null), "{now}");
}

#[tokio::test]
async fn a_deleted_session_is_gone_with_its_history() {
    let host = TestApi::start().await;
    let name = host.init_with_qr("one", "2@secret").await;
    let request = host.request(Method::DELETE, "/whatsapp/sessions/one?confirm=true");
    let (status, body) = pairing_tests::read(request).await;
    assert_eq!((status.as_u16(), &body["success"]), (200, &json!(true)), "{body}");
    until("the session is gone", async || {
        (host.get("/whatsapp/sessions/one").await.0 == 404).then_some(())
    })
    .await;
    host.engine.wait_for(&name, &FakeCall::WipeProfile, 1).await;
    assert_eq!(host.get("/whatsapp/sessions/one/history").await.0, 404);
    assert_eq!(host.get("/whatsapp/status/one").await.1["reason"], "not_started");
}

#[tokio::test]
async fn history_tells_how_a_session_got_where_it_is_page_by_page() {
    let host = TestApi::start().await;
    host.linked("one", "5511999990001").await;
    let (status, all) = host.get("/whatsapp/sessions/one/history").await;
    assert_eq!(status, 200);
    assert_eq!(all["next"], Value::Null);
    let all = all["history"].as_array().unwrap().clone();
    assert_eq!(all[0]["cause"], "command:init");
    assert_eq!(all.last().unwrap()["status"], "CONNECTED");
    let mut pages = Vec::new();
    let mut after = String::new();
    loop {
        let (_, page) = host.get(&format!("/whatsapp/sessions/one/history?limit=1{after}")).await;
        pages.extend(page["history"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(pages, all);
    assert!(!format!("{all:?}").contains("2@scanned"));
}

#[tokio::test]
async fn commands_work_without_a_body_and_on_nothing_are_404() {
    let host = TestApi::start().await;
    for command in ["disconnect", "reconnect", "refresh-qr", "logout"] {
        let path = format!("/whatsapp/sessions/none/{command}");
        let (status, body) = pairing_tests::read(host.request(Method::POST, &path)).await;
        assert_eq!(
            (status.as_u16(), &body["code"]),
            (404, &json!("session_not_found")),
            "{command}"
        );
    }
    host.init_with_qr("one", "2@secret").await;
    let request = host.request(Method::POST, "/whatsapp/sessions/one/refresh-qr");
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_session_that_nobody_scans_parks_and_one_call_resumes_it() {
    let host = TestApi::start().await;
    let name = host.init_with_qr("one", "2@0").await;
    // Round after round of codes, and nobody looks.
    let parked = until("the session is parked", async || {
        host.clock.advance(Duration::from_secs(61));
        host.engine.show_qr(&name, "2@next", true).await;
        let (_, now) = host.get("/whatsapp/status/one").await;
        (now["reason"] == "parked").then_some(now)
    })
    .await;
    assert_eq!(parked["status"], "DISCONNECTED");
    let starts = host.engine.calls(&name).iter().filter(|call| **call == FakeCall::Start).count();
    let (status, _) = host.post("/whatsapp/init", json!({ "sessionName": "one" })).await;
    assert_eq!(status, 200);
    host.engine.wait_for(&name, &FakeCall::Start, starts + 1).await;
}
