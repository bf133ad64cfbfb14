//! A host with many linked sessions starts: never more browsers start at once than
//! are allowed, those that were active last come first, one that can't start holds
//! up nobody, and the API answers meanwhile.
//!
//! `BOOT_SESSIONS` sets their number and `BOOT_BURN_MS` what a start takes of the
//! processor (`make soak` has two hundred, and two seconds).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use pairing_tests::{Figures, Leftovers, TestHost, variable};
use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;

use super::{link, names, until_connected};

const SESSIONS: u64 = 20;
const PERMITS: usize = 2;
/// Aimed at are 200 ms; others use this machine, too.
const API_GUARD: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_boot_of_many_sessions_starts_few_at_once_and_the_last_active_first() {
    let count = variable("BOOT_SESSIONS").unwrap_or(SESSIONS);
    let sessions = names("boot", usize::try_from(count).unwrap());
    let mut host = TestHost::with_fake_browsers("--fake-links-after=20")
        .set("PAIRING_CONCURRENT_STARTS", 8)
        .start()
        .await;
    link(&host, &sessions).await;
    // The activity of each is its last change of state: those in the middle are now
    // the last ones, in this order.
    let active: Vec<String> = sessions.iter().rev().step_by(3).take(5).cloned().collect();
    for session in &active {
        for word in ["disconnect", "reconnect"] {
            host.post(&format!("/whatsapp/sessions/{session}/{word}"), json!({})).await;
        }
        host.until_status(session, "CONNECTED").await;
    }
    host.kill();

    // Each start now takes some of the processor, and 50 MiB.
    let burn = variable("BOOT_BURN_MS").unwrap_or(800);
    let flags = format!("--fake-links-after=20 --fake-burn={burn} --fake-hold=50");
    host.set("PAIRING_CONCURRENT_STARTS", Some(&PERMITS.to_string()));
    host.set("PAIRING_CHROMIUM_ARGS", Some(&flags));
    let begun = Instant::now();
    host.launch().await;
    let answers = Arc::new(Mutex::new(Figures::default()));
    let asking = ask_all_the_time(host.url(), host.token().to_owned(), answers.clone());
    let asking = AbortOnDropHandle::new(tokio::spawn(asking));
    until_connected(&host, &sessions).await;
    let took = begun.elapsed();
    drop(asking);
    let answers = answers.lock().unwrap().clone();
    let starts = starts_of_last_life(&host, &sessions);
    println!(
        "{count} sessions with {PERMITS} permits: all up after {took:?}; the API meanwhile: p99 {:?}, {answers}",
        answers.percentile(99)
    );
    assert!(answers.count() > 10 && answers.percentile(99) < API_GUARD, "{answers}");
    assert_eq!(starts.len(), sessions.len(), "each was started once more");
    assert!(most_at_once(&starts) <= PERMITS, "starts overlapped: {starts:?}");
    let order: Vec<&String> = starts.iter().map(|(_, _, session)| session).collect();
    let first: Vec<&String> = order[..active.len()].to_vec();
    for session in &active {
        assert!(first.contains(&session), "the last active come first: {first:?} of {active:?}");
    }
    assert_eq!(host.stop().await, Some(0));
    Leftovers::none(host.folder()).await;
}

async fn ask_all_the_time(url: String, token: String, answers: Arc<Mutex<Figures>>) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    loop {
        let begun = Instant::now();
        let request = client.get(format!("{url}/whatsapp/sessions")).bearer_auth(&token);
        if request.send().await.is_ok_and(|answer| answer.status() == 200) {
            answers.lock().unwrap().add(begun.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// When the last browser of each session began and was ready, by its own book.
fn starts_of_last_life(host: &TestHost, sessions: &[String]) -> Vec<(u64, u64, String)> {
    let mut starts: Vec<_> = sessions
        .iter()
        .map(|session| {
            let book = host.data_dir().join("profiles").join(session).join("fake-page.log");
            let book = std::fs::read_to_string(book).unwrap();
            let lines = book.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let mut times: BTreeMap<String, u64> = BTreeMap::new();
            for line in lines {
                let what = line["what"].as_str().unwrap_or_default().to_owned();
                times.insert(what, line["at"].as_u64().unwrap());
            }
            (times["begins"], times["ready"], session.clone())
        })
        .collect();
    starts.sort();
    starts
}

/// The most browsers that were between their begin and their first word at once.
fn most_at_once(starts: &[(u64, u64, String)]) -> usize {
    let open_at = |time: u64| {
        starts.iter().filter(move |(begin, ready, _)| *begin <= time && time < *ready).count()
    };
    starts.iter().map(|(begin, ..)| open_at(*begin)).max().unwrap_or(0)
}
