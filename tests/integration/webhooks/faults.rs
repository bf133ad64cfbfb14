//! Receivers that fail in every way, all at once: each gets everything in the end,
//! in order, and none holds another.

use std::net::{Ipv4Addr, TcpListener};

use pairing_tests::{WrittenJournal, tick, until};
use serde_json::{Value, json};

use super::harness::{KEY, Receivers, Request, dead_letters, host, subscribe, subscription};

const EVENTS: u64 = 3;

/// Names of receivers, how each answers, and how often it is asked for the first
/// event.
fn faults() -> Vec<(&'static str, Value, usize)> {
    vec![
        ("healthy", json!([204]), 1),
        ("slow", json!(["slow"]), 1),
        ("error", json!([500, 503, 200]), 3),
        ("refusal", json!([400, 401, 404, 202]), 4),
        ("silence", json!(["silence", 200]), 2),
        ("too-many", json!([[429, { "retry-after": "1" }], 200]), 2),
        ("reset-in-answer", json!(["reset-in-answer", 200]), 2),
        ("huge", json!(["huge", 200]), 2),
        ("endless-error", json!(["endless-error", 200]), 2),
        ("drip", json!(["drip", 200]), 2),
        ("drip-in-headers", json!(["drip-in-headers", 200]), 2),
        ("garbage", json!(["garbage", 200]), 2),
        ("success-with-reset", json!(["success-with-reset"]), 1),
        ("endless", json!(["endless"]), 1),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_in_any_way_gets_every_event_in_the_end_in_order() {
    let mut receivers = Receivers::start().await;
    let host = host().await;
    for (name, answers, _) in faults() {
        receivers.set(name, &[KEY], answers).await;
        subscribe(&host, name, &receivers.url(name), json!({})).await;
    }
    receivers.set("reset-in-question", &[KEY], json!(["reset-in-question", 200])).await;
    let url = receivers.url("reset-in-question");
    subscribe(&host, "reset-in-question", &url, json!({})).await;

    let journal = WrittenJournal::of(&host).await;
    let told = journal.tell("pairing-console", (1..=EVENTS).map(tick).collect()).await;
    let ids: Vec<String> = told.iter().map(|event| format!("evt_{}", event.id)).collect();

    for (name, _, attempts) in faults() {
        let requests = receivers.until_accepted(name, ids.len()).await;
        requests.iter().for_each(Request::assert_good);
        let accepted: Vec<&str> =
            requests.iter().filter(|one| one.is_accepted()).map(Request::id).collect();
        assert_eq!(accepted, ids, "{name} got each once, in order");
        let first = requests.iter().take_while(|request| request.id() == ids[0]);
        assert_eq!(first.count(), attempts, "{name} was asked again until it had the first");
        let body = requests[0].body();
        assert!(requests[..attempts].iter().all(|request| request.body() == body), "{name}");
    }
    receivers.until_accepted("reset-in-question", ids.len()).await;
    assert_eq!(receivers.cut("reset-in-question"), 1);
    assert_eq!(receivers.stray(), [Value::Null; 0]);
    for (name, ..) in faults() {
        assert_eq!(dead_letters(&host, name).await, [Value::Null; 0], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_looks_as_in_the_api_and_as_the_specification_has_it() {
    let mut receivers = Receivers::start().await;
    let host = host().await;
    receivers.set("healthy", &[KEY], json!([200])).await;
    subscribe(&host, "healthy", &receivers.url("healthy"), json!({})).await;
    let told = WrittenJournal::of(&host).await.tell("pairing-console", vec![tick(1)]).await;
    let request = receivers.until_accepted("healthy", 1).await.remove(0);
    request.assert_good();
    let mut body = request.body();
    let page = host.get(&format!("/whatsapp/events?after={}&limit=1", told[0].id.0 - 1)).await;
    let mut event = page["events"][0].clone();
    assert_eq!(event["id"], told[0].id.to_string());
    // The specification calls it so.
    event["timestamp"] = event.as_object_mut().unwrap().remove("at").unwrap();
    assert_eq!(body, event);
    assert_eq!(body["type"].take(), "tick");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_down_holds_nobody_and_gets_everything_once_it_is_up() {
    let mut receivers = Receivers::start().await;
    let host = host().await;
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    receivers.set("healthy", &[KEY], json!([200])).await;
    subscribe(&host, "healthy", &receivers.url("healthy"), json!({})).await;
    subscribe(&host, "down", &format!("http://127.0.0.1:{port}/down"), json!({})).await;

    let journal = WrittenJournal::of(&host).await;
    for session in ["one", "two", "three"] {
        journal.tell(session, (1..=10).map(tick).collect()).await;
    }
    receivers.until_accepted("healthy", 30).await;
    until("the subscription says why each session waits", async || {
        let state = &subscription(&host, "down").await["state"];
        let lanes = state["lanes"].as_array()?;
        let refused = |lane: &Value| lane["error"].as_str().unwrap().contains("refused");
        (lanes.len() == 3 && lanes.iter().all(refused)).then_some(())
    })
    .await;

    let mut up = Receivers::start_at(port).await;
    up.set("down", &[KEY], json!([200])).await;
    let requests = up.until_accepted("down", 30).await;
    for session in ["one", "two", "three"] {
        let of_session = requests.iter().filter(|one| one.body()["sessionName"] == session);
        let numbers: Vec<u64> = of_session.map(Request::number).collect();
        assert!(numbers.iter().copied().eq(1..=10), "{session}: {numbers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_receivers_that_never_answer_hold_nobody() {
    let mut receivers = Receivers::start().await;
    let host = host().await;
    receivers.set("healthy", &[KEY], json!([200])).await;
    subscribe(&host, "healthy", &receivers.url("healthy"), json!({})).await;
    receivers.set("silent", &[KEY], json!(["silence"])).await;
    let never = json!({ "timeoutMs": 30_000, "concurrency": 8 });
    for number in 0..10 {
        let name = format!("silent-{number}");
        subscribe(&host, &name, &receivers.url("silent"), never.clone()).await;
    }
    let journal = WrittenJournal::of(&host).await;
    for session in 0..20 {
        journal.tell(&format!("session-{session}"), vec![tick(1)]).await;
    }
    // All of them have as many requests under way as they may.
    until("the silent ones are asked", async || {
        (receivers.requests("silent").len() >= 20).then_some(())
    })
    .await;
    for session in 0..20 {
        journal.tell(&format!("later-{session}"), vec![tick(1)]).await;
    }
    receivers.until_accepted("healthy", 40).await;
    let asked = receivers.requests("silent");
    let first = asked.first().map(Request::at);
    let last = receivers.requests("healthy").last().map(Request::at);
    let waited = first.zip(last).map(|(first, last)| last.saturating_sub(first));
    assert!(waited.is_some_and(|waited| waited < 30_000), "it waited for the silent ones");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed_and_what_is_given_up_is_a_dead_letter() {
    let mut receivers = Receivers::start().await;
    let host = host().await;
    let elsewhere = json!({ "location": receivers.url("elsewhere") });
    let answers: Vec<Value> =
        [301, 302, 303, 307, 308].map(|status| json!([status, elsewhere])).into();
    receivers.set("redirect", &[KEY], json!(answers)).await;
    // Even where it would be allowed to.
    let url = receivers.url("redirect");
    let mut grants = super::harness::grants(&url);
    grants["http"][0]["url"] = receivers.url("").into();
    let changes = json!({ "retrySeconds": [1, 1, 1, 1], "grants": grants });
    subscribe(&host, "redirect", &url, changes).await;

    let told = WrittenJournal::of(&host).await.tell("one", vec![tick(1), tick(2)]).await;
    let letters = until("the event is given up", async || {
        let letters = dead_letters(&host, "redirect").await;
        (!letters.is_empty()).then_some(letters)
    })
    .await;
    let reason = letters[0]["reason"].as_str().unwrap();
    assert!(reason.contains("redirect") && reason.contains("308"), "{reason}");
    assert_eq!(letters[0]["event"], told[0].id.to_string());
    let of_first = |one: &&Request| one.id() == format!("evt_{}", told[0].id);
    assert_eq!(receivers.requests("redirect").iter().filter(of_first).count(), 5);
    assert_eq!(receivers.stray(), [Value::Null; 0]);
}
