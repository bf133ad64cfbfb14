//! What is there: slots, versions, history, what is parked, readiness.

use pairing_core::{clock::Clock, plugin::Slot, plugin_store::Parked};
use pairing_tests::{TestApi, marked, read, released};
use reqwest::Method;
use serde_json::{Value, json};

use super::{assert_problem, changes, keys, push, upload};

const SLOTS: [&str; 4] = ["workflow", "qr-renderer", "fan-out", "webhook"];

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
                "subscriptions",
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
        assert_eq!(slot["subscriptions"], json!([]));
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
async fn slots_and_versions_that_are_not_there_are_named() {
    let host = TestApi::start().await;
    for path in ["versions", "versions/abcdef", "history", "parked"] {
        let answer = host.get(&format!("/plugins/crm/{path}")).await;
        assert_problem(answer, 404, "plugin_slot_unknown", "`crm`");
        let answer = host.get(&format!("/plugins/No%20Name/{path}")).await;
        assert_problem(answer, 404, "plugin_slot_unknown", "`No Name`");
    }
    for path in ["activate", "rollback", "replay"] {
        let answer = host.post(&format!("/plugins/renderer/{path}"), json!({})).await;
        let all = "`workflow`, `qr-renderer`, `fan-out`, `webhook`";
        assert_problem(answer, 404, "plugin_slot_unknown", all);
    }
    let answer = read(upload(&host, "No_Name", "x")).await;
    assert_problem(answer, 400, "handler_name_invalid", "1 to 32 of a-z 0-9 -");
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
    let slots = plugins.iter().map(|plugin| &plugin["slot"]).collect::<Vec<_>>();
    assert_eq!(slots, SLOTS[..3], "the host does not need handlers to be ready");
    for plugin in plugins {
        assert_eq!(keys(plugin), ["breaker", "digest", "slot"]);
        assert_eq!(plugin["digest"].as_str().unwrap().len(), 12);
        assert_eq!(plugin["breaker"], "closed");
    }
}
