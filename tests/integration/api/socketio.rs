//! Socket.IO with the unmodified `socket.io-client` of npm, run by Node.

use std::process::Stdio;

use pairing_core::{session::Account, workflow::EngineReport};
use pairing_tests::{DEADLINE, TestApi};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// A Node process that plays FinBot's front end. It ends with this.
pub(crate) struct NodeClient {
    _process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl NodeClient {
    pub(crate) async fn start(host: &TestApi, transports: &str, token: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/socketio-client/client.mjs");
        let mut process = Command::new("node")
            .args([script, &host.url(), transports])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Node and socket.io-client are installed by `make setup`");
        let mut input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        input.write_all(format!("{token}\n").as_bytes()).await.unwrap();
        Self { _process: process, input, output }
    }

    pub(crate) async fn emit(&mut self, event: &str, argument: Value) -> Value {
        let line = format!("{}\n", json!([event, argument]));
        self.input.write_all(line.as_bytes()).await.unwrap();
        self.until("ack").await["answer"].clone()
    }

    /// The next thing that happens and has this name.
    pub(crate) async fn until(&mut self, what: &str) -> Value {
        self.until_one_of(&[what]).await
    }

    async fn until_one_of(&mut self, wanted: &[&str]) -> Value {
        let line = async {
            loop {
                let line = self.output.next_line().await.unwrap();
                let line: Value = serde_json::from_str(&line.expect("Node goes on")).unwrap();
                if wanted.iter().any(|what| !line[what].is_null()) {
                    return line;
                }
            }
        };
        tokio::time::timeout(DEADLINE, line)
            .await
            .unwrap_or_else(|_| panic!("none of {wanted:?} in time"))
    }

    /// The argument of the next event of this name.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        loop {
            let line = self.until("event").await;
            if line["event"] == name {
                assert_eq!(line["args"].as_array().unwrap().len(), 1, "{line}");
                return line["args"][0].clone();
            }
        }
    }
}

/// The whole life of a link, as FinBot sees it.
async fn sees_a_link_from_start_to_end(transports: &str, upgrades: bool) {
    let host = TestApi::start().await;
    let mut node = NodeClient::start(&host, transports, &host.token(json!({}))).await;
    let first = transports.split(',').next().unwrap();
    assert_eq!(node.until("opened").await["opened"], first);
    // In either order.
    let first = node.until_one_of(&["connected", "upgraded"]).await;
    if upgrades {
        let second = node.until_one_of(&["connected", "upgraded"]).await;
        assert_ne!(first, second);
        assert!([first, second].contains(&json!({ "upgraded": "websocket" })));
    }
    let name = host.init("finbot").await;
    let update = node.event("status-update").await;
    assert_eq!(
        (&update["sessionName"], &update["status"]),
        (&json!("finbot"), &json!("CONNECTING"))
    );
    for member in ["reason", "detail", "account"] {
        assert!(update.as_object().unwrap().contains_key(member), "{member} in {update}");
    }
    host.engine.show_qr(&name, "2@a-live-secret", true).await;
    let qr = node.event("qr-code").await;
    assert_eq!(qr["sessionName"], "finbot");
    assert!(qr["qrCode"].as_str().unwrap().starts_with("data:image/png;base64,"), "{qr}");
    assert!(qr["expiresAt"].is_string() && qr["sequence"] == 1, "{qr}");
    let account = Account { phone_number: "5511999990001".into(), name: Some("Ana".into()) };
    host.engine.report(&name, EngineReport::Authenticated).await;
    host.engine.report(&name, EngineReport::Ready(account)).await;
    let connected = node.event("session-connected").await;
    let expected = json!({ "sessionName": "finbot", "account": { "phoneNumber": "5511999990001", "name": "Ana" } });
    assert_eq!(connected, expected);
    host.engine.report(&name, EngineReport::LoggedOut { by_us: false }).await;
    let gone = node.event("session-disconnected").await;
    assert_eq!(gone, json!({ "sessionName": "finbot", "reason": "unlinked_from_phone" }));
}

#[tokio::test]
async fn socketio_by_polling_first_sees_a_link_from_start_to_end() {
    sees_a_link_from_start_to_end("polling,websocket", true).await;
}

#[tokio::test]
async fn socketio_by_websocket_alone_sees_a_link_from_start_to_end() {
    sees_a_link_from_start_to_end("websocket", false).await;
}

#[tokio::test]
async fn socketio_by_polling_alone_sees_a_link_from_start_to_end() {
    sees_a_link_from_start_to_end("polling", false).await;
}

#[tokio::test]
async fn socketio_clients_without_a_good_token_are_refused_and_told() {
    let host = TestApi::start().await;
    for token in
        ["", "wrong", &host.token(json!({ "role": "USER" })), &host.token(json!({ "exp": 1 }))]
    {
        for transports in ["polling,websocket", "websocket"] {
            let mut node = NodeClient::start(&host, transports, token).await;
            assert_eq!(node.until("refused").await["refused"], "unauthorized");
        }
    }
}

#[tokio::test]
async fn socketio_subscribe_narrows_to_sessions_and_unsubscribe_takes_it_back() {
    let host = TestApi::start().await;
    let mut node = NodeClient::start(&host, "websocket", &host.token(json!({}))).await;
    node.until("connected").await;
    let done = json!({ "success": true });
    assert_eq!(node.emit("subscribe", json!({ "sessionName": "two" })).await, done);
    host.init_with_qr("one", "2@one").await;
    host.init_with_qr("two", "2@two").await;
    assert_eq!(node.event("qr-code").await["sessionName"], "two");
    assert_eq!(node.emit("unsubscribe", json!({ "sessionName": "two" })).await, done);
    host.init_with_qr("three", "2@three").await;
    assert_eq!(node.event("qr-code").await["sessionName"], "three");
    for wrong in [json!({}), json!("two"), json!({ "sessionName": "../two" }), json!(null)] {
        let answer = node.emit("subscribe", wrong.clone()).await;
        assert_eq!(answer["success"], false, "{wrong}");
        assert!(answer["message"].as_str().unwrap().contains("sessionName"), "{answer}");
    }
}

#[tokio::test]
async fn socketio_clients_that_come_late_get_the_code_that_is_shown() {
    let host = TestApi::start().await;
    host.init_with_qr("early", "2@early").await;
    let mut node = NodeClient::start(&host, "websocket", &host.token(json!({}))).await;
    let qr = node.event("qr-code").await;
    assert_eq!((&qr["sessionName"], &qr["sequence"]), (&json!("early"), &json!(1)));
    assert!(qr["qrCode"].is_string(), "{qr}");
}

#[tokio::test]
async fn socketio_clients_try_again_when_the_host_stops() {
    let mut host = TestApi::start().await;
    let mut node = NodeClient::start(&host, "polling,websocket", &host.token(json!({}))).await;
    node.until("upgraded").await;
    host.stop().await;
    // `io server disconnect` would be for good.
    assert_eq!(node.until("disconnected").await["disconnected"], "transport close");
}
