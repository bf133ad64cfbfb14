//! The host is killed at random moments while a session is paired and connected.
//! Nothing that was committed is lost or doubled, no browser is left, and the
//! session goes on.

use std::time::Duration;

use nix::sys::signal::Signal;
use pairing_store::testing::PostgresServer;
use pairing_tests::{TestHost, browsers_on, kill, until};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::Value;
use standin::Standin;

const SESSION: &str = "pairing-console";
const KILLS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_host_at_twenty_moments_loses_and_doubles_nothing_on_sqlite() {
    let standin = Standin::start(standin::Config::default()).await.unwrap();
    let host = TestHost::on(standin.base_url()).start().await;
    survives_kills(&standin, host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_host_at_twenty_moments_loses_and_doubles_nothing_on_postgres() {
    let standin = Standin::start(standin::Config::default()).await.unwrap();
    let postgres = PostgresServer::start().await;
    let url = postgres.database().await;
    let host = TestHost::on(standin.base_url()).set("DATABASE_URL", url).start().await;
    survives_kills(&standin, host).await;
}

async fn survives_kills(standin: &Standin, mut host: TestHost) {
    let seed = std::env::var("CRASH_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(rand::random);
    println!("CRASH_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);

    host.init(SESSION).await;
    let mut journal: Vec<Value> = Vec::new();
    for round in 0..KILLS {
        // The first half of the kills meets pairing, the second a linked session.
        if round == KILLS / 2 {
            let (qr, _) = until_fresh_qr(&host).await;
            standin.scan_data_url(&qr).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(0..2500))).await;
        journal = grown(&host, journal).await;
        host.kill();
        host.launch().await;
        journal = grown(&host, journal).await;
        let status = host.status(SESSION).await;
        assert_ne!(status["reason"], "not_started", "the session's row is there: {status}");
    }
    host.until_status(SESSION, "CONNECTED").await;
    grown(&host, journal).await;
    assert_eq!(standin.state().devices.len(), 1, "the link is the same");

    host.stop().await;
    assert!(browsers_on(&host.data_dir()).is_empty(), "no browser of any life is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_browser_is_replaced() {
    let standin = Standin::start(standin::Config::default()).await.unwrap();
    let host = TestHost::on(standin.base_url()).start().await;
    host.init(SESSION).await;
    let (_, first) = host.until_qr(SESSION, 0).await;
    kill_browser(&host);
    let (qr, _) = host.until_qr(SESSION, first).await;
    standin.scan_data_url(&qr).await.unwrap();
    host.until_status(SESSION, "CONNECTED").await;
    kill_browser(&host);
    host.until_status(SESSION, "CONNECTING").await;
    host.until_status(SESSION, "CONNECTED").await;
    assert_eq!(standin.state().devices.len(), 1, "the link is the same");
}

fn kill_browser(host: &TestHost) {
    for pid in browsers_on(&host.data_dir()) {
        kill(pid, Signal::SIGKILL);
    }
}

async fn until_fresh_qr(host: &TestHost) -> (String, u64) {
    let status = host.status(SESSION).await;
    // A code that was made before a kill is void; wait for one of this life.
    match status["qrCode"].as_str() {
        Some(qr) => (qr.to_owned(), status["sequence"].as_u64().unwrap_or_default()),
        None => host.until_qr(SESSION, 0).await,
    }
}

/// The whole journal now. All that was read before must stand in it unchanged,
/// and places must follow each other without gaps.
async fn grown(host: &TestHost, before: Vec<Value>) -> Vec<Value> {
    let now = until("the journal can be read", async || {
        let page = host.get("/whatsapp/events?after=0&limit=1000").await;
        page["events"].as_array().cloned()
    })
    .await;
    assert!(now.len() >= before.len(), "entries are lost: {} of {}", now.len(), before.len());
    assert_eq!(now[..before.len()], before[..], "earlier entries are unchanged");
    for (place, event) in now.iter().enumerate() {
        assert_eq!(event["id"], (place + 1).to_string(), "no place is missing or taken twice");
    }
    now
}
