//! How many events a second handlers and webhooks get, of a journal that lies
//! ready, with a receiver on the same machine.

use std::time::{Duration, Instant};

use pairing_tests::{Mood, Tally, TestHost, WrittenJournal, probe_handler, tick};
use reqwest::Method;
use serde_json::{Value, json};

use crate::figures::Figures;

const SESSIONS: u64 = 500;
const EVENTS: u64 = 20_000;

pub async fn run(figures: &mut Figures) -> anyhow::Result<()> {
    let host = TestHost::on("http://127.0.0.1:9/").set("PAIRING_MODE", "development");
    let mut host = host.set("PAIRING_RATE_LIMITS", "off").start().await;
    let journal = WrittenJournal::of(&host).await;
    let each = EVENTS / SESSIONS;
    for half in [1..=each / 2, each / 2 + 1..=each] {
        for session in 0..SESSIONS {
            journal.tell(&format!("session-{session}"), half.clone().map(tick).collect()).await;
        }
    }

    host.swap("probe", &probe_handler()).await;
    let grants = json!({
        "log": true, "config": true, "kv": true, "clock": true, "random": true, "secrets": true,
        "session": ["reconnect"], "http": [{ "url": "http://127.0.0.1:9/" }],
    });
    let begun = subscribe(&host, "probe", json!({ "grants": grants })).await?;
    let took = until_done(&host, "probe", begun).await?;
    figures.print("events to a handler", per_second(took), "≥ 2000 /s");

    let receiver = Tally::new(Mood::Healthy, 1);
    receiver.listen();
    let url = format!("http://{}/", receiver.address);
    let grants = json!({
        "config": true, "clock": true, "secrets": true, "log": true,
        "http": [{ "url": url }], "httpPerSecond": 10_000,
    });
    let secrets = json!({ "signing": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" });
    let body = json!({ "grants": grants, "config": { "url": url }, "secrets": secrets });
    let begun = subscribe(&host, "webhook", body).await?;
    let took = until_done(&host, "webhook", begun).await?;
    anyhow::ensure!(receiver.books().events == EVENTS, "{:?}", receiver.books());
    figures.print("events to a webhook", per_second(took), "≥ 2000 /s");
    host.stop().await;
    Ok(())
}

fn per_second(took: Duration) -> String {
    format!("{:.0} /s", EVENTS as f64 / took.as_secs_f64())
}

/// Subscribes to all that there is.
async fn subscribe(host: &TestHost, handler: &str, mut body: Value) -> anyhow::Result<Instant> {
    body["from"] = "0".into();
    body["concurrency"] = 32.into();
    let begun = Instant::now();
    let path = format!("/plugins/{handler}/subscriptions/bench");
    let response = host.request(Method::PUT, &path).json(&body).send().await?;
    let status = response.status();
    anyhow::ensure!(status.is_success(), "{status}: {}", response.text().await?);
    Ok(begun)
}

async fn until_done(host: &TestHost, handler: &str, begun: Instant) -> anyhow::Result<Duration> {
    loop {
        let path = format!("/plugins/{handler}/subscriptions/bench");
        let state = &host.get(&path).await["state"];
        if state["lag"] == 0 {
            anyhow::ensure!(state["deadLetters"] == 0 && state["lagging"] == 0, "{state}");
            return Ok(begun.elapsed());
        }
        anyhow::ensure!(begun.elapsed() < Duration::from_secs(120), "no end: {state}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
