//! The registry of plugins over REST: what is there, the way in, the swap, the way
//! back.

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use pairing_core::{clock::Clock, plugin::Slot, plugin_store::Parked};
use pairing_plugin_registry::{RegistryConfig, TrustedKeys};
use pairing_tests::{REWORDED, STARTING, TestApi, marked, read, released, reworded_workflow};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const SLOTS: [&str; 3] = ["workflow", "qr-renderer", "fan-out"];
const MIB: usize = 1024 * 1024;

fn digest_of(component: &[u8]) -> String {
    digest(&SHA256, component).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends it; without a signature, which the test's host allows.
fn upload(host: &TestApi, slot: &str, component: impl Into<reqwest::Body>) -> RequestBuilder {
    upload_to(host, &format!("/plugins/{slot}/versions"), component)
}

/// Sends it, and accepts what has this digest.
fn upload_accepted(host: &TestApi, slot: &str, component: &[u8], digest: &str) -> RequestBuilder {
    let path = format!("/plugins/{slot}/versions?acceptUnsigned={digest}");
    upload_to(host, &path, component.to_vec())
}

fn upload_to(host: &TestApi, path: &str, component: impl Into<reqwest::Body>) -> RequestBuilder {
    let request = host.request(Method::POST, path).body(component);
    request.header("content-type", "application/wasm")
}

/// Sends it in; gives its digest.
async fn push(host: &TestApi, slot: &str, component: &[u8]) -> String {
    let (status, body) = read(upload(host, slot, component.to_vec())).await;
    assert!(status.is_success(), "{status} {body}");
    let digest = digest_of(component);
    assert_eq!(body["digest"], *digest);
    digest
}

async fn activate(host: &TestApi, slot: &str, body: Value) -> Value {
    let (status, body) = host.post(&format!("/plugins/{slot}/activate"), body).await;
    assert_eq!(status, 200, "{body}");
    body
}

async fn slot(host: &TestApi, name: &str) -> Value {
    let (_, body) = host.get("/plugins").await;
    let slots = body["slots"].as_array().unwrap();
    slots.iter().find(|slot| slot["slot"] == name).unwrap().clone()
}

async fn changes(host: &TestApi, slot: &str) -> Vec<Value> {
    let (status, body) = host.get(&format!("/plugins/{slot}/history")).await;
    assert_eq!(status, 200, "{body}");
    body["changes"].as_array().unwrap().clone()
}

fn keys(body: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn assert_problem((status, body): (StatusCode, Value), expected: u16, code: &str, says: &str) {
    assert_eq!((status.as_u16(), &body["code"]), (expected, &json!(code)), "{body}");
    let message = body["message"].as_str().unwrap();
    assert!(message.contains(says), "{message:?} does not say {says:?}");
}

#[tokio::test]
async fn the_slots_tell_what_fills_them_and_how_it_does() {
    let host = TestApi::start().await;
    host.init_with_qr("one", "2@secret").await;
    let (status, body) = host.get("/plugins").await;
    assert_eq!(status, 200);
    let slots = body["slots"].as_array().unwrap();
    assert_eq!(slots.iter().map(|slot| &slot["slot"]).collect::<Vec<_>>(), SLOTS);
    for slot in slots {
        assert_eq!(
            keys(slot),
            [
                "canary",
                "digest",
                "generation",
                "health",
                "name",
                "pinnedSessions",
                "slot",
                "source",
                "version"
            ]
        );
        assert_eq!(slot["digest"].as_str().unwrap().len(), 64);
        assert_eq!((&slot["source"], &slot["canary"]), (&json!("embedded"), &Value::Null));
        assert_eq!(
            keys(&slot["health"]),
            ["breaker", "calls", "errors", "errorsByKind", "lastError", "p99Ms"]
        );
        assert_eq!(slot["health"]["breaker"], "closed");
        assert_eq!(
            (&slot["health"]["errors"], &slot["health"]["lastError"]),
            (&json!(0), &Value::Null)
        );
    }
    let workflow = &slots[0]["health"];
    assert!(workflow["calls"].as_u64().unwrap() >= 3, "{workflow}");
    assert!(workflow["p99Ms"].as_f64().unwrap() > 0.0, "{workflow}");
}

#[tokio::test]
async fn a_component_comes_in_is_judged_and_can_be_read_by_the_first_digits() {
    let host = TestApi::start().await;
    let component = marked(&released("workflow"), 1);
    let digest = digest_of(&component);
    let request = || upload(&host, "workflow", component.clone());
    let response = request().send().await.unwrap();
    assert_eq!(response.status(), 201);
    let place = response.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(place, format!("/plugins/workflow/versions/{digest}"));
    let pushed: Value = response.json().await.unwrap();
    let (status, again) = read(request()).await;
    assert_eq!((status.as_u16(), &again["digest"]), (200, &json!(digest)), "it was in already");

    let (status, version) = host.get(&place).await;
    assert_eq!(status, 200);
    assert_eq!(version["size"], component.len());
    assert_eq!(
        (&version["name"], &version["version"]),
        (&json!("pairing-workflow"), &json!("0.1.0"))
    );
    assert_eq!((&version["source"], &version["createdBy"]), (&json!("upload"), &json!("42")));
    assert_eq!((&version["isActive"], &version["isCanary"]), (&json!(false), &json!(false)));
    assert_eq!(version["signedBy"], Value::Null);
    assert_eq!((&version["imports"], &version["readsSchemas"]), (&json!([]), &json!([1])));
    assert_eq!(version["writesSchema"], 1);
    assert!(version["interface"].as_str().unwrap().contains("workflow"), "{version}");
    assert!(version["initialMemory"].as_u64().unwrap() >= 65536, "{version}");
    assert!(version["createdAt"].as_str().unwrap().ends_with('Z'), "{version}");
    let verdicts = pushed["verdicts"].as_array().unwrap();
    assert!(verdicts.iter().all(|verdict| verdict["passed"] == true), "{pushed}");
    for gate in ["signature", "world", "probe"] {
        assert!(verdicts.iter().any(|verdict| verdict["gate"] == gate), "{gate}: {pushed}");
    }
    let (_, by_digits) = host.get(&format!("/plugins/workflow/versions/{}", &digest[..6])).await;
    assert_eq!(by_digits["digest"], *digest);
    let (_, by_digits) =
        host.get(&format!("/plugins/workflow/versions/{}", digest[..9].to_uppercase())).await;
    assert_eq!(by_digits["digest"], *digest, "however it is written");

    let (_, list) = host.get("/plugins/workflow/versions").await;
    let versions = list["versions"].as_array().unwrap();
    assert_eq!(versions[0]["digest"], *digest, "newest first");
    assert_eq!(versions.iter().filter(|version| version["isActive"] == true).count(), 1);
    assert!(versions[0].get("verdicts").is_none());
    assert_eq!(slot(&host, "workflow").await["source"], "embedded", "nothing was activated");
}

#[tokio::test]
async fn slots_and_versions_that_are_not_there_are_named() {
    let host = TestApi::start().await;
    for path in ["versions", "versions/abcdef", "history", "parked"] {
        let answer = host.get(&format!("/plugins/webhook/{path}")).await;
        assert_problem(answer, 404, "plugin_slot_unknown", "`webhook`");
    }
    for path in ["versions", "activate", "rollback", "replay"] {
        let answer = host.post(&format!("/plugins/renderer/{path}"), json!({})).await;
        assert_problem(answer, 404, "plugin_slot_unknown", "`workflow`, `qr-renderer`, `fan-out`");
    }
    let missing = "0123456789ab";
    let answer = host.get(&format!("/plugins/fan-out/versions/{missing}")).await;
    assert_problem(answer, 404, "plugin_version_unknown", missing);
    for (path, member) in [("activate", "digest"), ("replay", "digest"), ("rollback", "to")] {
        let answer =
            host.post(&format!("/plugins/fan-out/{path}"), json!({ member: missing })).await;
        let found = (answer.0.as_u16(), answer.1["code"].as_str().unwrap_or_default());
        assert!(
            [(404, "plugin_version_unknown"), (409, "plugin_conflict")].contains(&found),
            "{path}: {}",
            answer.1
        );
        for wrong in ["", "abcde", "not-hexadecimal", &"a".repeat(65)] {
            let body = json!({ member: wrong });
            let answer = host.post(&format!("/plugins/fan-out/{path}"), body).await;
            assert_problem(answer, 400, "plugin_digest_invalid", "64 hexadecimal digits");
        }
    }
    let answer = host.get("/plugins/fan-out/versions/abc").await;
    assert_problem(answer, 400, "plugin_digest_invalid", "64 hexadecimal digits");
}

#[tokio::test]
async fn what_no_gate_lets_pass_is_told_and_written_down() {
    let host = TestApi::start().await;
    let garbage = b"this is no component".to_vec();
    let request = upload(&host, "workflow", garbage.clone());
    let (status, body) = read(request).await;
    assert_eq!((status.as_u16(), &body["code"]), (422, &json!("plugin_refused")), "{body}");
    assert!(body["gate"].is_string(), "{body}");
    let message = body["message"].as_str().unwrap();
    assert!(message.contains(body["gate"].as_str().unwrap()), "{body}");
    let newest = &changes(&host, "workflow").await[0];
    assert_eq!((&newest["action"], &newest["who"]), (&json!("push"), &json!("42")));
    assert_eq!(newest["refusal"].as_str().unwrap(), message);

    let renderer = released("qr-renderer");
    let request = upload(&host, "workflow", renderer.clone());
    let (status, body) = read(request).await;
    assert_eq!((status.as_u16(), &body["gate"]), (422, &json!("world")), "{body}");
    assert!(body["message"].as_str().unwrap().contains("pairing-console:workflow"), "{body}");
    let (_, list) = host.get("/plugins/workflow/versions").await;
    assert_eq!(list["versions"].as_array().unwrap().len(), 1, "nothing of it is kept: {list}");
}

#[tokio::test]
async fn in_production_an_acceptance_is_of_one_digest_only_and_audited() {
    let host = TestApi::with_plugins(RegistryConfig::default()).await;
    let component = marked(&released("fan-out"), 7);
    let (digest, other) = (digest_of(&component), digest_of(b"another"));
    let answer = read(upload(&host, "fan-out", component.clone())).await;
    assert_eq!(answer.1["gate"], "signature", "{}", answer.1);
    assert_problem(answer, 422, "plugin_refused", &format!("--accept-unsigned {digest}"));
    let answer = read(upload_accepted(&host, "fan-out", &component, &other)).await;
    assert_problem(answer.clone(), 422, "plugin_refused", &other);
    assert_problem(answer, 422, "plugin_refused", &digest);
    let accepted = upload_accepted(&host, "fan-out", &component, &digest.to_uppercase());
    let (status, version) = read(accepted).await;
    assert_eq!(status, 201, "{version}");
    assert_eq!((&version["signedBy"], &version["acceptedBy"]), (&Value::Null, &json!("42")));
    let actions = changes(&host, "fan-out").await;
    let accepted = actions.iter().find(|change| change["action"] == "accept-unsigned").unwrap();
    assert_eq!((&accepted["to"], &accepted["who"]), (&json!(digest), &json!("42")));
    assert_eq!(actions.iter().filter(|change| change["refusal"].is_string()).count(), 2);
}

#[tokio::test]
async fn in_production_a_signature_of_a_listed_key_lets_in_and_any_other_does_not() {
    let (key, stranger) =
        (Ed25519KeyPair::generate().unwrap(), Ed25519KeyPair::generate().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("release.pem");
    std::fs::write(&file, pem_of(&key)).unwrap();
    let keys = TrustedKeys::read(&[file]).unwrap();
    let host = TestApi::with_plugins(RegistryConfig { keys, ..RegistryConfig::default() }).await;
    let component = marked(&released("fan-out"), 7);
    let signed = |signature: &[u8]| {
        let request = upload(&host, "fan-out", component.clone());
        request.header("plugin-signature", BASE64_STANDARD.encode(signature))
    };
    let of_another = key.sign(&released("fan-out"));
    let of_stranger = stranger.sign(&component);
    for signature in [of_another.as_ref(), of_stranger.as_ref(), &[0; 64], b"short"] {
        let answer = read(signed(signature)).await;
        assert_eq!(answer.1["gate"], "signature", "{}", answer.1);
        assert_problem(answer, 422, "plugin_refused", "`release`");
    }
    let (status, version) = read(signed(key.sign(&component).as_ref())).await;
    assert_eq!(status, 201, "{version}");
    assert_eq!((&version["signedBy"], &version["acceptedBy"]), (&json!("release"), &Value::Null));
}

/// As `openssl pkey -pubout` writes it.
fn pem_of(key: &Ed25519KeyPair) -> String {
    let head = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
    let der = [head, key.public_key().as_ref()].concat();
    let text = BASE64_STANDARD.encode(der);
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
}

#[tokio::test]
async fn only_components_of_ten_mebibytes_and_less_are_taken() {
    let host = TestApi::start().await;
    let wrong_kinds = ["application/json", "application/octet-stream", "text/plain", ""];
    for kind in wrong_kinds {
        let request = host
            .request(Method::POST, "/plugins/workflow/versions")
            .header("content-type", kind)
            .body(released("workflow"));
        assert_problem(read(request).await, 415, "media_type_unsupported", "application/wasm");
    }
    let twelve = vec![0_u8; 12 * MIB];
    let answer = read(upload(&host, "workflow", twelve.clone())).await;
    assert_problem(answer.clone(), 413, "body_too_large", "12582912");
    assert_problem(answer, 413, "body_too_large", "10485760");
    let chunks: Vec<_> = twelve.chunks(256 * 1024).map(<[u8]>::to_vec).collect();
    let stream = futures::stream::iter(chunks.into_iter().map(Ok::<_, std::io::Error>));
    let request = upload(&host, "workflow", reqwest::Body::wrap_stream(stream));
    assert_problem(read(request).await, 413, "body_too_large", "more than 10485760");
    // More than other routes take, and as much as there may be: it reaches the gates.
    let nine = vec![0_u8; 10 * MIB];
    let request = upload(&host, "workflow", nine.clone());
    let (status, body) = read(request).await;
    assert_eq!((status.as_u16(), &body["code"]), (422, &json!("plugin_refused")), "{body}");
    let request = upload(&host, "workflow", vec![0; 8]).header("plugin-signature", "not base64!");
    assert_problem(read(request).await, 400, "header_invalid", "Plugin-Signature");
}

#[tokio::test]
async fn nothing_of_an_upload_is_read_before_it_is_clear_who_sends_it_and_what() {
    let host = TestApi::start().await;
    let (admin, user) = (host.token(json!({})), host.token(json!({ "role": "USER" })));
    for (token, slot, kind, expected) in [
        ("none", "workflow", "application/wasm", "401"),
        (&user, "workflow", "application/wasm", "403"),
        (&admin, "webhook", "application/wasm", "404"),
        (&admin, "workflow", "text/plain", "415"),
    ] {
        let mut stream = TcpStream::connect(host.address).await.unwrap();
        let head = format!(
            "POST /plugins/{slot}/versions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: {kind}\r\ncontent-length: 9000000\r\n\r\n"
        );
        // The body is promised and never sent.
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), format!("HTTP/1.1 {expected}"), "{kind}");
    }
}

#[tokio::test]
async fn a_version_becomes_active_and_decides_from_then_on() {
    let host = TestApi::start().await;
    let before = slot(&host, "workflow").await;
    let digest = push(&host, "workflow", &reworded_workflow()).await;
    let body = json!({ "digest": &digest[..12], "why": "clearer words" });
    let answer = activate(&host, "workflow", body).await;
    assert_eq!(
        keys(&answer),
        ["active", "canary", "from", "generation", "message", "pinnedSessions", "replay"]
    );
    assert_eq!((&answer["from"], &answer["active"]), (&before["digest"], &json!(digest)));
    assert_eq!((&answer["canary"], &answer["pinnedSessions"]), (&Value::Null, &json!(0)));
    assert_eq!(answer["replay"]["histories"], 0, "{answer}");
    assert!(answer["generation"].as_u64() > before["generation"].as_u64(), "{answer}");

    let now = slot(&host, "workflow").await;
    assert_eq!((&now["digest"], &now["version"]), (&json!(digest), &json!("0.2.0")));
    assert_eq!(now["generation"], answer["generation"]);
    let (_, version) = host.get(&format!("/plugins/workflow/versions/{digest}")).await;
    assert_eq!(version["isActive"], true);
    let (_, reply) = host.post("/whatsapp/init", json!({ "sessionName": "one" })).await;
    assert_eq!(reply["message"], REWORDED);
    let newest = &changes(&host, "workflow").await[0];
    assert_eq!(
        (&newest["action"], &newest["from"], &newest["to"], &newest["why"], &newest["refusal"]),
        (
            &json!("activate"),
            &before["digest"],
            &json!(digest),
            &json!("clearer words"),
            &Value::Null
        )
    );
    assert_eq!((&newest["number"], &newest["who"]), (&answer["generation"], &json!("42")));
}

#[tokio::test]
async fn a_trial_has_a_share_and_ends_with_a_rollback() {
    let host = TestApi::start().await;
    let before = slot(&host, "qr-renderer").await;
    let digest = push(&host, "qr-renderer", &marked(&released("qr-renderer"), 1)).await;
    let body = json!({ "digest": digest, "canary": 25 });
    let answer = activate(&host, "qr-renderer", body).await;
    assert_eq!(answer["canary"], json!({ "digest": digest, "share": 25 }));
    assert_eq!(answer["active"], before["digest"]);
    let trial = &slot(&host, "qr-renderer").await["canary"];
    assert_eq!((&trial["digest"], &trial["share"]), (&json!(digest), &json!(25)));
    assert_eq!(trial["health"]["breaker"], "closed");
    let (_, version) = host.get(&format!("/plugins/qr-renderer/versions/{digest}")).await;
    assert_eq!((&version["isActive"], &version["isCanary"]), (&json!(false), &json!(true)));

    let (status, back) =
        host.post("/plugins/qr-renderer/rollback", json!({ "why": "enough" })).await;
    assert_eq!(status, 200, "{back}");
    assert_eq!((&back["canary"], &back["active"]), (&Value::Null, &before["digest"]));
    assert_eq!(back["replay"], Value::Null);
    assert_eq!(slot(&host, "qr-renderer").await["canary"], Value::Null);

    let answer = activate(&host, "qr-renderer", json!({ "digest": digest, "canary": 100 })).await;
    assert_eq!((&answer["canary"], &answer["active"]), (&Value::Null, &json!(digest)));
    for (canary, says) in [(json!(0), "1 to 100"), (json!(101), "1 to 100"), (json!(-1), "canary")]
    {
        let body = json!({ "digest": digest, "canary": canary });
        let answer = host.post("/plugins/qr-renderer/activate", body).await;
        assert_problem(answer, 400, "body_invalid", says);
    }
    let body = json!({ "digest": digest, "why": "x".repeat(501) });
    let answer = host.post("/plugins/qr-renderer/activate", body).await;
    assert_problem(answer, 400, "body_invalid", "500");
}

#[tokio::test]
async fn a_rollback_goes_to_the_version_before_or_to_a_named_one() {
    let host = TestApi::start().await;
    let first = slot(&host, "fan-out").await["digest"].as_str().unwrap().to_owned();
    let nothing = host.request(Method::POST, "/plugins/fan-out/rollback");
    let (status, body) = read(nothing).await;
    assert_eq!((status.as_u16(), &body["code"]), (409, &json!("plugin_conflict")), "{body}");
    let mut digests = Vec::new();
    for mark in [1, 2] {
        let digest = push(&host, "fan-out", &marked(&released("fan-out"), mark)).await;
        activate(&host, "fan-out", json!({ "digest": digest })).await;
        digests.push(digest);
    }
    let (status, back) = read(host.request(Method::POST, "/plugins/fan-out/rollback")).await;
    assert_eq!(status, 200, "{back}");
    assert_eq!((&back["from"], &back["active"]), (&json!(digests[1]), &json!(digests[0])));
    assert!(!back["message"].as_str().unwrap().is_empty());
    let body = json!({ "to": &first[..8], "why": "as shipped" });
    let (status, back) = host.post("/plugins/fan-out/rollback", body).await;
    assert_eq!((status.as_u16(), &back["active"]), (200, &json!(first)), "{back}");
    assert_eq!(slot(&host, "fan-out").await["digest"], *first);
    let newest = &changes(&host, "fan-out").await[0];
    assert_eq!((&newest["action"], &newest["why"]), (&json!("rollback"), &json!("as shipped")));
}

#[tokio::test]
async fn a_replay_shows_where_a_version_would_decide_otherwise_and_changes_nothing() {
    let host = TestApi::start().await;
    host.init_with_qr("one", "2@secret").await;
    host.init("two").await;
    let same = push(&host, "workflow", &marked(&released("workflow"), 1)).await;
    let before = changes(&host, "workflow").await.len();
    let (status, report) = host.post("/plugins/workflow/replay", json!({ "digest": same })).await;
    assert_eq!(status, 200, "{report}");
    assert_eq!((&report["digest"], &report["histories"]), (&json!(same), &json!(2)));
    assert_eq!(report["results"], json!({ "identical": 2 }), "{report}");
    assert_eq!(report["sessions"], json!([]));

    let other = push(&host, "workflow", &reworded_workflow()).await;
    let body = json!({ "digest": &other[..10] });
    let (status, report) = host.post("/plugins/workflow/replay", body).await;
    assert_eq!(status, 200, "{report}");
    assert_eq!(report["results"], json!({ "differs": 2 }), "{report}");
    let session = &report["sessions"][0];
    assert_eq!(
        keys(session),
        ["cause", "differences", "inputNumber", "message", "result", "session"]
    );
    assert_eq!((&session["inputNumber"], &session["cause"]), (&json!(1), &json!("command:init")));
    let differences = session["differences"].to_string();
    assert!(differences.contains(STARTING) && differences.contains(REWORDED), "{differences}");
    assert!(!report.to_string().contains("2@secret"), "a live code is in no record");
    assert_eq!(changes(&host, "workflow").await.len(), before + 1, "the second push, no more");
    assert_eq!(slot(&host, "workflow").await["source"], "embedded");
}

#[tokio::test]
async fn the_history_is_read_page_by_page_newest_first() {
    let host = TestApi::start().await;
    for mark in 1..=3 {
        push(&host, "fan-out", &marked(&released("fan-out"), mark)).await;
    }
    let all = changes(&host, "fan-out").await;
    assert!(all.len() >= 4, "{all:?}");
    assert!(all.iter().any(|change| change["action"] == "seed"), "{all:?}");
    let numbers: Vec<_> = all.iter().map(|change| change["number"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|newer, older| newer > older), "{numbers:?}");
    assert_eq!(
        keys(&all[0]),
        ["action", "at", "detail", "from", "number", "refusal", "share", "to", "who", "why"]
    );
    let mut paged = Vec::new();
    let mut path = "/plugins/fan-out/history?limit=2".to_owned();
    loop {
        let (status, page) = host.get(&path).await;
        assert_eq!(status, 200, "{page}");
        let changes = page["changes"].as_array().unwrap();
        assert!(changes.len() <= 2);
        paged.extend(changes.clone());
        let Some(next) = page["next"].as_u64() else { break };
        path = format!("/plugins/fan-out/history?limit=2&before={next}");
    }
    assert_eq!(paged, all);
    let (_, capped) = host.get("/plugins/fan-out/history?limit=0").await;
    assert_eq!(capped["changes"].as_array().unwrap().len(), 1);
    let answer = host.get("/plugins/fan-out/history?before=yesterday").await;
    assert_problem(answer, 400, "query_invalid", "");
}

#[tokio::test]
async fn what_is_parked_is_listed_without_the_inputs_themselves() {
    let host = TestApi::start().await;
    assert_eq!(host.get("/plugins/workflow/parked").await.1, json!({ "parked": [] }));
    let session = host.init("one").await;
    for number in 1..=3 {
        let parked = Parked {
            slot: Slot::Workflow,
            session: session.clone(),
            at: host.clock.now(),
            what: format!("input {number}"),
            reason: "trapped, and again on a fresh instance".into(),
            input: Some(r#"{"number":"5511999990001"}"#.into()),
            context: None,
        };
        host.store.park(&parked).await.unwrap();
    }
    let (status, body) = host.get("/plugins/workflow/parked?limit=2").await;
    assert_eq!(status, 200, "{body}");
    let parked = body["parked"].as_array().unwrap();
    assert_eq!(parked.iter().map(|one| &one["what"]).collect::<Vec<_>>(), ["input 3", "input 2"]);
    assert_eq!(keys(&parked[0]), ["at", "reason", "session", "what"]);
    assert!(!body.to_string().contains("5511999990001"), "{body}");
    assert_eq!(host.get("/plugins/fan-out/parked").await.1, json!({ "parked": [] }));
}

#[tokio::test]
async fn readiness_tells_strangers_digests_and_breakers_only() {
    let host = TestApi::start().await;
    let (status, body) = read(host.anonymous(Method::GET, "/health/ready")).await;
    assert_eq!((status.as_u16(), &body["status"]), (200, &json!("ready")));
    let plugins = body["plugins"].as_array().unwrap();
    assert_eq!(plugins.iter().map(|plugin| &plugin["slot"]).collect::<Vec<_>>(), SLOTS);
    for plugin in plugins {
        assert_eq!(keys(plugin), ["breaker", "digest", "slot"]);
        assert_eq!(plugin["digest"].as_str().unwrap().len(), 12);
        assert_eq!(plugin["breaker"], "closed");
    }
}
