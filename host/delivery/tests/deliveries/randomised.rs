//! Everything at once, by chance: outcomes, kills of the host, outages, requeued
//! dead letters, a journal that forgets. Afterwards nothing may be missing.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::{Arc, Mutex},
    time::Duration,
};

use pairing_core::{
    clock::{Clock, Timestamp},
    delivery_store::DeliveryStore,
    event::{Cursor, EventData},
    handler::{HandleError, HandlerEvent},
    id::SessionName,
    plugin::PluginError,
    subscription::SubscriptionSettings,
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use crate::world::{Answer, Called, World, id, record, retry, session, slot, trapped};

const SESSIONS: [&str; 4] = ["a", "b", "c", "d"];
const RETRIES: [u32; 3] = [5, 60, 600];

/// What happened, and to whom.
#[derive(Default)]
struct Truth {
    events: BTreeMap<u64, SessionName>,
    /// Events that were requeued at some time: they come out of order.
    requeued: BTreeSet<u64>,
    /// Events that the journal forgot, perhaps unread.
    forgotten: u64,
}

#[test]
fn nothing_is_lost_and_order_is_kept_whatever_happens() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    run(match (number("DELIVERY_SEED"), number("DELIVERY_SEEDS")) {
        (Some(seed), _) => seed..=seed,
        (None, count) => 1..=count.unwrap_or(100),
    });
}

fn run(seeds: RangeInclusive<u64>) {
    for seed in seeds {
        println!("DELIVERY_SEED={seed}");
        Run::new(seed).run();
    }
}

struct Run {
    world: World,
    truth: Truth,
    rng: StdRng,
    /// For the handlers: how many of a hundred attempts succeed.
    kindness: Arc<Mutex<u32>>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let world = World::with(SubscriptionSettings {
            retry_seconds: RETRIES.to_vec(),
            concurrency: 2,
            ..Default::default()
        });
        for name in SESSIONS {
            world.store.put_session(record(name, Timestamp(0)));
        }
        let mut rng = StdRng::seed_from_u64(seed);
        let kindness = Arc::new(Mutex::new(50));
        let (kind, mut chance) = (kindness.clone(), StdRng::seed_from_u64(rng.random()));
        world.handlers.answer(move |_, event, _| answer(event, *kind.lock().unwrap(), &mut chance));
        Self { world, truth: Truth::default(), rng, kindness }
    }

    fn run(mut self) {
        for _ in 0..self.rng.random_range(1..8) {
            let called = self.world.handlers.calls().len();
            self.live();
            let calls = self.world.handlers.calls();
            self.check_order_in_one_life(&calls[called..]);
        }
        self.come_to_an_end();
        self.check_order_of_first_calls();
        self.check_nothing_is_missing();
    }

    /// The host runs for a while and is killed. Only what is in the store is left.
    fn live(&mut self) {
        let runtime = paused_runtime();
        runtime.block_on(async {
            let deliveries = self.world.start().await;
            for _ in 0..self.rng.random_range(1..30) {
                self.step().await;
                deliveries.reload().await;
            }
        });
        self.world.store.fail_reads(false);
        self.world.store.fail_writes(false);
    }

    async fn step(&mut self) {
        let world = &self.world;
        match self.rng.random_range(0..100) {
            0..40 => {
                for _ in 0..self.rng.random_range(1..200) {
                    let name = SESSIONS.choose(&mut self.rng).unwrap();
                    let place = world.happens(name);
                    self.truth.events.insert(place.0, session(name));
                }
            }
            40..60 => {
                world.clock.advance(Duration::from_secs(self.rng.random_range(1..1_000)));
            }
            60..70 => {
                let from = Cursor(self.rng.random_range(0..=self.truth.events.len() as u64));
                let to = Cursor(from.0 + 20);
                let now = world.clock.now();
                world.store.requeue(&id(), from, to, now).await.ok();
                let letters = world.store.requeued(&id(), 10_000).await.unwrap_or_default();
                self.truth.requeued.extend(letters.iter().map(|dead| dead.event.id.0));
            }
            70..75 => world.store.fail_writes(self.rng.random()),
            75..80 => world.store.fail_reads(self.rng.random_bool(0.3)),
            80..85 => world.clock.set_back(Duration::from_secs(self.rng.random_range(1..500))),
            85..88 => {
                let newest = self.truth.events.len() as u64;
                let up_to = self.rng.random_range(self.truth.forgotten..=newest);
                world.store.forget(Cursor(up_to));
                self.truth.forgotten = up_to;
            }
            88..92 => *self.kindness.lock().unwrap() = self.rng.random_range(0..=100),
            _ => {}
        }
        // Not always long enough for everything to be done and saved.
        tokio::time::sleep(Duration::from_millis(self.rng.random_range(0..300))).await;
    }

    /// All is well, and one more event for each session.
    fn come_to_an_end(&mut self) {
        *self.kindness.lock().unwrap() = 101;
        paused_runtime().block_on(async {
            let deliveries = self.world.start().await;
            for name in SESSIONS {
                let place = self.world.happens(name);
                self.truth.events.insert(place.0, session(name));
            }
            let last = Cursor(self.truth.events.len() as u64);
            for _ in 0..5 {
                self.world.pass(3_600).await;
            }
            self.world.wait_for_all(&id(), last).await;
            deliveries.stop().await;
        });
    }

    /// While the host runs, a session's next event waits for the one before.
    fn check_order_in_one_life(&self, calls: &[Called]) {
        let mut retried = BTreeMap::<&SessionName, &str>::new();
        for call in calls.iter().filter(|call| !self.is_letter(&call.event)) {
            let (session, id) = (&call.event.session, call.event.id.as_str());
            if let Some(expected) = retried.get(session)
                && !id.starts_with("gap")
                && self.truth.forgotten == 0
            {
                assert_eq!(*expected, id, "`{session}` went on after a failure");
            }
            match &call.result {
                Some(Err(HandleError::NotCalled(_))) => {
                    retried.insert(session, id);
                }
                Some(Err(HandleError::Retry { .. } | HandleError::Failed(_)))
                    if call.attempt.number as usize <= RETRIES.len() =>
                {
                    retried.insert(session, id);
                }
                _ => {
                    retried.remove(session);
                }
            }
            // Which event a gap stands before is not known here.
            retried.retain(|_, id| !id.starts_with("gap"));
        }
    }

    /// Nobody overtakes: what comes first is tried first, or was given up or
    /// forgotten.
    fn check_order_of_first_calls(&self) {
        let told = self.told();
        let mut seen = BTreeMap::<SessionName, BTreeSet<u64>>::new();
        for call in self.world.handlers.calls() {
            let Ok(place) = call.event.id.parse::<u64>() else { continue };
            let session = &call.event.session;
            let seen = seen.entry(session.clone()).or_default();
            if seen.insert(place) {
                let before = self.truth.events.range(..place).filter(|(_, of)| *of == session);
                for (earlier, _) in before.filter(|(earlier, _)| !seen.contains(earlier)) {
                    let is_told =
                        told.iter().any(|(of, range)| of == session && range.contains(earlier));
                    assert!(is_told, "{place} came before {earlier}, of which nothing was told");
                }
            }
        }
    }

    fn check_nothing_is_missing(&self) {
        let calls = self.world.handlers.calls();
        let told = self.told();
        let mut of_id = BTreeMap::new();
        for call in &calls {
            let is_gap = call.event.id.starts_with("gap");
            let before = of_id.entry((call.event.id.clone(), call.event.session.clone()));
            let before = before.or_insert_with(|| call.event.clone());
            assert!(is_gap || *before == call.event, "an id stood for two events");
        }
        let has = |place: u64, wanted: fn(&Called) -> bool| {
            let id = place.to_string();
            calls.iter().any(|call| call.event.id == id && wanted(call))
        };
        for (place, session) in &self.truth.events {
            let is_handled = has(*place, |call| call.result == Some(Ok(())));
            let is_rejected =
                has(*place, |call| matches!(call.result, Some(Err(HandleError::Reject(_)))));
            let is_told = told.iter().any(|(of, range)| of == session && range.contains(place));
            assert!(is_handled || is_rejected || is_told, "{place} of `{session}` was lost");
        }
        // What was given up can be read, unless it was handled after all.
        let dead =
            paused_runtime().block_on(self.world.store.dead_letters(&id(), Cursor(0), 10_000));
        let dead: BTreeSet<u64> = dead.unwrap().iter().map(|dead| dead.event.id.0).collect();
        for place in self.truth.events.keys() {
            let is_handled = has(*place, |call| call.result == Some(Ok(())));
            let is_forgotten = *place <= self.truth.forgotten;
            assert!(is_handled || is_forgotten || dead.contains(place), "{place} is nowhere");
        }
    }

    /// Ranges that were told.
    fn told(&self) -> Vec<(SessionName, RangeInclusive<u64>)> {
        let calls = self.world.handlers.calls();
        let told = calls.iter().filter(|call| call.result == Some(Ok(())));
        told.filter_map(|call| match &call.event.data {
            EventData::Other { fields, .. } => {
                let place = |number: usize| fields[number].1.parse::<u64>().unwrap();
                Some((call.event.session.clone(), place(0)..=place(1)))
            }
            _ => None,
        })
        .collect()
    }

    fn is_letter(&self, event: &HandlerEvent) -> bool {
        event.id.parse().is_ok_and(|place: u64| self.truth.requeued.contains(&place))
    }
}

fn answer(event: &HandlerEvent, kindness: u32, chance: &mut StdRng) -> Answer {
    let result = match chance.random_range(0..100) {
        lucky if lucky < kindness => Ok(()),
        _ => match chance.random_range(0..12) {
            0..6 => Err(retry()),
            6..8 => Err(trapped()),
            8 => Err(HandleError::Retry {
                why: "busy".into(),
                after: Some(Duration::from_secs(chance.random_range(0..100))),
            }),
            9 if !event.id.starts_with("gap") => Err(HandleError::Reject("no".into())),
            10 if kindness <= 100 => return Answer::Never,
            _ => Err(HandleError::NotCalled(PluginError::Busy { slot: slot() })),
        },
    };
    match chance.random_range(0..4) {
        0 => Answer::After(Duration::from_millis(chance.random_range(0..400)), result),
        _ => Answer::Now(result),
    }
}

fn paused_runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap()
}
