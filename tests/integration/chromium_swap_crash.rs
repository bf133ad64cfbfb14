//! The host is killed while plugins are swapped. Each slot then has the version that
//! its history names, and a linked session goes on.

use std::time::Duration;

use pairing_core::store::RecordedInput;
use pairing_store::testing::PostgresServer;
use pairing_tests::{TestHost, TestHostBuilder, marked, released};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use standin::Standin;

const SESSION: &str = "pairing-console";
/// `SWAP_KILLS` sets another number, `CRASH_SEED` repeats a run.
const KILLS: usize = 5;
/// In each life of the host.
const ACTIVATIONS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_host_among_activations_leaves_what_the_history_names_on_sqlite() {
    let standin = Standin::start(standin::Config::default()).await.unwrap();
    survives_kills(&standin, on(&standin).start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_host_among_activations_leaves_what_the_history_names_on_postgres() {
    let standin = Standin::start(standin::Config::default()).await.unwrap();
    let postgres = PostgresServer::start().await;
    let host = on(&standin).set("DATABASE_URL", postgres.database().await);
    survives_kills(&standin, host.start().await).await;
}

fn on(standin: &Standin) -> TestHostBuilder {
    let host = TestHost::on(standin.base_url()).set("PAIRING_MODE", "development");
    // Many activations follow each other faster than an operator may have them.
    host.set("PAIRING_RATE_LIMITS", "off")
}

async fn survives_kills(standin: &Standin, mut host: TestHost) {
    let variable = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    let seed = variable("CRASH_SEED").unwrap_or_else(rand::random);
    println!("CRASH_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let kills = variable("SWAP_KILLS").map_or(KILLS, |kills| kills as usize);

    host.init(SESSION).await;
    let (qr, _) = host.until_qr(SESSION, 0).await;
    standin.scan_data_url(&qr).await.unwrap();
    host.until_status(SESSION, "CONNECTED").await;
    let versions = [
        host.push("workflow", &marked(&released("workflow"), 1)).await,
        host.push("workflow", &marked(&released("workflow"), 2)).await,
    ];
    host.activate("workflow", &versions[1]).await;

    let mut inputs = host.inputs(SESSION).await;
    let mut generation = 0;
    for _ in 0..kills {
        generation = activate_and_kill(&mut host, &versions, &mut random).await.max(generation);
        host.launch().await;
        let slot = host.slot("workflow").await;
        let (named, digest) = last_of(&host.plugin_changes("workflow").await);
        assert_eq!((&slot["generation"], &slot["digest"]), (&json!(named), &json!(digest)));
        assert!(named >= generation, "what was answered is kept");
        assert!(named <= generation + 1, "nothing was done that nobody asked for");
        assert_eq!(slot["pinnedSessions"], 0);
        generation = named;

        host.until_status(SESSION, "CONNECTED").await;
        host.init(SESSION).await;
        inputs = grown(&host, inputs).await;
        assert_eq!(*inputs.last().unwrap().digest.0, *digest, "the active version decides");
        let compiled = host.metric(r#"plugin_native_code_total{result="miss"}"#).await;
        assert!(compiled.is_empty(), "nothing is compiled at a start: {compiled:?}");
    }
    assert_eq!(standin.state().devices.len(), 1, "the link is the same");
}

/// Kills the host within one of many activations; gives the generation of the last
/// one that was answered.
async fn activate_and_kill(
    host: &mut TestHost,
    versions: &[String; 2],
    random: &mut StdRng,
) -> u64 {
    let active = host.slot("workflow").await;
    let mut turn = usize::from(active["digest"] == *versions[0]);
    let mut generation = active["generation"].as_u64().unwrap();
    for _ in 0..random.random_range(0..ACTIVATIONS) {
        let activated = host.activate("workflow", &versions[turn % 2]).await;
        let next = activated["generation"].as_u64().unwrap();
        assert_eq!(next, generation + 1);
        (generation, turn) = (next, turn + 1);
    }
    let moment = Duration::from_micros(random.random_range(0..30_000));
    tokio::select! {
        activated = host.try_to_activate("workflow", &versions[turn % 2]) => {
            let activated: Value = activated.unwrap().json().await.unwrap();
            generation = activated["generation"].as_u64().unwrap();
        }
        () = tokio::time::sleep(moment) => {}
    }
    host.kill();
    generation
}

/// The newest change that was done. Each must go on where the one before ended.
fn last_of(changes: &[Value]) -> (u64, String) {
    let done: Vec<_> = changes
        .iter()
        .filter(|change| change["refusal"].is_null())
        .filter(|change| ["seed", "activate"].contains(&change["action"].as_str().unwrap()))
        .collect();
    for pair in done.windows(2) {
        assert_eq!(pair[0]["from"], pair[1]["to"], "the history has a gap: {pair:?}");
    }
    (done[0]["number"].as_u64().unwrap(), done[0]["to"].as_str().unwrap().to_owned())
}

/// All inputs now; those that were read before must stand there unchanged.
async fn grown(host: &TestHost, before: Vec<RecordedInput>) -> Vec<RecordedInput> {
    let now = host.inputs(SESSION).await;
    assert!(now.len() > before.len() && now[..before.len()] == before[..], "none is lost");
    for (number, input) in (1..).zip(&now) {
        assert_eq!(input.number, number, "none is missing or taken twice");
    }
    now
}
