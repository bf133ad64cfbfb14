//! The database is away for a while.

use std::time::Duration;

use pairing_core::{
    delivery_store::{DeliveryStore, Progress},
    event::Cursor,
    subscription::SubscriptionSettings,
};

use crate::world::{World, id, retrying, session};

#[tokio::test(start_paused = true)]
async fn while_nothing_can_be_saved_little_is_handed_over_and_nothing_is_lost() {
    let world = World::with(SubscriptionSettings::default());
    let deliveries = world.start().await;
    world.happens("a");
    world.wait_for_all(&id(), Cursor(1)).await;
    world.store.fail_writes(true);
    for _ in 0..10 {
        for _ in 0..5_000 {
            world.happens("a");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let handed = world.handlers.calls().len();
    assert!(handed < 50_000, "it did not stop reading: {handed}");
    world.store.fail_writes(false);
    world.wait_for_all(&id(), Cursor(50_001)).await;
    assert_eq!(world.handlers.calls().len(), 50_001, "each once");
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_cannot_be_read_is_waited_for() {
    let world = World::with(SubscriptionSettings::default());
    let deliveries = world.start().await;
    world.store.fail_reads(true);
    world.happens("a");
    world.pass(30).await;
    deliveries.reload().await;
    assert!(world.handlers.calls().is_empty());
    assert!(deliveries.reports().await.is_err());
    world.store.fail_reads(false);
    world.wait_for_all(&id(), Cursor(1)).await;
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn dead_letters_wait_for_the_database_with_the_cursor() {
    let world = World::with(retrying(&[]));
    world.handlers.always(Err(crate::world::retry()));
    let deliveries = world.start().await;
    world.store.fail_writes(true);
    for _ in 0..100 {
        world.happens("a");
    }
    world.pass(1).await;
    let progress = world.store.progress(&id()).await.unwrap().unwrap();
    assert_eq!((progress.cursor, progress.lanes.len()), (Cursor(0), 0));
    world.store.fail_writes(false);
    let is_told = |progress: &Progress| {
        let lane = progress.lanes.first().filter(|lane| lane.session == session("a"));
        lane.and_then(|lane| lane.gap).is_some_and(|gap| gap.to == Cursor(100))
    };
    world.store.wait_for(&id(), is_told).await;
    assert_eq!(world.store.count_dead_letters(&id()).await.unwrap(), 100);
    deliveries.stop().await;
}
