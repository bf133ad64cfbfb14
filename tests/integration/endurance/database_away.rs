//! The database is away for a while: stopped, frozen, or behind a network that drops
//! all. No browser is ended, nothing that was acknowledged is lost, new commands are
//! refused soon and say when to come again, and all goes on soon after.
//!
//! `OUTAGE_SECONDS` sets how long (`make soak` has thirty).

use std::time::{Duration, Instant};

use pairing_store::testing::PostgresServer;
use pairing_tests::{
    Figures, Leftovers, LineToPostgres, Oracle, TestHost, assert_good, browsers_on,
    main_browsers_on, seed, until, variable,
};
use reqwest::Method;
use serde_json::json;

use super::{link, names, watching};

const OUTAGE: u64 = 8;
const FLAGS: &str = "--fake-links-after=50 --fake-flap-every=490";
/// Aimed at are 2 s for a refusal, 5 s for the rest.
const REFUSAL_GUARD: Duration = Duration::from_secs(8);
const SOON_GUARD: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_postgres_ends_no_browser_and_loses_nothing() {
    let postgres = PostgresServer::start().await;
    let url = postgres.database().await;
    goes_on(url, || postgres.crash(), async || postgres.restart().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_postgres_ends_no_browser_and_loses_nothing() {
    let postgres = PostgresServer::start().await;
    let url = postgres.database().await;
    goes_on(url, || postgres.freeze(), async || postgres.thaw()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_behind_a_dead_network_ends_no_browser_and_loses_nothing() {
    let postgres = PostgresServer::start().await;
    let url = postgres.database().await;
    let line = LineToPostgres::to(&url);
    goes_on(line.url(&url), || line.swallow(true), async || line.swallow(false)).await;
}

async fn goes_on(url: String, leave: impl FnOnce(), come_back: impl AsyncFnOnce()) {
    let outage = Duration::from_secs(variable("OUTAGE_SECONDS").unwrap_or(OUTAGE));
    let sessions = names("away", 6);
    let mut host = TestHost::with_fake_browsers(FLAGS).set("DATABASE_URL", url).start().await;
    let oracle = Oracle::watch(&host, &watching(&sessions, 0, seed())).await;
    link(&host, &sessions).await;
    let browsers = main_browsers_on(&host.data_dir());
    assert_eq!(browsers.len(), sessions.len(), "each session has its browser");

    leave();
    let left = Instant::now();
    let not_ready = until_ready(&host, false).await;
    let mut refusals = Figures::default();
    while left.elapsed() < outage {
        let begun = Instant::now();
        let refused = host
            .request(Method::POST, &format!("/whatsapp/sessions/{}/disconnect", sessions[0]))
            .json(&json!({}))
            .send()
            .await
            .unwrap();
        refusals.add(begun.elapsed());
        assert_eq!(refused.status(), 503, "a command that can't be written down is refused");
        assert!(refused.headers().contains_key("retry-after"), "{refused:?}");
        let live = host.request(Method::GET, "/health/live").send().await.unwrap();
        assert_eq!(live.status(), 200, "the host lives");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(main_browsers_on(&host.data_dir()), browsers, "no browser was ended");
    come_back().await;
    let ready = until_ready(&host, true).await;
    let back = Instant::now();
    until("commands are taken again", async || {
        let path = format!("/whatsapp/sessions/{}/reconnect", sessions[0]);
        let answer = host.request(Method::POST, &path).json(&json!({})).send().await.ok()?;
        answer.status().is_success().then_some(())
    })
    .await;
    let commands = back.elapsed();
    println!(
        "not ready after {not_ready:?}, ready again after {ready:?}, commands again after {commands:?}; refusals: {refusals}"
    );
    assert!(refusals.max() < REFUSAL_GUARD, "{refusals}");
    assert!([not_ready, ready, commands].iter().all(|time| *time < SOON_GUARD));

    assert_good(&oracle.verdict().await);
    assert!(!host.log().contains("panicked"), "{}", host.log());
    assert_eq!(host.stop().await, Some(0));
    assert!(browsers_on(&host.data_dir()).is_empty());
    Leftovers::none(host.folder()).await;
}

async fn until_ready(host: &TestHost, is_ready: bool) -> Duration {
    let begun = Instant::now();
    until(&format!("ready is {is_ready}"), async || {
        let answer = host.request(Method::GET, "/health/ready").send().await.ok()?;
        (answer.status().is_success() == is_ready).then_some(())
    })
    .await;
    begun.elapsed()
}
