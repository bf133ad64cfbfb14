//! Subscriptions: set up, moved, switched off and on, and what they give up.

use pairing_core::{
    clock::Clock,
    delivery_store::{DeadLetter, ProgressChange},
    event::{Cursor, EventData, JournalEvent},
    plugin::Slot,
    subscription::SubscriptionId,
};
use pairing_tests::{TestApi, read, until};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    assert_problem, changes,
    handlers::{everything, put, with_handler},
};

const SECRET: &str = "whsec_never-to-be-told";

fn default_of(handler: &str) -> SubscriptionId {
    let Ok(Slot::Handler(handler)) = handler.parse() else { panic!("{handler}") };
    SubscriptionId { handler, name: "default".parse().unwrap() }
}

#[tokio::test]
async fn a_subscription_is_made_changed_listed_and_removed() {
    let host = TestApi::start().await;
    let (_, none) = host.get("/plugins/webhook/subscriptions").await;
    assert_eq!(none, json!({ "subscriptions": [] }));
    let body = json!({
        "sessions": ["sales"], "types": ["session-connected"],
        "grants": {
            "log": true, "config": true, "clock": true, "secrets": true,
            "http": [{ "url": "https://billing.example/hooks", "methods": ["POST"],
                "networks": ["10.1.0.0/16"] }],
            "httpPerSecond": 5,
        },
        "config": { "url": "https://billing.example/hooks/1" },
        "secrets": { "key": SECRET, "old": "also a secret" },
        "retrySeconds": [5, 60], "timeoutMs": 20_000, "concurrency": 2, "why": "billing asked",
    });
    let (status, made) = put(&host, "webhook/billing", body.clone()).await;
    assert_eq!(status, 201, "{made}");
    for same in ["sessions", "types", "config", "retrySeconds", "timeoutMs", "concurrency"] {
        assert_eq!(made[same], body[same], "{same}");
    }
    assert_eq!(made["grants"]["http"], body["grants"]["http"]);
    assert_eq!((&made["grants"]["kv"], &made["grants"]["log"]), (&json!(false), &json!(true)));
    assert_eq!(made["secrets"], json!(["key", "old"]));
    assert_eq!((&made["handler"], &made["name"]), (&json!("webhook"), &json!("billing")));
    assert_eq!((&made["disabled"], &made["updatedBy"]), (&Value::Null, &json!("external:42")));
    assert_eq!((&made["state"]["lag"], &made["state"]["lanes"]), (&json!(0), &json!([])));

    // What is left out is as for a new one; secrets stay unless they are named.
    let changed = json!({ "grants": body["grants"], "secrets": { "old": null, "new": "n" } });
    let (status, changed) = put(&host, "webhook/billing", changed).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(changed["secrets"], json!(["key", "new"]));
    assert_eq!((&changed["sessions"], &changed["config"]), (&Value::Null, &json!({})));
    assert_eq!(changed["retrySeconds"].as_array().unwrap().len(), 9);
    assert_eq!(changed["createdAt"], made["createdAt"]);
    let (_, read_again) = host.get("/plugins/webhook/subscriptions/billing").await;
    assert_eq!(read_again, changed);
    let (_, all) = host.get("/plugins/webhook/subscriptions").await;
    assert_eq!(all, json!({ "subscriptions": [changed] }));

    let place = "/plugins/webhook/subscriptions/billing";
    let (status, _) = read(host.request(Method::DELETE, place)).await;
    assert_eq!(status, 200);
    assert_problem(host.get(place).await, 404, "subscription_not_found", "`billing`");
    let answer = read(host.request(Method::DELETE, place)).await;
    assert_problem(answer, 404, "subscription_not_found", "grant webhook --as billing");
    let lines = changes(&host, "webhook").await;
    let actions: Vec<_> = lines.iter().map(|line| line["action"].as_str().unwrap()).collect();
    assert_eq!(actions[..3], ["unsubscribe", "grant", "grant"]);
    assert_eq!(lines[2]["why"], "billing asked");
    let detail = lines[2]["detail"].as_str().unwrap();
    for says in ["`billing`", "log", "POST to https://billing.example/hooks", "key, old", "url"] {
        assert!(detail.contains(says), "{says}: {detail}");
    }
    // Who went back would not land at a subscription.
    assert!(lines.iter().take(3).all(|line| line["from"].is_null() && line["to"].is_null()));
}

#[tokio::test]
async fn a_secret_is_told_nowhere_and_stands_nowhere_in_the_clear() {
    let host = TestApi::start().await;
    let body = json!({
        "grants": everything(), "secrets": { "key": SECRET }, "config": { "url": "http://x.example" },
    });
    let (status, made) = put(&host, "webhook/default", body).await;
    assert_eq!(status, 201, "{made}");
    let stored = host.store.subscriptions().await.unwrap().remove(0);
    let sealed = &stored.secrets["key"].0;
    assert!(!sealed.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()));
    let mut told = format!("{stored:?} {made}");
    for path in ["", "/webhook/subscriptions", "/webhook/subscriptions/default", "/webhook/history"]
    {
        let (status, body) = host.get(&format!("/plugins{path}")).await;
        assert_eq!(status, 200, "{path}");
        told += &body.to_string();
    }
    let mut too_long = json!({ "grants": everything(), "secrets": { "key": SECRET.repeat(300) } });
    let (_, refused) = put(&host, "webhook/default", too_long.take()).await;
    told += &refused.to_string();
    assert!(refused["message"].as_str().unwrap().contains("secret `key` has"), "{refused}");
    assert!(!told.contains(SECRET), "{told}");
}

#[tokio::test]
async fn all_mistakes_are_told_at_once_and_how_to_repair_each() {
    let host = TestApi::start().await;
    let body = json!({
        "sessions": [], "types": ["Session Connected"],
        "grants": {
            "http": [{ "url": "ftp://files.example/" }, { "url": "https://ok.example/?a=b" }],
            "httpPerSecond": 0,
        },
        "config": { "a key": "x", "large": "x".repeat(17 << 10) },
        "secrets": { "": "x", "empty": "" },
        "retrySeconds": [0, 604_801], "timeoutMs": 50, "concurrency": 65,
    });
    let answer = put(&host, "webhook/default", body).await;
    for says in [
        "`sessions` names none",
        "`Session Connected` is no kind of event",
        "ftp://files.example/",
        "leave out `?…`",
        "`grants.httpPerSecond` is 0",
        "`a key` can't be a name",
        "at most 16384",
        "`secrets`: `` can't be a name",
        "secret `empty` has 0 bytes",
        "`retrySeconds`: 0 is not between 1 and 604800",
        "604801",
        "`timeoutMs` is 50",
        "`concurrency` is 65",
    ] {
        assert_problem(answer.clone(), 400, "subscription_invalid", says);
    }
    let many: serde_json::Map<_, _> =
        (0..17).map(|number| (format!("key-{number}"), json!("x"))).collect();
    let answer = put(&host, "webhook/default", json!({ "secrets": many })).await;
    assert_problem(answer, 400, "subscription_invalid", "17 secrets");
    let answer = put(&host, "webhook/default", json!({ "retrySeconds": vec![1; 21] })).await;
    assert_problem(answer, 400, "subscription_invalid", "21 entries");
    for wrong in [
        json!({ "grant": {} }),
        json!({ "grants": { "files": true } }),
        json!({ "grants": { "http": [{ "url": "no address" }] } }),
        json!({ "grants": { "session": ["delete"] } }),
        json!({ "sessions": ["../etc"] }),
        json!({ "concurrency": -1 }),
    ] {
        let answer = put(&host, "webhook/default", wrong).await;
        assert_problem(answer, 400, "body_invalid", "");
    }
    for from in ["then", "-1", "99"] {
        let answer = put(&host, "webhook/default", json!({ "from": from })).await;
        assert_problem(answer, 400, "subscription_invalid", "now");
    }
    let answer = put(&host, "webhook/no%20name", json!({})).await;
    assert_problem(answer, 400, "subscription_name_invalid", "subscription name has ' '");
    let answer = put(&host, "workflow/default", json!({})).await;
    assert_problem(answer, 409, "plugin_conflict", "only handlers");
    assert_eq!(host.get("/plugins/webhook/subscriptions").await.1, json!({ "subscriptions": [] }));
}

#[tokio::test]
async fn a_subscription_begins_where_it_is_told_and_is_moved_and_switched() {
    let host = with_handler().await;
    host.init("early").await;
    let said = async |session: &str| {
        let (_, body) = host.get("/plugins/crm/logs").await;
        let lines = body["lines"].as_array().unwrap().clone();
        lines.iter().filter(|line| line["session"] == session).count()
    };
    put(&host, "crm/late", json!({ "grants": everything() })).await;
    host.init("now").await;
    until("the new event came", async || (said("now").await > 0).then_some(())).await;
    assert_eq!(said("early").await, 0, "it was before its time");
    put(&host, "crm/all", json!({ "grants": everything(), "from": "0" })).await;
    until("the old event came", async || (said("early").await > 0).then_some(())).await;

    let place = "/plugins/crm/subscriptions/late";
    let (status, off) = host.post(&format!("{place}/disable"), json!({ "why": "it rains" })).await;
    assert_eq!(status, 200, "{off}");
    assert_eq!(off["disabled"], "switched off by external:42: it rains");
    let before = said("early").await;
    let (_, moved) = host.post(&format!("{place}/seek"), json!({ "cursor": "0" })).await;
    assert_eq!(moved["state"]["cursor"], "0");
    assert_eq!(said("early").await, before, "it is off");
    let (_, on) = host.post(&format!("{place}/enable"), json!({})).await;
    assert_eq!(on["disabled"], Value::Null);
    until("it came again", async || (said("early").await > before).then_some(())).await;
    let answer = host.post(&format!("{place}/seek"), json!({ "cursor": "99999" })).await;
    assert_problem(answer, 400, "subscription_invalid", "the journal ends at");
    let actions: Vec<_> = changes(&host, "crm").await;
    let actions: Vec<_> = actions.iter().map(|line| line["action"].as_str().unwrap()).collect();
    assert_eq!(actions[..5], ["enable", "seek", "disable", "grant", "grant"]);
    for verb in ["enable", "disable", "seek"] {
        let path = format!("/plugins/crm/subscriptions/nobody/{verb}");
        let answer = host.post(&path, json!({ "cursor": "now" })).await;
        assert_problem(answer, 404, "subscription_not_found", "`nobody`");
    }
}

/// Gives these events up.
async fn give_up(host: &TestApi, id: &SubscriptionId, events: std::ops::RangeInclusive<u64>) {
    let progress = host.store.progress(id).await.unwrap().unwrap();
    let at = host.clock.now();
    let dead = events.map(|event| DeadLetter {
        event: JournalEvent {
            id: Cursor(event),
            session: "sales".parse().unwrap(),
            at,
            data: EventData::Loading { percent: 7 },
        },
        attempts: 10,
        reason: format!("the receiver said 500 to {event}"),
        at,
        requeued_at: None,
    });
    let change = ProgressChange {
        cursor: progress.cursor,
        dead: dead.collect(),
        epoch: progress.epoch,
        ..ProgressChange::default()
    };
    assert!(host.store.save_progress(id, &change).await.unwrap());
}

#[tokio::test]
async fn what_was_given_up_is_listed_read_and_tried_once_more() {
    let host = with_handler().await;
    put(&host, "crm/default", json!({ "grants": everything() })).await;
    let place = "/plugins/crm/subscriptions/default/dead-letters";
    assert_eq!(host.get(place).await.1, json!({ "deadLetters": [], "next": null }));
    give_up(&host, &default_of("crm"), 1..=5).await;
    let (status, page) = host.get(&format!("{place}?limit=2")).await;
    assert_eq!((status.as_u16(), &page["next"]), (200, &json!("2")), "{page}");
    let (_, rest) = host.get(&format!("{place}?after=2")).await;
    let events = |page: &Value| -> Vec<String> {
        let letters = page["deadLetters"].as_array().unwrap().iter();
        letters.map(|letter| letter["event"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (events(&page), events(&rest)),
        (vec!["1".into(), "2".into()], vec!["3".into(), "4".into(), "5".into()])
    );
    let (_, one) = host.get(&format!("{place}/3")).await;
    assert_eq!(one, rest["deadLetters"][0]);
    assert_eq!((&one["type"], &one["data"]), (&json!("loading"), &json!({ "percent": 7 })));
    assert_eq!((&one["sessionName"], &one["attempts"]), (&json!("sales"), &json!(10)));
    assert_eq!(one["reason"], "the receiver said 500 to 3");
    assert_eq!(host.get("/plugins/crm/subscriptions/default").await.1["state"]["deadLetters"], 5);

    let (_, body) = host.post(&format!("{place}/requeue"), json!({ "event": "3" })).await;
    assert_eq!(body, json!({ "requeued": 1 }));
    let left = async || events(&host.get(place).await.1);
    until("it was handled after all", async || (left().await.len() == 4).then_some(())).await;
    assert_problem(host.get(&format!("{place}/3")).await, 404, "dead_letter_not_found", "event 3");
    let body = json!({ "from": "4", "to": "9" });
    let (_, body) = host.post(&format!("{place}/requeue"), body).await;
    assert_eq!(body, json!({ "requeued": 2 }));
    until("both were handled", async || (left().await == ["1", "2"]).then_some(())).await;
    let (_, body) = host.post(&format!("{place}/requeue"), json!({})).await;
    assert_eq!(body, json!({ "requeued": 2 }), "all");
    let answer = host.post(&format!("{place}/requeue"), json!({ "event": "77" })).await;
    assert_problem(answer, 404, "dead_letter_not_found", "event 77");
    for wrong in [json!({ "event": "x" }), json!({ "event": "1", "to": "2" }), json!({ "all": 1 })]
    {
        let answer = host.post(&format!("{place}/requeue"), wrong).await;
        assert_problem(answer, 400, "body_invalid", "");
    }
    assert_problem(host.get(&format!("{place}/x")).await, 404, "dead_letter_not_found", "number");
    let path = "/plugins/crm/subscriptions/nobody/dead-letters";
    assert_problem(host.get(path).await, 404, "subscription_not_found", "`nobody`");
}
