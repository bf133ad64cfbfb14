//! A host with webhooks, and the receivers in Node.

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
};

use pairing_tests::{TestHost, until};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
};

/// The key that signs unless a test says otherwise.
pub(crate) const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A host that links nothing: its journal is written by the test.
pub(crate) async fn host() -> TestHost {
    let host = TestHost::on("http://127.0.0.1:9/").set("PAIRING_MODE", "development");
    host.set("PAIRING_RATE_LIMITS", "off").start().await
}

/// Receivers in a Node process, which ends with this.
pub(crate) struct Receivers {
    _process: Child,
    input: ChildStdin,
    port: u64,
    lines: Arc<Mutex<Vec<Value>>>,
}

impl Receivers {
    pub(crate) async fn start() -> Self {
        Self::start_at(0).await
    }

    /// On this port, or any if it is 0.
    pub(crate) async fn start_at(port: u16) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/handlers/receiver.mjs");
        let mut process = Command::new("node")
            .args([script, &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Node and standardwebhooks are installed by `make setup`");
        let input = process.stdin.take().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = output.next_line().await.unwrap().expect("the receivers start");
        let first: Value = serde_json::from_str(&first).unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = lines.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = output.next_line().await {
                kept.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Self { _process: process, input, port: first["port"].as_u64().unwrap(), lines }
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}/{name}", self.port)
    }

    /// Sets a receiver up; see `receiver.mjs`.
    pub(crate) async fn set(&mut self, name: &str, keys: &[&str], answers: Value) {
        let before = self.seen(|line| line["ready"] == name).len();
        let line = json!({ "name": name, "keys": keys, "answers": answers });
        self.input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        until("the receiver is set up", async || {
            (self.seen(|line| line["ready"] == name).len() > before).then_some(())
        })
        .await;
    }

    /// Requests that a receiver got whole, in order.
    pub(crate) fn requests(&self, name: &str) -> Vec<Request> {
        let requests = self.seen(|line| line["name"] == name && line["cut"].is_null());
        requests.into_iter().map(Request).collect()
    }

    /// Requests that a receiver cut off.
    pub(crate) fn cut(&self, name: &str) -> usize {
        self.seen(|line| line["name"] == name && line["cut"] == true).len()
    }

    /// Requests to where nobody was told to send any.
    pub(crate) fn stray(&self) -> Vec<Value> {
        self.seen(|line| !line["stray"].is_null())
    }

    /// Waits until so many requests of a receiver were answered with a success.
    pub(crate) async fn until_accepted(&self, name: &str, count: usize) -> Vec<Request> {
        until(&format!("{name} accepts {count} events"), async || {
            let requests = self.requests(name);
            let accepted = requests.iter().filter(|request| request.is_accepted()).count();
            (accepted >= count).then_some(requests)
        })
        .await
    }

    fn seen(&self, is_it: impl Fn(&Value) -> bool) -> Vec<Value> {
        self.lines.lock().unwrap().iter().filter(|line| is_it(line)).cloned().collect()
    }
}

/// A request as the receiver saw it.
#[derive(Debug, Clone)]
pub(crate) struct Request(pub(crate) Value);

impl Request {
    /// Answered with 2xx.
    pub(crate) fn is_accepted(&self) -> bool {
        let answer = &self.0["answer"];
        let status = answer.as_u64().or_else(|| answer[0].as_u64());
        status.is_some_and(|status| (200..300).contains(&status))
            || ["slow", "endless", "success-with-reset"].iter().any(|word| answer == *word)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.0["headers"][name].as_str().unwrap_or_default()
    }

    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub(crate) fn body(&self) -> Value {
        serde_json::from_str(self.0["body"].as_str().unwrap()).unwrap()
    }

    /// The number of a tick.
    pub(crate) fn number(&self) -> u64 {
        self.body()["data"]["number"].as_str().unwrap().parse().unwrap()
    }

    /// When it came, in milliseconds.
    pub(crate) fn at(&self) -> u64 {
        self.0["at"].as_u64().unwrap()
    }

    /// The keys that signed it.
    pub(crate) fn signed_by(&self) -> Vec<&str> {
        self.0["signedBy"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect()
    }

    /// It is as the specification has it, signed with [`KEY`] alone.
    pub(crate) fn assert_good(&self) {
        assert_eq!(self.0["method"], "POST");
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.signed_by(), [KEY], "{self:?}");
    }
}

/// Subscribes an endpoint to all that happens from now on; `changes` replaces
/// members of what is sent.
pub(crate) async fn subscribe(host: &TestHost, name: &str, url: &str, changes: Value) {
    let mut body = json!({
        "grants": grants(url),
        "config": { "url": url },
        "retrySeconds": vec![1; 20],
        "timeoutMs": 3000,
        "secrets": { "signing": KEY },
        "from": "now",
    });
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    put(host, name, body).await;
}

pub(crate) fn grants(url: &str) -> Value {
    json!({
        "config": true, "clock": true, "secrets": true, "log": true,
        "http": [{ "url": url, "methods": ["POST"] }],
    })
}

/// Sets a subscription of the webhook up, as it is given.
pub(crate) async fn put(host: &TestHost, name: &str, body: Value) {
    let request = host.request(Method::PUT, &path(name)).json(&body);
    let response = request.send().await.unwrap();
    let status = response.status();
    let answer = response.text().await.unwrap();
    assert!(status.is_success(), "PUT {}: {status} {answer}", path(name));
}

pub(crate) async fn subscription(host: &TestHost, name: &str) -> Value {
    host.get(&path(name)).await
}

fn path(name: &str) -> String {
    format!("/plugins/webhook/subscriptions/{name}")
}

/// Dead letters of a subscription.
pub(crate) async fn dead_letters(host: &TestHost, name: &str) -> Vec<Value> {
    let page = host.get(&format!("{}/dead-letters", path(name))).await;
    page["deadLetters"].as_array().cloned().unwrap_or_default()
}
