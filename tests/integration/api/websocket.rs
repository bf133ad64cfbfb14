//! `/ws`: who is let in, what comes, how it is resumed, and why it is closed.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use pairing_core::{session::Account, workflow::EngineReport};
use pairing_tests::TestApi;
use serde_json::{Value, json};
use tokio_tungstenite::{MaybeTlsStream, connect_async, tungstenite::Message};

use super::socket::{Socket, request, ticket};

#[tokio::test]
async fn a_ticket_lets_in_once_in_time_and_from_its_page() {
    let host = TestApi::start().await;
    let (token, own) = (host.token(json!({})), host.url());
    let try_it = async |ticket: &str, origin: &str| {
        let protocols = format!("pairing.v1, ticket.{ticket}");
        Socket::refused(&host, &[("sec-websocket-protocol", &protocols), ("origin", origin)]).await
    };
    let good = ticket(&host, &token, &own).await;
    assert_eq!(try_it(&good, &own).await, 101);
    assert_eq!(try_it(&good, &own).await, 401, "spent");
    let late = ticket(&host, &token, &own).await;
    host.clock.advance(Duration::from_secs(30));
    assert_eq!(try_it(&late, &own).await, 401, "late");
    let elsewhere = ticket(&host, &token, &own).await;
    assert_eq!(try_it(&elsewhere, "http://finbot.example").await, 401, "another page");
    assert_eq!(try_it(&elsewhere, &own).await, 401, "spent by that");
    let theirs = ticket(&host, &token, "http://finbot.example").await;
    assert_eq!(try_it(&theirs, "http://finbot.example").await, 101, "an allowed origin");
    assert_eq!(try_it("made-up", &own).await, 401);
    let in_query = ticket(&host, &token, "").await;
    let url = format!("ws://{}/ws?ticket={in_query}&token={token}", host.address);
    let (mut socket, _) = connect_async(url).await.unwrap();
    socket.send(Message::text(r#"{"type":"subscribe"}"#)).await.unwrap();
    assert_eq!(Socket(socket).closed().await.0, 4001, "what the address says counts for nothing");
}

#[tokio::test]
async fn the_first_frame_may_say_who_calls_and_must_be_right() {
    let host = TestApi::start().await;
    let token = host.token(json!({}));
    let mut socket = Socket::open(&host, &[]).await;
    socket.say(json!({ "type": "auth", "token": token })).await;
    assert_eq!(socket.next().await["type"], "ready");

    let from_page = ticket(&host, &token, &host.url()).await;
    let mut socket = Socket::open(&host, &[("origin", &host.url())]).await;
    socket.say(json!({ "type": "auth", "ticket": from_page })).await;
    assert_eq!(socket.next().await["type"], "ready");

    for frame in [
        json!({ "type": "auth", "token": "wrong" }),
        json!({ "type": "auth", "ticket": "wrong" }),
        json!({ "type": "auth" }),
        json!({ "type": "subscribe", "sessions": "*" }),
        json!("hello"),
    ] {
        let mut socket = Socket::open(&host, &[]).await;
        socket.say(frame.clone()).await;
        assert_eq!(socket.closed().await.0, 4001, "{frame}");
    }
    let wrong = Socket::refused(&host, &[("authorization", "Bearer wrong")]).await;
    assert_eq!(wrong, 401);
    let role = host.token(json!({ "role": "USER" }));
    assert_eq!(Socket::refused(&host, &[("authorization", &format!("Bearer {role}"))]).await, 403);
    assert_eq!(host.get("/ws").await.0, 400, "not a handshake");
}

#[tokio::test]
async fn whoever_says_nothing_is_closed_after_five_seconds() {
    let host = TestApi::start().await;
    let mut socket = Socket::open(&host, &[]).await;
    assert_eq!(socket.closed().await.0, 4001);
}

#[tokio::test]
async fn a_pairing_is_seen_from_start_to_link_with_its_code_and_in_order() {
    let host = TestApi::start().await;
    let mut socket = Socket::open_with_token(&host, &host.token(json!({}))).await;
    socket.subscribe(json!({ "sessions": "*" })).await;
    let name = host.init("one").await;
    assert_eq!(socket.until_event("status-update").await["data"]["status"], "CONNECTING");
    host.engine.show_qr(&name, "2@a-live-secret", true).await;
    let qr = socket.until_event("qr-code").await;
    assert!(qr["data"]["qrCode"].as_str().unwrap().starts_with("data:image/png;base64,"), "{qr}");
    assert_eq!((&qr["sessionName"], &qr["data"]["sequence"]), (&json!("one"), &json!(1)));
    assert!(qr["data"]["expiresAt"].is_string() && qr["at"].is_string(), "{qr}");
    host.engine.report(&name, EngineReport::Authenticated).await;
    let account = Account { phone_number: "5511999990001".into(), name: Some("Ana".into()) };
    host.engine.report(&name, EngineReport::Ready(account)).await;
    let connected = socket.until_event("session-connected").await;
    assert_eq!(connected["data"]["account"]["phoneNumber"], "5511999990001");
    host.engine.report(&name, EngineReport::LoggedOut { by_us: false }).await;
    let gone = socket.until_event("session-disconnected").await;
    assert_eq!(gone["data"]["reason"], "unlinked_from_phone");
    let ids =
        [&qr, &connected, &gone].map(|event| event["id"].as_str().unwrap().parse::<u64>().unwrap());
    assert!(ids.is_sorted(), "{ids:?}");
}

#[tokio::test]
async fn sessions_and_types_narrow_what_comes() {
    let host = TestApi::start().await;
    let mut socket = Socket::open_with_token(&host, &host.token(json!({}))).await;
    socket.subscribe(json!({ "sessions": ["two"], "types": ["qr-code"] })).await;
    host.init_with_qr("one", "2@one").await;
    host.init_with_qr("two", "2@two").await;
    let event = socket.event().await;
    assert_eq!((&event["sessionName"], &event["type"]), (&json!("two"), &json!("qr-code")));
    socket.say(json!({ "type": "unsubscribe" })).await;
    socket.say(json!({ "type": "ping" })).await;
    host.init("three").await;
    assert_eq!(socket.next().await["type"], "pong", "and nothing of session three");
}

#[tokio::test]
async fn a_reader_that_comes_back_misses_nothing_and_gets_only_the_live_code() {
    let host = TestApi::start().await;
    let token = host.token(json!({}));
    let mut socket = Socket::open_with_token(&host, &token).await;
    let cursor = socket.subscribe(json!({ "sessions": "*" })).await;
    drop(socket);
    let name = host.init_with_qr("one", "2@first").await;
    host.engine.show_qr(&name, "2@second", false).await;
    pairing_tests::until("the second code", async || {
        let (_, now) = host.get("/whatsapp/status/one").await;
        (now["sequence"] == 2).then_some(())
    })
    .await;

    let mut socket = Socket::open_with_token(&host, &token).await;
    socket.subscribe(json!({ "sessions": "*", "after": cursor })).await;
    let mut seen = Vec::new();
    let code = loop {
        let event = socket.event().await;
        if event["type"] == "qr-code" {
            break event;
        }
        seen.push((
            event["id"].as_str().unwrap().parse::<u64>().unwrap(),
            event["data"]["status"].clone(),
        ));
    };
    assert!(seen.is_sorted_by_key(|(id, _)| *id), "{seen:?}");
    assert!(seen.iter().any(|(_, status)| status == "CONNECTING"), "{seen:?}");
    assert!(seen.iter().any(|(_, status)| status == "QR_READY"), "{seen:?}");
    assert_eq!((&code["id"], &code["data"]["sequence"]), (&Value::Null, &json!(2)));
    assert!(code["data"]["qrCode"].is_string(), "{code}");
}

#[tokio::test]
async fn frames_that_are_wrong_are_answered_and_too_many_or_too_large_end_it() {
    let host = TestApi::start().await;
    let token = host.token(json!({}));
    let mut socket = Socket::open_with_token(&host, &token).await;
    for frame in [
        json!({ "type": "subscribe", "sessions": ["../etc"] }),
        json!({ "type": "subscribe", "after": "soon" }),
        json!({ "type": "subscribe", "session": "one" }),
        json!({ "type": "dance" }),
        json!([]),
        json!({ "type": "auth", "token": token }),
    ] {
        socket.say(frame.clone()).await;
        let answer = socket.next().await;
        assert_eq!(
            (&answer["type"], &answer["code"]),
            (&json!("error"), &json!("frame_invalid")),
            "{frame}"
        );
    }
    let mut binary = Socket::open_with_token(&host, &token).await;
    binary.0.send(Message::binary(vec![0; 8])).await.unwrap();
    assert_eq!(binary.closed().await.0, 1003);
    let mut large = Socket::open_with_token(&host, &token).await;
    large.0.send(Message::text("x".repeat(65 * 1024))).await.unwrap();
    assert_eq!(large.closed().await.0, 1009);
    let mut chatty = Socket::open_with_token(&host, &token).await;
    for _ in 0..101 {
        chatty.say(json!({ "type": "pong" })).await;
    }
    assert_eq!(chatty.closed().await.0, 4009);
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut_off_with_a_place_to_resume_from() {
    let host = TestApi::tuned(|_, sessions| sessions.pairing.max_qr_rounds = u32::MAX).await;
    let token = host.token(json!({}));
    // So that the kernel keeps little for a reader that does not read.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(32 * 1024).unwrap();
    let stream = MaybeTlsStream::Plain(socket.connect(host.address).await.unwrap());
    let request = request(&host, &[("authorization", &format!("Bearer {token}"))]);
    let (stream, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    let mut slow = Socket(stream);
    let begun = slow.subscribe(json!({ "sessions": "*" })).await.parse::<u64>().unwrap();
    let mut quick = Socket::open_with_token(&host, &token).await;
    quick.subscribe(json!({ "sessions": "*", "types": ["qr-code"] })).await;

    let name = host.init("one").await;
    for round in 0..450 {
        host.engine.show_qr(&name, &format!("2@{round}{}", "x".repeat(2000)), round == 0).await;
        quick.until_event("qr-code").await;
    }
    let mut last = begun;
    let (code, reason) = loop {
        match slow.0.next().await {
            Some(Ok(Message::Text(text))) => {
                let frame: Value = serde_json::from_str(&text).unwrap();
                if let Some(id) = frame["event"]["id"].as_str() {
                    last = id.parse().unwrap();
                }
            }
            Some(Ok(Message::Close(Some(close)))) => {
                break (u16::from(close.code), close.reason.as_str().to_owned());
            }
            Some(Ok(_)) => {}
            other => panic!("not closed with a reason but {other:?}"),
        }
    };
    assert_eq!((code, reason), (4008, last.to_string()), "the place is the last event that came");
    let mut again = Socket::open_with_token(&host, &token).await;
    again.subscribe(json!({ "sessions": "*", "after": last.to_string() })).await;
    let code = again.until_event("qr-code").await;
    assert_eq!(code["data"]["sequence"], 450, "codes of the past are void: {code:.80}");
}

#[tokio::test]
async fn sockets_are_closed_for_a_restart_when_the_host_stops() {
    let mut host = TestApi::start().await;
    let mut socket = Socket::open_with_token(&host, &host.token(json!({}))).await;
    socket.subscribe(json!({ "sessions": "*" })).await;
    let (closed, ()) = tokio::join!(socket.closed(), host.stop());
    assert_eq!(closed.0, 1012);
}
