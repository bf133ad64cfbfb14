//! The swap, the trial, the way back, and the replay beforehand.

use pairing_tests::{REWORDED, STARTING, TestApi, marked, read, released, reworded_workflow};
use reqwest::Method;
use serde_json::{Value, json};

use super::{activate, assert_problem, changes, keys, push, slot};

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
    assert_eq!((&newest["number"], &newest["who"]), (&answer["generation"], &json!("external:42")));
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
