//! Handlers in slots of their own: the way in, what they must be granted, what they
//! write.

use pairing_tests::{TestApi, marked, probe_handler, read, until};
use reqwest::{Method, header};
use serde_json::{Value, json};

use super::{activate, assert_problem, changes, digest_of, push, slot, upload};

const MIB: usize = 1024 * 1024;

/// All that the probe imports.
pub(super) fn everything() -> Value {
    json!({
        "log": true, "config": true, "kv": true, "clock": true, "random": true, "secrets": true,
        "session": ["reconnect"], "http": [{ "url": "http://127.0.0.1:9/" }],
    })
}

pub(super) async fn put(host: &TestApi, place: &str, body: Value) -> (reqwest::StatusCode, Value) {
    let path = format!("/plugins/{}", place.replacen('/', "/subscriptions/", 1));
    read(host.request(Method::PUT, &path).json(&body)).await
}

/// A host on which `crm` is a handler that says what it gets.
pub(super) async fn with_handler() -> TestApi {
    let host = TestApi::start().await;
    let digest = push(&host, "crm", &probe_handler()).await;
    activate(&host, "crm", json!({ "digest": digest })).await;
    host
}

async fn lines(host: &TestApi) -> Vec<Value> {
    let (status, body) = host.get("/plugins/crm/logs").await;
    assert_eq!(status, 200, "{body}");
    body["lines"].as_array().unwrap().clone()
}

async fn until_said(host: &TestApi, session: &str) -> Value {
    until(&format!("a line about {session}"), async || {
        lines(host).await.into_iter().find(|line| line["session"] == session)
    })
    .await
}

#[tokio::test]
async fn a_handler_is_pushed_granted_activated_and_gets_events() {
    let host = TestApi::start().await;
    let answer = host.get("/plugins/crm/subscriptions").await;
    assert_problem(answer, 404, "plugin_slot_unknown", "`crm`");
    let digest = push(&host, "crm", &probe_handler()).await;
    let (_, version) = host.get(&format!("/plugins/crm/versions/{digest}")).await;
    let imports = version["imports"].as_array().unwrap();
    assert!(imports.contains(&json!("pairing-console:handler/kv@0.1.0")), "{version}");
    assert_eq!(version["name"], "probe-handler");
    let (_, body) = host.get("/plugins").await;
    assert_eq!(body["slots"].as_array().unwrap().len(), 4, "nothing fills it yet: {body}");

    let (status, made) = put(&host, "crm/default", json!({ "grants": everything() })).await;
    assert_eq!(status, 201, "{made}");
    host.init("before").await;
    activate(&host, "crm", json!({ "digest": digest })).await;
    host.init("after").await;
    // What happened between the grant and the activation waits for it.
    for session in ["before", "after"] {
        let line = until_said(&host, session).await;
        assert_eq!((&line["level"], &line["subscription"]), (&json!("info"), &json!("default")));
        let event = line["event"].as_str().unwrap();
        assert_eq!(line["message"], format!("event {event} {session}"));
    }
    let crm = until("the handler has caught up", async || {
        let crm = slot(&host, "crm").await;
        (crm["subscriptions"][0]["lag"] == 0).then_some(crm)
    })
    .await;
    assert_eq!((&crm["digest"], &crm["source"]), (&json!(digest), &json!("upload")));
    let expected = json!({
        "name": "default", "disabled": null, "lag": 0, "lagging": 0, "deadLetters": 0,
    });
    assert_eq!(crm["subscriptions"], json!([expected]));
    assert!(crm["health"]["calls"].as_u64().unwrap() >= 2, "{crm}");
}

#[tokio::test]
async fn a_version_that_imports_more_than_was_granted_is_not_activated_and_each_is_named() {
    let host = TestApi::start().await;
    let digest = push(&host, "crm", &probe_handler()).await;
    let (status, _) = put(&host, "crm/billing", json!({ "grants": { "log": true } })).await;
    assert_eq!(status, 201);
    let answer = host.post("/plugins/crm/activate", json!({ "digest": digest })).await;
    assert_eq!(answer.1["gate"], "grants", "{}", answer.1);
    for says in [
        "subscription `billing`",
        "pairing-console:handler/kv@0.1.0",
        "--kv",
        "--config-access",
        "--clock",
        "--random",
        "--sign",
        "--session",
        "--http",
        "`pairing-host plugin grant crm --as billing",
    ] {
        assert_problem(answer.clone(), 422, "plugin_refused", says);
    }
    let message = answer.1["message"].as_str().unwrap();
    assert!(!message.contains("handler/log@"), "it has that one: {message}");
    assert_eq!(changes(&host, "crm").await[0]["refusal"], answer.1["message"]);
    // On trial, it would have to be linked for some sessions.
    put(&host, "crm/billing", json!({ "grants": everything() })).await;
    activate(&host, "crm", json!({ "digest": digest })).await;
    let other = push(&host, "crm", &marked(&probe_handler(), 1)).await;
    activate(&host, "crm", json!({ "digest": other, "canary": 10 })).await;

    // What is active can't be taken what it needs, nor be given to somebody without.
    let before = host.get("/plugins/crm/subscriptions/billing").await.1;
    for place in ["crm/billing", "crm/new"] {
        let mut less = everything();
        less.as_object_mut().unwrap().remove("kv");
        let answer = put(&host, place, json!({ "grants": less })).await;
        assert_problem(answer.clone(), 422, "plugin_refused", "handler/kv@0.1.0");
        assert_eq!(answer.1["gate"], "grants");
    }
    assert_eq!(host.get("/plugins/crm/subscriptions/billing").await.1, before);
    let (status, _) = host.get("/plugins/crm/subscriptions/new").await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn handlers_may_be_larger_than_the_hosts_own_plugins() {
    let host = TestApi::start().await;
    let answer = read(upload(&host, "crm", vec![0; 12 * MIB])).await;
    assert_problem(answer, 422, "plugin_refused", "not WebAssembly");
    let answer = read(upload(&host, "crm", vec![0; 33 * MIB])).await;
    assert_problem(answer, 413, "body_too_large", "33554432");
    let (status, _) = host.get("/plugins/crm/versions").await;
    assert_eq!(status, 404, "what no gate let pass makes no handler");
}

#[tokio::test]
async fn a_handler_goes_back_and_has_no_past_to_replay() {
    let host = with_handler().await;
    let first = digest_of(&probe_handler());
    let second = push(&host, "crm", &marked(&probe_handler(), 1)).await;
    activate(&host, "crm", json!({ "digest": second })).await;
    let (status, report) = host.post("/plugins/crm/replay", json!({ "digest": first })).await;
    assert_eq!((status.as_u16(), &report["histories"]), (200, &json!(0)), "{report}");
    let (status, back) = host.post("/plugins/crm/rollback", json!({})).await;
    assert_eq!((status.as_u16(), &back["active"]), (200, &json!(first)), "{back}");
}

#[tokio::test]
async fn what_a_handler_writes_is_streamed_and_taken_up_where_it_was_left() {
    let host = with_handler().await;
    put(&host, "crm/default", json!({ "grants": everything() })).await;
    let follow = |last: Option<&str>| {
        let request = host.request(Method::GET, "/plugins/crm/logs");
        let request = request.header(header::ACCEPT, "text/event-stream");
        match last {
            Some(last) => request.header("last-event-id", last),
            None => request,
        }
    };
    let mut live = follow(None).send().await.unwrap();
    assert_eq!(live.headers()["content-type"], "text/event-stream");
    host.init("one").await;
    let first = message(&mut live).await;
    assert_eq!(first["session"], "one");
    drop(live);
    let known = lines(&host).await;
    host.init("two").await;
    until_said(&host, "two").await;
    let last = known.last().unwrap()["number"].to_string();
    let mut again = follow(Some(&last)).send().await.unwrap();
    let next = message(&mut again).await;
    assert_eq!(next["number"], known.last().unwrap()["number"].as_u64().unwrap() + 1);
    let (_, page) = host.get("/plugins/crm/logs?after=1&limit=1").await;
    assert_eq!(page["lines"].as_array().unwrap().len(), 1);
    assert_eq!(page["lines"][0]["number"], 2);
    let answer = host.get("/plugins/workflow/logs").await;
    assert_problem(answer, 409, "plugin_conflict", "only handlers");
}

/// The next line of a stream.
async fn message(stream: &mut reqwest::Response) -> Value {
    let mut read = String::new();
    loop {
        let piece = stream.chunk().await.unwrap().expect("the stream goes on");
        read.push_str(std::str::from_utf8(&piece).unwrap());
        let data = read.split("\n\n").next().unwrap().lines();
        let data = data.filter_map(|line| line.strip_prefix("data: ")).next();
        if let Some(data) = data.filter(|_| read.contains("\n\n")) {
            return serde_json::from_str(data).unwrap();
        }
    }
}
