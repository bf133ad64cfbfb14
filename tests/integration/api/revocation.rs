//! F5: what ended must be felt everywhere within five seconds.

use std::time::Duration;

use pairing_tests::{PASSWORD, SignIn, TestApi, read};
use reqwest::Method;
use serde_json::json;

use super::{socket::Socket, socketio::NodeClient};

const FIVE_SECONDS: Duration = Duration::from_secs(5);

/// Twenty sockets of each kind that are open, and were admitted by this sign-in.
async fn open(host: &TestApi, sign_in: &SignIn) -> (Vec<Socket>, NodeClient) {
    let mut sockets = Vec::new();
    for _ in 0..20 {
        let mut socket = Socket::open_with_ticket(host, &sign_in.access_token).await;
        socket.subscribe(json!({ "sessions": "*" })).await;
        sockets.push(socket);
    }
    let mut node = NodeClient::start(host, "websocket", &sign_in.access_token).await;
    node.until("connected").await;
    (sockets, node)
}

async fn assert_closed(host: &TestApi, sign_in: &SignIn, sockets: (Vec<Socket>, NodeClient)) {
    host.pass(FIVE_SECONDS).await;
    let (sockets, mut node) = sockets;
    for mut socket in sockets {
        assert_eq!(socket.closed().await.0, 4003);
    }
    let told = node.until("event").await;
    assert_eq!(told["event"], "connection-closed");
    assert_eq!(node.until("disconnected").await["disconnected"], "io server disconnect");
    let me = host.anonymous(Method::GET, "/auth/me").bearer_auth(&sign_in.access_token);
    assert_eq!(read(me).await.0, 401);
    assert_eq!(read(host.refresh(&sign_in.cookie)).await.0, 401);
}

#[tokio::test]
async fn a_sign_out_closes_the_sockets_of_that_sign_in_and_of_no_other() {
    let host = TestApi::start().await;
    let sign_in = host.set_up().await;
    let body = json!({ "username": "ana", "password": PASSWORD });
    let request = host.anonymous(Method::POST, "/auth/login").json(&body);
    let other = SignIn::from(request.send().await.unwrap()).await;
    let mut other_socket = Socket::open_with_ticket(&host, &other.access_token).await;
    let sockets = open(&host, &sign_in).await;
    let logout = host
        .anonymous(Method::POST, "/auth/logout")
        .header("cookie", &sign_in.cookie)
        .header("sec-fetch-site", "same-origin");
    assert_eq!(logout.send().await.unwrap().status(), 204);
    assert_closed(&host, &sign_in, sockets).await;
    other_socket.subscribe(json!({ "sessions": "*" })).await;
}

#[tokio::test]
async fn a_changed_password_closes_all_sockets_of_that_admin() {
    let host = TestApi::start().await;
    let sign_in = host.set_up().await;
    let sockets = open(&host, &sign_in).await;
    let ana = host.store.admin("ana").await.unwrap().unwrap();
    // As `pairing-host admin password` does, in another process.
    host.store
        .set_password(ana.id, "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAA")
        .await
        .unwrap();
    assert_closed(&host, &sign_in, sockets).await;
}

#[tokio::test]
async fn a_removed_admin_loses_all_sockets() {
    let host = TestApi::start().await;
    let sign_in = host.set_up().await;
    let sockets = open(&host, &sign_in).await;
    let ana = host.store.admin("ana").await.unwrap().unwrap();
    host.store.remove_admin(ana.id).await.unwrap();
    assert_closed(&host, &sign_in, sockets).await;
}

#[tokio::test]
async fn a_socket_ends_with_its_token_and_that_of_a_sign_in_with_the_sign_in() {
    let host = TestApi::start().await;
    let sign_in = host.set_up().await;
    let now = pairing_core::clock::Clock::now(&*host.clock).0 / 1000;
    let short = host.token(json!({ "exp": now + 60 }));
    let mut by_token = Socket::open_with_token(&host, &short).await;
    let mut by_ticket = Socket::open_with_ticket(&host, &sign_in.access_token).await;
    let mut node = NodeClient::start(&host, "polling,websocket", &short).await;
    node.until("connected").await;

    host.clock.advance(Duration::from_secs(60));
    assert_eq!(by_token.closed().await.0, 4003);
    assert_eq!(node.until("event").await["args"][0]["code"], "unauthorized");
    assert_eq!(node.until("disconnected").await["disconnected"], "io server disconnect");

    // The page renews its token by itself; its socket needs no new one.
    host.clock.advance(Duration::from_secs(10 * 60));
    by_ticket.subscribe(json!({ "sessions": "*" })).await;
    host.clock.advance(Duration::from_secs(12 * 60 * 60));
    assert_eq!(by_ticket.closed().await.0, 4003);
}

#[tokio::test]
async fn an_event_stream_ends_with_its_token() {
    let host = TestApi::start().await;
    let now = pairing_core::clock::Clock::now(&*host.clock).0 / 1000;
    let token = host.token(json!({ "exp": now + 60 }));
    let request = host
        .anonymous(Method::GET, "/whatsapp/events")
        .bearer_auth(token)
        .header("accept", "text/event-stream");
    let mut response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    host.clock.advance(Duration::from_secs(60));
    while response.chunk().await.unwrap().is_some() {}
}
