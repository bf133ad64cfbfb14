//! Each text from an answer as the host gives it.

use insta::assert_snapshot;
use serde_json::{Value, json};

const OLD: &str = "a3f19c0d52e87b6455aa01c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f506";
const NEW: &str = "0be7d2419f3c58a6e1d0c9b8a7f6e5d4c3b2a1908f7e6d5c4b3a29181706f5e4";

fn health(breaker: &str, calls: u64, errors: Value, last: Option<&str>) -> Value {
    let total: u64 = errors.as_object().unwrap().values().filter_map(Value::as_u64).sum();
    json!({
        "breaker": breaker, "calls": calls, "errors": total, "errorsByKind": errors,
        "p99Ms": (calls > 0).then_some(0.412), "lastError": last,
    })
}

#[test]
fn slots() {
    let answer = json!({ "slots": [
        {
            "slot": "workflow", "digest": OLD, "name": "pairing-workflow", "version": "0.1.0",
            "source": "embedded", "generation": 12, "pinnedSessions": 3,
            "health": health("closed", 1_204_331, json!({}), None),
            "canary": {
                "digest": NEW, "name": "pairing-workflow", "version": "0.2.0", "share": 10,
                "health": health("half-open", 311, json!({ "trapped": 4, "deadline": 1 }),
                    Some("plugin `workflow` trapped: wasm `unreachable` instruction executed\nat next (lib.rs:31)")),
            },
        },
        {
            "slot": "qr-renderer", "digest": OLD, "name": "qr-renderer", "version": "0.1.0",
            "source": "folder", "generation": 2, "pinnedSessions": 0,
            "health": health("closed", 0, json!({}), None), "canary": null,
        },
        {
            "slot": "fan-out", "digest": NEW, "name": "acme-fan-out", "version": "3.0.0-rc.1",
            "source": "upload", "generation": 31, "pinnedSessions": 0,
            "health": health("quarantined", 55, json!({ "memory": 20 }),
                Some("plugin `fan-out` wanted more than 16 MiB of memory")),
            "canary": null,
        },
    ] });
    assert_snapshot!(super::slots(&answer));
}

fn version(digest: &str) -> Value {
    json!({
        "digest": digest, "name": "pairing-workflow", "version": "0.2.0", "size": 391_604,
        "source": "upload", "signedBy": "release-2026", "acceptedBy": null,
        "createdAt": "2026-11-24T11:41:32.123Z", "createdBy": "cli",
        "interface": "pairing:workflow/workflow@0.1.0", "imports": [],
        "initialMemory": 1_114_112, "writesSchema": 2, "readsSchemas": [1, 2],
        "fuel": [
            { "vector": "init-of-a-new-session", "fuel": 412_007 },
            { "vector": "ready", "fuel": 98_111 },
        ],
        "isActive": false, "isCanary": true,
    })
}

#[test]
fn versions() {
    let mut accepted = version(OLD);
    accepted["signedBy"] = Value::Null;
    accepted["acceptedBy"] = "ana".into();
    accepted["version"] = "0.1.9".into();
    accepted["isCanary"] = false.into();
    let mut embedded = version(&OLD.replace('a', "c"));
    embedded["signedBy"] = Value::Null;
    embedded["source"] = "embedded".into();
    embedded["createdBy"] = "host".into();
    embedded["version"] = "0.1.0".into();
    (embedded["isActive"], embedded["isCanary"]) = (true.into(), false.into());
    let answer = json!({ "versions": [version(NEW), accepted, embedded] });
    assert_snapshot!(super::versions(&answer));
    assert_snapshot!("versions_of_an_empty_slot", super::versions(&json!({ "versions": [] })));
}

#[test]
fn a_version() {
    let mut judged = version(NEW);
    judged["verdicts"] = json!([
        { "gate": "signature", "passed": true, "message": "signed by `release-2026`", "at": "2026-11-24T11:41:32.123Z" },
        { "gate": "probe", "passed": true, "message": "2 test vectors are decided as expected", "at": "2026-11-24T11:41:33.000Z" },
        { "gate": "replay", "passed": false, "message": "1 of 50 histories traps:\nsession `one` at input 7; mend it and push again", "at": "2026-11-24T12:00:00.000Z" },
    ]);
    assert_snapshot!(super::version("workflow", &judged));
}

#[test]
fn a_version_of_a_renderer() {
    let mut judged = version(NEW);
    judged["writesSchema"] = Value::Null;
    judged["readsSchemas"] = json!([]);
    judged["fuel"] = json!([]);
    judged["imports"] =
        json!(["wasi:clocks/wall-clock@0.2.0#now", "wasi:cli/stdout@0.2.0#get-stdout"]);
    judged["verdicts"] = json!([]);
    judged["isCanary"] = false.into();
    assert_snapshot!(super::version("qr-renderer", &judged));
}

fn report() -> Value {
    json!({
        "digest": NEW, "histories": 1_012, "inputs": 20_240,
        "results": { "identical": 1_007, "differs": 2, "state-rejected": 1, "trapped": 1, "over-budget": 1 },
        "fuelRecorded": 8_341_224_100_u64, "fuelNow": 7_924_162_895_u64,
        "remarks": ["12 histories have no recorded fuel and are left out of its sum"],
        "sessions": [
            {
                "session": "one", "result": "differs", "inputNumber": 7, "cause": "engine:ready",
                "message": "decides something else than was recorded",
                "differences": [
                    { "path": "/effects/0", "recorded": { "stop-engine": null }, "now": null },
                    { "path": "/view/status", "recorded": "CONNECTED", "now": "AUTHENTICATED" },
                    { "path": "", "recorded": null, "now": { "effects": [] } },
                ],
            },
            {
                "session": "two", "result": "state-rejected", "inputNumber": null, "cause": null,
                "message": "does not read states of schema 1: say so in `reads`, or migrate them",
                "differences": [],
            },
            {
                "session": "three", "result": "trapped", "inputNumber": 1_204, "cause": "timer:retry",
                "message": "plugin `workflow` trapped: wasm `unreachable` instruction executed\nat next (lib.rs:31)",
                "differences": [],
            },
        ],
    })
}

#[test]
fn a_replay() {
    assert_snapshot!(super::replay(&report()));
    assert!(!super::is_identical(&report()));
}

#[test]
fn a_replay_without_a_difference() {
    let mut report = report();
    (report["histories"], report["results"]) = (50.into(), json!({ "identical": 50 }));
    (report["sessions"], report["remarks"]) = (json!([]), json!([]));
    assert_snapshot!(super::replay(&report));
    assert!(super::is_identical(&report));
}

#[test]
fn a_replay_of_nothing() {
    let report = json!({
        "digest": NEW, "histories": 0, "inputs": 0, "results": {}, "fuelRecorded": 0, "fuelNow": 0,
        "remarks": ["there are no recorded histories yet"], "sessions": [],
    });
    assert_snapshot!(super::replay(&report));
    assert!(super::is_identical(&report), "nothing differs");
}

#[test]
fn an_activation() {
    let mut report = report();
    (report["histories"], report["results"]) =
        (50.into(), json!({ "identical": 48, "differs": 2 }));
    report["sessions"] = json!([report["sessions"][0]]);
    let answer = json!({
        "generation": 13, "from": OLD, "active": NEW, "canary": null, "pinnedSessions": 2,
        "message": "pairing-workflow 0.2.0 is active; 2 sessions stay with 0.1.0 because it would decide otherwise for them",
        "replay": report,
    });
    assert_snapshot!(super::activated(&answer));
}

#[test]
fn a_trial_and_a_rollback() {
    let trial = json!({
        "generation": 14, "from": OLD, "active": OLD, "canary": { "digest": NEW, "share": 10 },
        "pinnedSessions": 0, "message": "pairing-workflow 0.2.0 is on trial", "replay": null,
    });
    assert_snapshot!("a_trial", super::activated(&trial));
    let back = json!({
        "generation": 15, "from": NEW, "active": OLD, "canary": null, "pinnedSessions": 0,
        "message": "back to pairing-workflow 0.1.0", "replay": null,
    });
    assert_snapshot!("a_rollback", super::activated(&back));
}

#[test]
fn history() {
    let change = |number: u64, action: &str, from: Option<&str>, to: Option<&str>| {
        json!({
            "number": number, "at": "2026-11-24T11:41:32.123Z", "who": "cli", "action": action,
            "from": from, "to": to, "share": null, "why": "", "refusal": null, "detail": "",
        })
    };
    let pushed = change(1_206, "push", Some(OLD), Some(NEW));
    let mut refused = change(1_205, "push", Some(OLD), None);
    refused["refusal"] =
        "refused at the size: the component has 11534336 bytes, at most 10485760 are taken".into();
    let mut traps = change(1_204, "activate", Some(OLD), Some(NEW));
    traps["why"] = "the new flow".into();
    traps["refusal"] =
        "refused at the replay: 1 of 50 histories traps:\nsession `one` at input 7".into();
    let mut trial = change(1_203, "canary", Some(OLD), Some(NEW));
    trial["share"] = 10.into();
    let mut back = change(31, "automatic-rollback", Some(NEW), Some(OLD));
    (back["who"], back["detail"]) = ("host".into(), "6 of 100 calls failed".into());
    let changes = [pushed, refused, traps, trial, back, change(1, "seed", None, Some(OLD))];
    assert_snapshot!(super::history(&json!({ "changes": changes, "next": 1 }), None));
    let empty = json!({ "changes": [], "next": null });
    assert_snapshot!("an_empty_history", super::history(&empty, None));
    assert_snapshot!("nothing_older", super::history(&empty, Some(5)));
}

#[test]
fn parked() {
    let answer = json!({ "parked": [
        { "session": "one", "at": "2026-11-24T11:41:32.123Z", "what": "engine:ready",
          "reason": "plugin `workflow` trapped: wasm `unreachable` instruction executed\nagain on a fresh instance: the same" },
        { "session": "two-with-a-longer-name", "at": "2026-11-24T11:40:00.000Z", "what": "event 1204",
          "reason": "plugin `fan-out` used up its fuel of 2000000 units" },
    ] });
    assert_snapshot!(super::parked(&answer));
    assert_snapshot!("nothing_parked", super::parked(&json!({ "parked": [] })));
}

fn subscription(name: &str, disabled: Option<&str>, state: Value) -> Value {
    json!({
        "handler": "webhook", "name": name, "sessions": null, "types": ["session-connected"],
        "grants": {
            "log": true, "config": true, "kv": false, "clock": true, "random": false,
            "secrets": true, "session": ["reconnect"],
            "http": [{ "url": "https://billing.example/hooks", "methods": ["POST"],
                "networks": ["10.1.0.0/16"] }],
            "httpPerSecond": null,
        },
        "config": { "url": "https://billing.example/hooks/1" }, "secrets": ["key", "key-old"],
        "retrySeconds": [5, 300, 7200], "timeoutMs": 20_000, "concurrency": 8,
        "disabled": disabled, "createdAt": "2026-11-24T11:41:32.123Z",
        "updatedAt": "2026-11-24T12:41:32.123Z", "updatedBy": "ana", "state": state,
    })
}

fn states() -> [Value; 3] {
    let well = json!({ "cursor": "1204", "lag": 0, "inFlight": 0, "deadLetters": 0, "lagging": 0,
        "lanes": [] });
    let waiting = json!({ "cursor": "1100", "lag": 104, "inFlight": 1, "deadLetters": 2,
        "lagging": 1, "lanes": [{ "session": "sales", "attempts": 3,
            "nextAttemptAt": "2026-11-24T12:50:00.000Z", "error": "it answered 500\nand no more" }] });
    [well, waiting, Value::Null]
}

#[test]
fn subscriptions() {
    let [well, waiting, none] = states();
    let answer = json!({ "subscriptions": [
        subscription("default", None, well),
        subscription("billing", None, waiting),
        subscription("old", Some("the receiver is gone for good: it answered 410"), none),
    ] });
    assert_snapshot!(super::subscriptions("webhook", &answer));
}

#[test]
fn a_subscription() {
    let [_, waiting, _] = states();
    assert_snapshot!(super::subscription(&subscription("billing", None, waiting)));
}

#[test]
fn a_handler_without_subscriptions_says_how_to_make_one() {
    let none = json!({ "subscriptions": [] });
    let text = super::subscriptions("crm", &none);
    assert!(text.contains("`pairing-host plugin grant crm`"), "{text}");
}

#[test]
fn dead_letters() {
    let letter = |event: &str, requeued: Option<&str>| {
        json!({
            "event": event, "sessionName": "sales", "happenedAt": "2026-11-20T08:00:00.000Z",
            "type": "session-connected", "data": { "account": { "name": "Ana" } }, "attempts": 10,
            "reason": "it answered 500", "at": "2026-11-23T08:00:00.000Z", "requeuedAt": requeued,
        })
    };
    let letters = [letter("7", None), letter("12", Some("2026-11-24T08:00:00.000Z"))];
    let page = json!({ "deadLetters": letters, "next": "12" });
    let text = format!("{}\n---\n{}", super::dead_letters(&page), super::dead_letter(&letters[0]));
    assert_snapshot!(text);
    assert_eq!(super::dead_letters(&json!({ "deadLetters": [] })), "nothing was given up");
}

#[test]
fn a_line_of_a_handler() {
    let line = json!({
        "number": 7, "at": "2026-11-24T12:41:32.123Z", "subscription": "default",
        "session": "sales", "event": "1204", "level": "error",
        "message": "trapped: unreachable\n    at crm::inner\n    at crm::outer",
    });
    assert_snapshot!(super::line(&line));
}
