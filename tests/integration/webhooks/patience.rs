//! Receivers that say when they want to be asked again, or never.

use pairing_tests::{TestHost, WrittenJournal, tick, until};
use reqwest::Method;
use serde_json::json;

use super::harness::{KEY, Receivers, Request, host, subscribe, subscription};

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_waited_for_in_seconds_and_as_a_date() {
    let mut receivers = Receivers::start().await;
    let host = host().await;
    let soon = jsonwebtoken::get_current_timestamp() + 8;
    let date = http_date(soon);
    receivers.set("seconds", &[KEY], json!([[429, { "retry-after": "4" }], 200])).await;
    receivers.set("date", &[KEY], json!([[503, { "retry-after": date }], 200])).await;
    for name in ["seconds", "date"] {
        subscribe(&host, name, &receivers.url(name), json!({})).await;
    }
    WrittenJournal::of(&host).await.tell("one", vec![tick(1)]).await;
    let requests = receivers.until_accepted("seconds", 1).await;
    let waited = requests[1].at() - requests[0].at();
    assert!(waited >= 4000, "asked again after {waited} ms");
    let requests = receivers.until_accepted("date", 1).await;
    let second = requests[1].at();
    assert!(second >= soon * 1000 || requests[0].at() > soon * 1000, "asked again too soon");
}

/// As HTTP writes times.
fn http_date(seconds: u64) -> String {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    httpdate::fmt_http_date(time)
}

async fn post(host: &TestHost, name: &str, verb: &str) {
    let path = format!("/plugins/webhook/subscriptions/{name}/{verb}");
    let response = host.request(Method::POST, &path).send().await.unwrap();
    assert!(response.status().is_success(), "{verb}: {}", response.status());
}

#[tokio::test(flavor = "multi_thread")]
async fn gone_switches_off_that_endpoint_alone_which_keeps_its_place() {
    let mut receivers = Receivers::start().await;
    let host = host().await;
    receivers.set("gone", &[KEY], json!([200, 410, 200])).await;
    receivers.set("healthy", &[KEY], json!([200])).await;
    for name in ["gone", "healthy"] {
        subscribe(&host, name, &receivers.url(name), json!({})).await;
    }
    let journal = WrittenJournal::of(&host).await;
    journal.tell("one", (1..=4).map(tick).collect()).await;
    let why = until("the endpoint is switched off", async || {
        let now = subscription(&host, "gone").await;
        now["disabled"].as_str().map(str::to_owned)
    })
    .await;
    assert!(why.contains("410"), "{why}");
    // It stays off, over a restart too, and the other one goes on.
    journal.tell("one", vec![tick(5)]).await;
    receivers.until_accepted("healthy", 5).await;
    assert_eq!(receivers.requests("gone").len(), 2);

    post(&host, "gone", "enable").await;
    let requests = receivers.until_accepted("gone", 5).await;
    let numbers: Vec<u64> = requests.iter().map(Request::number).collect();
    assert_eq!(numbers, [1, 2, 2, 3, 4, 5]);
}
