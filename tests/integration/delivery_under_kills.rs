//! The host is killed again and again while it delivers: no event is lost, each
//! session's come in order, and one that comes twice has the same id.
//!
//! `make soak` has a million events; `DELIVERY_EVENTS` and `DELIVERY_KILL_SECONDS`
//! set other numbers, `CRASH_SEED` repeats a run as far as chance is ours.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use pairing_store::testing::PostgresServer;
use pairing_tests::{Mood, Tally, TestHost, TestHostBuilder, WrittenJournal, tick};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use reqwest::Method;
use serde_json::{Value, json};

const EVENTS: u64 = 50_000;
/// Events of each session, and of each commit. A failure costs its session a
/// second, so there are many sessions.
const SESSION: u64 = 10;
const COMMIT: u64 = 5;
/// Kills at least, and at most: after that the host may come to an end.
const KILLS: std::ops::Range<u32> = 5..12;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_host_among_deliveries_loses_no_event_and_keeps_their_order_on_sqlite() {
    survives_kills(host()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_host_among_deliveries_loses_no_event_and_keeps_their_order_on_postgres() {
    let postgres = PostgresServer::start().await;
    survives_kills(host().set("DATABASE_URL", postgres.database().await)).await;
}

fn host() -> TestHostBuilder {
    let host = TestHost::on("http://127.0.0.1:9/").set("PAIRING_MODE", "development");
    host.set("PAIRING_RATE_LIMITS", "off")
}

async fn survives_kills(host: TestHostBuilder) {
    let seed = variable("CRASH_SEED").unwrap_or_else(rand::random);
    println!("CRASH_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let sessions = variable("DELIVERY_EVENTS").unwrap_or(EVENTS).div_ceil(SESSION);
    let events = sessions * SESSION;

    let mut host = host.start().await;
    let receivers = [
        ("healthy", Tally::new(Mood::Healthy, seed)),
        ("fickle", Tally::new(Mood::Fickle, seed)),
        ("down", Tally::new(Mood::Healthy, seed)),
    ];
    for (name, receiver) in &receivers {
        subscribe(&host, name, receiver).await;
    }
    let (down, up) = receivers.split_last().expect("there are three");
    up.iter().for_each(|(_, receiver)| receiver.listen());
    let journal = WrittenJournal::of(&host).await;
    let is_written = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write(journal, sessions, random.random(), is_written.clone()));

    let begun = Instant::now();
    let is_done = || receivers.iter().all(|(_, receiver)| receiver.books().events == events);
    let mut kills = 0;
    while !is_done() || kills < KILLS.start {
        let life = variable("DELIVERY_KILL_SECONDS").map_or_else(
            || Duration::from_millis(random.random_range(500..3000)),
            Duration::from_secs,
        );
        let goes_on = kills >= KILLS.end && variable("DELIVERY_KILL_SECONDS").is_none();
        tokio::time::sleep(life).await;
        if !goes_on {
            host.kill();
            kills += 1;
            if kills == KILLS.start - 2 {
                down.1.listen();
            }
            host.launch().await;
        }
        for (name, receiver) in &receivers {
            let books = receiver.books();
            assert!(books.wrong.is_empty(), "{name}: {:?}", &books.wrong[..1]);
        }
        guard(begun, &receivers);
    }
    writer.await.expect("no assertion failed");
    assert!(is_written.load(Ordering::Acquire));
    for (name, receiver) in &receivers {
        let books = receiver.books();
        println!(
            "{name}: {} events and {} of them again in {} requests, {kills} kills, {:?}",
            books.events,
            books.duplicates,
            books.requests,
            begun.elapsed()
        );
        assert_eq!((books.events, books.ids() as u64), (events, events), "{name}");
    }
    for (name, _) in &receivers {
        let path = format!("/plugins/webhook/subscriptions/{name}/dead-letters");
        let letters = host.get(&path).await;
        assert_eq!(letters["deadLetters"], json!([]), "{name}: {letters}");
    }
}

/// Guards against hanging.
fn guard(begun: Instant, receivers: &[(&str, Tally)]) {
    const PATIENCE: Duration = Duration::from_secs(660);
    if variable("DELIVERY_EVENTS").is_none() && begun.elapsed() > PATIENCE {
        let came: Vec<_> =
            receivers.iter().map(|(name, tally)| (name, tally.books().events)).collect();
        panic!("events that came so far: {came:?}");
    }
}

async fn subscribe(host: &TestHost, name: &str, receiver: &Tally) {
    let url = format!("http://{}/", receiver.address);
    let body = json!({
        "grants": {
            "config": true, "clock": true, "secrets": true, "log": true,
            "http": [{ "url": url }], "httpPerSecond": 10_000,
        },
        "config": { "url": url },
        "concurrency": 32,
        // Half of all attempts fail; nobody is down for so long that an event is
        // given up.
        "retrySeconds": if name == "down" { [[1; 5], [2; 5], [5; 5], [20; 5]].concat() } else { vec![1; 20] },
        "secrets": { "signing": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
        "from": "now",
    });
    let path = format!("/plugins/webhook/subscriptions/{name}");
    let response = host.request(Method::PUT, &path).json(&body).send().await.unwrap();
    let status = response.status();
    let answer: Value = response.json().await.unwrap_or_default();
    assert!(status.is_success(), "PUT {path}: {status} {answer}");
}

/// Writes all sessions' events, each session's in order, the sessions mixed.
async fn write(journal: WrittenJournal, sessions: u64, seed: u64, is_written: Arc<AtomicBool>) {
    let mut turns: Vec<u64> =
        (0..sessions).flat_map(|one| [one; (SESSION / COMMIT) as usize]).collect();
    turns.shuffle(&mut StdRng::seed_from_u64(seed));
    let mut last = vec![0; sessions as usize];
    for session in turns {
        let last = &mut last[session as usize];
        let ticks = (*last + 1..=*last + COMMIT).map(tick).collect();
        *last += COMMIT;
        journal.tell(&format!("session-{session}"), ticks).await;
    }
    is_written.store(true, Ordering::Release);
}
