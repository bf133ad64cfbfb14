//! Signing keys: two while one replaces the other.

use pairing_tests::{WrittenJournal, tick};
use serde_json::json;

use super::harness::{KEY, Receivers, grants, host, put, subscribe};

const NEXT: &str = "whsec_dGhlLW5leHQta2V5LWZvci10ZXN0cy0wMTIz";
const FOREIGN: &str = "whsec_c29tZWJvZHktZWxzZSdzLWtleS0wMTIzNDU2";

#[tokio::test(flavor = "multi_thread")]
async fn while_a_key_is_replaced_receivers_with_either_accept_every_request() {
    let mut receivers = Receivers::start().await;
    let host = host().await;
    receivers.set("hook", &[KEY, NEXT, FOREIGN], json!([200])).await;
    let url = receivers.url("hook");
    subscribe(&host, "hook", &url, json!({})).await;
    let journal = WrittenJournal::of(&host).await;
    let settings =
        |secrets| json!({ "grants": grants(&url), "config": { "url": url }, "secrets": secrets });

    journal.tell("one", vec![tick(1)]).await;
    let requests = receivers.until_accepted("hook", 1).await;
    assert_eq!(requests[0].signed_by(), [KEY]);

    // The next key joins.
    put(&host, "hook", settings(json!({ "signing-next": NEXT }))).await;
    journal.tell("one", vec![tick(2)]).await;
    let requests = receivers.until_accepted("hook", 2).await;
    assert_eq!(requests[1].signed_by(), [KEY, NEXT]);
    assert_eq!(requests[1].header("webhook-signature").split(' ').count(), 2);

    // The old one goes.
    put(&host, "hook", settings(json!({ "signing": null }))).await;
    journal.tell("one", vec![tick(3)]).await;
    let requests = receivers.until_accepted("hook", 3).await;
    assert_eq!(requests[2].signed_by(), [NEXT]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_without_a_key_sends_nothing_and_says_what_is_missing() {
    let mut receivers = Receivers::start().await;
    let host = host().await;
    receivers.set("hook", &[KEY], json!([200])).await;
    let url = receivers.url("hook");
    subscribe(&host, "hook", &url, json!({ "secrets": {} })).await;
    WrittenJournal::of(&host).await.tell("one", vec![tick(1)]).await;
    let waiting = pairing_tests::until("it says why it waits", async || {
        let state = &super::harness::subscription(&host, "hook").await["state"];
        state["lanes"][0]["error"].as_str().filter(|error| !error.is_empty()).map(str::to_owned)
    })
    .await;
    assert!(waiting.contains("`signing`") && waiting.contains("whsec_"), "{waiting}");
    assert!(receivers.requests("hook").is_empty());
    // Nothing was lost meanwhile.
    put(
        &host,
        "hook",
        json!({ "grants": grants(&url), "config": { "url": url }, "secrets": { "signing": KEY } }),
    )
    .await;
    receivers.until_accepted("hook", 1).await[0].assert_good();
}
