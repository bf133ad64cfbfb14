//! On a real database, which the killed host leaves behind.

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use pairing_core::{
    clock::Clock,
    event::{Cursor, EventData},
    plugin::PluginDigest,
    store::{Commit, RecordedInput, Store},
    subscription::{Subscription, SubscriptionSettings},
};
use pairing_delivery::{Deliveries, DeliveryParts};
use tokio::sync::watch;

use crate::world::{Answer, World, record, retry, retrying, subscription};

const SESSIONS: u64 = 100;
const EVENTS: u64 = 200;
const NAMES: [&str; 3] = ["flaky", "slow-to-start", "well"];

#[test]
fn nothing_is_lost_when_the_host_is_killed_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new();
    block_on(async {
        let store = open(folder.path()).await;
        for session in 0..SESSIONS {
            store.commit(&events(session, &world)).await.unwrap();
        }
        for name in NAMES {
            let settings = retrying(&[0, 0, 0, 0]);
            store.put_subscription(&made(name, settings, &world), Cursor(0)).await.unwrap();
        }
    });
    let mut asked = 0_u64;
    world.handlers.answer(move |id, _, attempt| {
        asked += 1;
        let fails = match id.name.as_str() {
            "flaky" => asked.is_multiple_of(2) && attempt.number < 5,
            "slow-to-start" => asked < 30_000 && attempt.number < 5,
            _ => false,
        };
        Answer::Now(if fails { Err(retry()) } else { Ok(()) })
    });
    for calls in [5_000, 15_000, 30_000] {
        block_on(async {
            let _deliveries = start(folder.path(), &world).await;
            world.handlers.wait_until(|made| made.len() > calls).await;
        });
    }
    block_on(async {
        let begun = tokio::time::Instant::now();
        let before = world.handlers.calls().len();
        let deliveries = start(folder.path(), &world).await;
        let is_done = async || {
            let reports = deliveries.reports().await.unwrap();
            reports.iter().all(|report| (report.lag, report.lagging) == (0, 0))
        };
        while !is_done().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        deliveries.stop().await;
        let calls = world.handlers.calls().len() - before;
        println!("the last life made {calls} calls in {:.2} s", begun.elapsed().as_secs_f64());
        let store = open(folder.path()).await;
        for name in NAMES {
            let progress = store.progress(&subscription(name)).await.unwrap().unwrap();
            assert_eq!(progress.cursor, Cursor(SESSIONS * EVENTS), "of {name}");
            assert_eq!(progress.lanes, []);
            assert_eq!(store.count_dead_letters(&subscription(name)).await.unwrap(), 0);
        }
    });
    let calls = world.handlers.calls();
    for name in NAMES {
        let handled = calls
            .iter()
            .filter(|call| call.subscription == subscription(name) && call.result == Some(Ok(())));
        let mut places = BTreeSet::new();
        for call in handled {
            let place: u64 = call.event.id.parse().unwrap();
            // Each session's events stand one behind the other.
            let is_next = (place - 1).is_multiple_of(EVENTS) || places.contains(&(place - 1));
            assert!(is_next, "{place} came before its predecessor to {name}");
            places.insert(place);
        }
        assert_eq!(places.len() as u64, SESSIONS * EVENTS, "handled by {name}");
    }
}

/// As a process would: when it is over, whatever still runs is gone.
fn block_on(work: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(work);
}

async fn open(folder: &Path) -> Arc<dyn Store> {
    let url = format!("sqlite:{}", folder.join("pairing.db").display());
    pairing_store::connect(&pairing_store::Config::new(url)).await.unwrap()
}

async fn start(folder: &Path, world: &World) -> Deliveries {
    let parts = DeliveryParts {
        store: open(folder).await,
        handlers: world.handlers.clone(),
        clock: world.clock.clone(),
        head: watch::Sender::new(Cursor(0)).subscribe(),
    };
    Deliveries::start(parts).await.unwrap()
}

fn events(session: u64, world: &World) -> Commit {
    let now = world.clock.now();
    Commit {
        record: record(&format!("s{session}"), now),
        input: RecordedInput {
            number: 1,
            at: now,
            digest: PluginDigest("0".repeat(64).into()),
            state_schema: 1,
            fuel: 0,
            input: "{}".into(),
            context: "{}".into(),
            transition: "{}".into(),
        },
        events: vec![EventData::Loading { percent: 7 }; EVENTS as usize],
        history: None,
        evidence: None,
        delete: false,
    }
}

fn made(name: &str, settings: SubscriptionSettings, world: &World) -> Subscription {
    let now = world.clock.now();
    Subscription {
        id: subscription(name),
        settings,
        secrets: Default::default(),
        disabled: None,
        created_at: now,
        updated_at: now,
        updated_by: "test".into(),
    }
}
