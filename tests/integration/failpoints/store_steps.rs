//! Each commit of the store, in a process of its own that fails before it or after
//! it. Before: nothing of the step is there. After: all of it is. And in any case it
//! can be done again. On both databases; `FAILPOINT_SAMPLE` sets how many cases of
//! each (`make soak` has all), `CRASH_SEED` repeats a choice.

use std::{os::unix::process::ExitStatusExt, path::Path};

use futures::StreamExt;
use nix::sys::signal::Signal;
use pairing_failpoints::NAMES;
use pairing_store::testing::PostgresServer;
use pairing_tests::{binary, seed, variable};
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use tokio::process::Command;

use super::{WORDS, hits};

/// One statement is one step in SQLite, without a commit of ours.
const POSTGRES_ONLY: [&str; 2] = ["store.plugin.native-code", "store.plugin.pin"];

const SAMPLE: u64 = 45;

#[derive(Debug, PartialEq, Eq)]
enum End {
    Done,
    Failed,
    NotThere,
    Aborted,
}

async fn run(url: &str, step: &str, what: &str, failpoints: Option<(&str, &Path)>) -> End {
    let mut command = Command::new(binary("store-step"));
    command.args([url, step, what]).kill_on_drop(true);
    if let Some((setting, hits)) = failpoints {
        command.env("FAILPOINTS", setting).env("FAILPOINT_HITS", hits);
    }
    let output = command.output().await.expect("it is built: run `make build`");
    let said = String::from_utf8_lossy(&output.stderr);
    match (output.status.code(), output.status.signal()) {
        (Some(0), _) => End::Done,
        (Some(3), _) => End::Failed,
        (Some(10), _) => End::NotThere,
        (None, Some(signal)) if signal == Signal::SIGABRT as i32 => End::Aborted,
        other => panic!("{step} {what}: {other:?} {said}"),
    }
}

/// One failpoint in one way, on a database of its own.
async fn fails_well(url: &str, hits_file: &Path, name: &str, word: &str) {
    let (step, place) = name.rsplit_once('.').expect("a step and a place");
    let what = format!("{name} {word} on {url}");
    assert_eq!(run(url, step, "prepare", None).await, End::Done, "{what}");
    // Of these two a look changes something, so there is only one.
    let looks_once = matches!(step, "store.login.rotate" | "store.budget.spend");
    if !looks_once {
        assert_eq!(run(url, step, "look", None).await, End::NotThere, "{what}: nothing yet");
    }
    let setting = format!("{name}=1*return({word})");
    let end = run(url, step, "do", Some((&setting, hits_file))).await;
    assert_eq!(hits(hits_file, name, word), 1, "{what}: it was met once");
    match word {
        "abort" => assert_eq!(end, End::Aborted, "{what}"),
        "error" => assert_eq!(end, End::Failed, "{what}"),
        // A call may give up meanwhile.
        _ => assert!(matches!(end, End::Done | End::Failed), "{what}: {end:?}"),
    }
    let there = run(url, step, "look", None).await;
    match place {
        "before" if end != End::Done => {
            if word != "delay" {
                assert_eq!(there, End::NotThere, "{what}: nothing may be there");
            }
        }
        _ => assert_eq!(there, End::Done, "{what}: it must be there"),
    }
    if looks_once {
        return;
    }
    run(url, step, "do", None).await;
    assert_eq!(run(url, step, "look", None).await, End::Done, "{what}: it can be done again");
}

/// The commits' failpoints.
fn commits() -> impl Iterator<Item = &'static str> {
    NAMES.into_iter().filter(|name| name.starts_with("store."))
}

async fn all_fail_well(mut url: impl AsyncFnMut(usize) -> String, without: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let mut cases = Vec::new();
    for name in commits() {
        if without.iter().any(|step| name.starts_with(step)) {
            continue;
        }
        for word in WORDS {
            cases.push((name, word));
        }
    }
    let sample = variable("FAILPOINT_SAMPLE").unwrap_or(SAMPLE);
    cases.shuffle(&mut StdRng::seed_from_u64(seed()));
    cases.truncate(usize::try_from(sample).unwrap_or(usize::MAX));
    let count = cases.len();
    let mut placed = Vec::new();
    for (number, (name, word)) in cases.into_iter().enumerate() {
        let hits = folder.path().join(format!("hits-{number}"));
        placed.push((url(number).await, hits, name, word));
    }
    // The processes wait for the disk and for each other's delays.
    let all = futures::stream::iter(placed).map(|(url, hits, name, word)| async move {
        fails_well(&url, &hits, name, word).await;
    });
    all.buffer_unordered(6).collect::<Vec<_>>().await;
    println!("{count} faults injected and survived");
    assert!(count >= 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_commit_can_fail_before_and_after_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = async |case: usize| {
        format!("sqlite:{}", folder.path().join(format!("{case}.db")).display())
    };
    all_fail_well(url, &POSTGRES_ONLY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_commit_can_fail_before_and_after_on_postgres() {
    let postgres = PostgresServer::start().await;
    all_fail_well(async |_| postgres.database().await, &[]).await;
}
