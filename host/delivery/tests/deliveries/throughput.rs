//! Prints how fast the engine itself is; asserts nothing about time.

use pairing_core::{event::Cursor, subscription::SubscriptionSettings};

use crate::world::{World, subscription};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_events_take_few_writes() {
    const EVENTS: u64 = 100_000;
    let world = World::new();
    let names = ["one", "two", "three"];
    for name in names {
        world.store.subscribe(&subscription(name), SubscriptionSettings::default(), Cursor(0));
    }
    for number in 0..EVENTS {
        world.happens(&format!("s{}", number % 500));
    }
    let begun = tokio::time::Instant::now();
    let deliveries = world.start().await;
    for name in names {
        world.wait_for_all(&subscription(name), Cursor(EVENTS)).await;
    }
    let seconds = begun.elapsed().as_secs_f64();
    deliveries.stop().await;
    let (events, saves) = (EVENTS * 3, world.store.saves());
    println!("{events} events in {seconds:.2} s, saved {saves} times");
    assert!(saves < events / 100, "{saves} writes");
}
