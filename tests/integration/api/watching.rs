//! Codes are made for somebody who looks at that session by its name, and for
//! nobody else.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use pairing_core::session::{Reason, Status};
use pairing_sessions::SessionSnapshot;
use pairing_tests::{TestApi, until};
use serde_json::json;

use super::{socket::Socket, socketio::NodeClient};

/// A look counts for so long.
const WINDOW: Duration = Duration::from_secs(60);

/// Asks inside the host: over the API that would be a look.
fn now(host: &TestApi, session: &str) -> Arc<SessionSnapshot> {
    host.sessions.session(&session.parse().unwrap()).unwrap()
}

/// Makes every page show another code, once nobody's last look counts any more;
/// tells which sessions took it.
async fn who_takes_codes(
    host: &TestApi,
    sessions: &[&'static str],
) -> BTreeMap<&'static str, bool> {
    let mut takes = BTreeMap::new();
    for session in sessions {
        let before = now(host, session);
        if before.view.reason == Some(Reason::Parked) {
            takes.insert(*session, false);
            continue;
        }
        let before = before.sequence();
        host.engine.show_qr(&session.parse().unwrap(), "2@next", false).await;
        let taken = until(&format!("{session} takes its code or parks"), async || {
            let session = now(host, session);
            match (session.view.status, session.view.reason) {
                (Status::QrReady, _) if session.sequence() > before => Some(true),
                (_, Some(Reason::Parked)) => Some(false),
                _ => None,
            }
        })
        .await;
        takes.insert(*session, taken);
    }
    takes
}

#[tokio::test]
async fn who_names_a_session_watches_it_and_who_gets_everything_does_not() {
    let host = TestApi::start().await;
    let sessions = ["named", "open", "socketio", "polled", "nobody"];
    for session in sessions {
        host.init_with_qr(session, "2@first").await;
    }
    let token = host.token(json!({}));
    let mut named = Socket::open_with_token(&host, &token).await;
    named.say(json!({ "type": "subscribe", "sessions": ["named"] })).await;
    while named.next().await["type"] != "subscribed" {}
    // As the console: it gets everything, and says which session is open.
    let mut console = Socket::open_with_ticket(&host, &token).await;
    console.say(json!({ "type": "subscribe", "sessions": "*" })).await;
    console.say(json!({ "type": "watch", "sessions": ["open"] })).await;
    console.say(json!({ "type": "ping" })).await;
    while console.next().await["type"] != "pong" {}
    let mut everything = NodeClient::start(&host, "websocket", &token).await;
    everything.until("connected").await;
    let mut socketio = NodeClient::start(&host, "websocket", &token).await;
    socketio.until("connected").await;
    let answer = socketio.emit("subscribe", json!({ "sessionName": "socketio" })).await;
    assert_eq!(answer["success"], true);

    host.clock.advance(WINDOW / 2);
    host.get("/whatsapp/status/polled").await;
    host.clock.advance(WINDOW / 2 + Duration::from_secs(1));
    let takes = who_takes_codes(&host, &sessions).await;
    let expected =
        [("named", true), ("open", true), ("socketio", true), ("polled", true), ("nobody", false)];
    assert_eq!(takes, expected.into());

    // Each goes its own way, and a window later nobody is left.
    drop(named);
    console.say(json!({ "type": "watch", "sessions": [] })).await;
    console.say(json!({ "type": "ping" })).await;
    while console.next().await["type"] != "pong" {}
    socketio.emit("unsubscribe", json!({ "sessionName": "socketio" })).await;
    let left = ["named", "open", "socketio", "polled"];
    until("all have gone", async || {
        host.clock.advance(WINDOW + Duration::from_secs(1));
        let takes = who_takes_codes(&host, &left).await;
        takes.values().all(|taken| !taken).then_some(())
    })
    .await;
}
