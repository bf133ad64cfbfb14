//! The real host meets each failpoint once in each way while it works. It ends in a
//! state that the oracle accepts, and does the same thing well the next time.
//!
//! `FAILPOINT_SAMPLE` sets how many of all cases are tried (`make soak` has all);
//! `CRASH_SEED` repeats a choice.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use pairing_failpoints::NAMES;
use pairing_tests::{
    Leftovers, Oracle, OracleOptions, TestHost, assert_good, marked, released, seed, until,
    variable,
};
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use reqwest::Method;
use serde_json::{Value, json};

use super::{WORDS, hits};

const SAMPLE: u64 = 40;
const FLAGS: &str = "--fake-links-after=30 --fake-flap-every=490";
const STEADY: &str = "steady";
const MOVED: &str = "moved";
/// Never links itself.
const UNLINKED: &str = "unlinked-one";
const PATIENCE: Duration = Duration::from_secs(60);

/// What no deed of a running host comes by; `store_steps` has all of these.
const ELSEWHERE: [&str; 8] = [
    "store.journal.append",
    "store.delivery.purge",
    "store.kv.",
    "store.login.",
    "store.plugin.park",
    "store.plugin.pin",
    "store.hooks.",
    "store.delivery.requeue",
];
/// What happens only when a host makes its folder.
const AT_FIRST_START: [&str; 1] = ["data-dir."];
/// What happens only in Postgres.
const POSTGRES_ONLY: [&str; 1] = ["store.plugin.native-code"];

fn is_one_of(name: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

fn cases(wanted: impl Fn(&str) -> bool) -> Vec<(&'static str, &'static str)> {
    let names = NAMES.into_iter().filter(|name| wanted(name));
    names.flat_map(|name| WORDS.map(|word| (name, word))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_whose_steps_fail_loses_nothing_and_goes_on() {
    let seed = seed();
    let mut cases = cases(|name| {
        !is_one_of(name, &ELSEWHERE)
            && !is_one_of(name, &AT_FIRST_START)
            && !is_one_of(name, &POSTGRES_ONLY)
    });
    let all = cases.len();
    cases.shuffle(&mut StdRng::seed_from_u64(seed));
    let sample = usize::try_from(variable("FAILPOINT_SAMPLE").unwrap_or(SAMPLE)).unwrap();
    cases.truncate(sample.min(all));

    let mut host = TestHost::with_fake_browsers(FLAGS)
        .set("PAIRING_PAIRING_FIRST_RETRY_DELAY", "200ms")
        .set("PAIRING_PAIRING_MAX_RETRY_DELAY", "1s")
        .start()
        .await;
    let options = OracleOptions {
        sessions: vec![STEADY.into(), MOVED.into()],
        commanded: Vec::new(),
        commands_every: 1000,
        seed,
    };
    let oracle = Oracle::watch(&host, &options).await;
    for session in [STEADY, MOVED] {
        host.init(session).await;
        host.until_status(session, "CONNECTED").await;
    }
    host.init(UNLINKED).await;

    let folder = tempfile::tempdir().unwrap();
    for (number, (name, word)) in cases.iter().enumerate() {
        let begun = Instant::now();
        let hits_file = folder.path().join(number.to_string());
        meet(&mut host, name, word, number, hits_file).await;
        println!("{name} {word}: survived in {:?}", begun.elapsed());
    }
    println!("{} faults of {all} injected and survived", cases.len());
    assert_good(&oracle.verdict().await);
    assert_eq!(host.stop().await, Some(0));
    Leftovers::none(host.folder()).await;
}

/// One fault: the host begins with it, comes to it, and goes on without it.
async fn meet(host: &mut TestHost, name: &str, word: &str, number: usize, hits_file: PathBuf) {
    host.stop().await;
    host.set("FAILPOINTS", Some(&format!("{name}=1*return({word})")));
    host.set("FAILPOINT_HITS", Some(&hits_file.display().to_string()));
    host.spawn();
    let begun = Instant::now();
    // It may meet it at its start, and end by it.
    while !is_ready(host).await {
        if host.ended().is_some() || begun.elapsed() > PATIENCE {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    while hits(&hits_file, name, word) == 0 && host.pid() != 0 {
        assert!(begun.elapsed() < PATIENCE, "{name} {word} is never met:\n{}", host.log());
        // Whatever comes of it: the host may end in the middle.
        let _ = deed(host, name, number).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(hits(&hits_file, name, word) > 0, "{name} {word}: {}", host.log());

    // A process that ended by it is started again by whoever watches it, and a host
    // that did not goes on as it is.
    host.set("FAILPOINTS", None);
    host.set("FAILPOINT_HITS", None);
    let is_in_sentinel = name == "browser.spawn";
    if word == "abort" && !is_in_sentinel && host.pid() != 0 {
        until("the host has ended", async || host.ended().map(drop)).await;
    }
    if host.ended().is_some() || host.pid() == 0 || is_in_sentinel {
        host.kill();
        host.launch().await;
    }
    // The next time it goes well.
    let begun = Instant::now();
    loop {
        match deed(host, name, number).await {
            Ok(()) => break,
            Err(why) => {
                assert!(begun.elapsed() < PATIENCE, "after {name} {word}: {why}\n{}", host.log());
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    host.until_status(MOVED, "CONNECTED").await;
}

async fn is_ready(host: &TestHost) -> bool {
    let answer = host.request(Method::GET, "/health/ready").send().await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

/// What brings the host to this step.
async fn deed(host: &TestHost, name: &str, number: usize) -> Result<(), String> {
    let subscription = "/plugins/webhook/subscriptions/noted";
    match name.rsplit_once('.').map_or(name, |(step, _)| step) {
        "store.budget.spend" => {
            if host.status(UNLINKED).await["status"] != "QR_READY" {
                tell(host, Method::POST, "/whatsapp/init", json!({ "sessionName": UNLINKED }))
                    .await?;
            }
            let path = format!("/whatsapp/pair/{UNLINKED}");
            let body = json!({ "phoneNumber": format!("+55 11 9{:04}-{:04}", number % 9000 + 1000, 1234) });
            tell(host, Method::POST, &path, body).await
        }
        "store.subscription.put" => tell(host, Method::PUT, subscription, noted()).await,
        "store.subscription.seek" => {
            tell(host, Method::PUT, subscription, noted()).await?;
            let path = format!("{subscription}/seek");
            tell(host, Method::POST, &path, json!({ "cursor": "now" })).await
        }
        "store.subscription.set-disabled" => {
            tell(host, Method::PUT, subscription, noted()).await?;
            let path = format!("{subscription}/disable");
            tell(host, Method::POST, &path, json!({ "why": "a test" })).await
        }
        "store.subscription.remove" | "store.subscription.remove-letters" => {
            tell(host, Method::PUT, subscription, noted()).await?;
            tell(host, Method::DELETE, subscription, json!({})).await
        }
        "store.plugin.add-version"
        | "store.plugin.native-code"
        | "store.plugin.note"
        | "store.plugin.activate"
        | "compiler" => push(host, number).await,
        "profile.wipe" => {
            let body = json!({ "sessionName": "unlinked-wiped" });
            tell(host, Method::POST, "/whatsapp/init", body).await?;
            tell(host, Method::DELETE, "/whatsapp/sessions/unlinked-wiped", json!({})).await
        }
        // What every session's life comes by.
        _ => {
            for word in ["disconnect", "reconnect"] {
                let path = format!("/whatsapp/sessions/{MOVED}/{word}");
                tell(host, Method::POST, &path, json!({})).await?;
            }
            Ok(())
        }
    }
}

/// A component that was not there before, made active.
async fn push(host: &TestHost, number: usize) -> Result<(), String> {
    let mark = u8::try_from(100 + number % 150).unwrap_or(u8::MAX);
    let component = marked(&released("workflow"), mark);
    let request = host.request(Method::POST, "/plugins/workflow/versions");
    let request = request.header("content-type", "application/wasm").body(component);
    let response = request.send().await.map_err(|error| error.to_string())?;
    let status = response.status();
    let body: Value = response.json().await.unwrap_or_default();
    let Some(digest) = body["digest"].as_str().filter(|_| status.is_success()) else {
        return Err(format!("push: {status} {body}"));
    };
    let path = "/plugins/workflow/activate";
    match tell(host, Method::POST, path, json!({ "digest": digest })).await {
        // It was done, and only not told.
        Err(why) if why.contains("is active already") => Ok(()),
        other => other,
    }
}

fn noted() -> Value {
    let url = "http://127.0.0.1:9/";
    json!({
        "grants": {
            "config": true, "clock": true, "secrets": true, "log": true,
            "http": [{ "url": url }],
        },
        "config": { "url": url },
        "sessions": ["nobody"],
        "secrets": { "signing": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
        "from": "now",
    })
}

async fn tell(host: &TestHost, method: Method, path: &str, body: Value) -> Result<(), String> {
    let what = format!("{method} {path}");
    let request = host.request(method, path).json(&body).timeout(Duration::from_secs(20));
    let response = request.send().await.map_err(|error| format!("{what}: {error}"))?;
    let status = response.status();
    let text = response.text().await.unwrap_or_default();
    if status.is_success() { Ok(()) } else { Err(format!("{what}: {status} {text}")) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_that_fails_in_the_middle_is_made_good_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let all = cases(|name| is_one_of(name, &AT_FIRST_START));
    let sample = variable("FAILPOINT_SAMPLE").map_or(3, |sample| sample as usize);
    // One of each way at least; `make soak` has them all.
    let mut chosen = all.clone();
    chosen.shuffle(&mut StdRng::seed_from_u64(seed()));
    chosen.truncate(sample.max(3));
    for (number, (name, word)) in chosen.iter().enumerate() {
        let hits_file = folder.path().join(number.to_string());
        let mut host = TestHost::with_fake_browsers(FLAGS).unstarted();
        host.set("FAILPOINTS", Some(&format!("{name}=1*return({word})")));
        host.set("FAILPOINT_HITS", Some(&hits_file.display().to_string()));
        host.spawn();
        let begun = Instant::now();
        while host.ended().is_none() && !is_ready(&host).await {
            assert!(begun.elapsed() < PATIENCE, "{name} {word}: neither ready nor ended");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(hits(&hits_file, name, word), 1, "{name} {word}: {}", host.log());
        host.kill();
        host.set("FAILPOINTS", None);
        host.launch().await;
        // All keys are whole, and no half of one is left.
        for key in std::fs::read_dir(host.data_dir().join("keys")).unwrap() {
            let key = key.unwrap();
            assert!(key.metadata().unwrap().len() > 0, "{:?} is empty", key.path());
        }
        host.init(STEADY).await;
        host.until_status(STEADY, "CONNECTED").await;
        println!("{name} {word}: the next start made it good");
    }
}
