//! Operators change things while events are handed over.

use std::{collections::BTreeSet, time::Duration};

use pairing_core::{
    delivery_store::DeliveryStore, event::Cursor, subscription::SubscriptionSettings,
};

use crate::world::{Answer, World, id, retry, retrying, session, subscription};

#[tokio::test(start_paused = true)]
async fn a_subscription_begins_where_it_was_told_to() {
    let world = World::new();
    for _ in 0..4 {
        world.happens("a");
    }
    let deliveries = world.start().await;
    world.store.subscribe(&id(), SubscriptionSettings::default(), Cursor(2));
    deliveries.reload().await;
    world.wait_for_all(&id(), Cursor(4)).await;
    assert_eq!(world.handlers.ids(), ["3", "4"]);
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_nobody_told_of_is_found() {
    let world = World::new();
    let deliveries = world.start().await;
    world.store.subscribe(&id(), SubscriptionSettings::default(), Cursor(0));
    world.happens("a");
    world.wait_for_all(&id(), Cursor(1)).await;
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn new_settings_hold_at_once() {
    let world = World::with(SubscriptionSettings::default());
    let deliveries = world.start().await;
    world.happens("a");
    world.wait_for_all(&id(), Cursor(1)).await;
    let settings = SubscriptionSettings {
        sessions: Some(BTreeSet::from([session("b")])),
        ..Default::default()
    };
    world.store.subscribe(&id(), settings, Cursor(0));
    deliveries.reload().await;
    world.happens("a");
    world.happens("b");
    world.wait_for_all(&id(), Cursor(3)).await;
    assert_eq!(world.handlers.ids(), ["1", "3"]);
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_is_made_again_does_not_inherit_its_old_place() {
    let world = World::with(SubscriptionSettings::default());
    world.handlers.answer(|_, _, _| Answer::After(Duration::from_secs(3), Ok(())));
    world.happens("a");
    world.happens("b");
    let deliveries = world.start().await;
    world.handlers.wait_until(|calls| calls.len() == 2).await;
    // Nobody tells the engine before its calls have ended and been saved.
    world.store.remove_subscription(&id()).await.unwrap();
    world.store.subscribe(&id(), SubscriptionSettings::default(), Cursor(1));
    world.wait_for_all(&id(), Cursor(2)).await;
    assert_eq!(world.handlers.ids(), ["1", "2", "2"]);
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_was_moved_goes_on_from_there() {
    let world = World::with(retrying(&[1_000]));
    world.handlers.answer(|_, event, _| {
        Answer::Now(if event.session == session("b") { Err(retry()) } else { Ok(()) })
    });
    for name in ["a", "b", "a"] {
        world.happens(name);
    }
    let deliveries = world.start().await;
    world.store.wait_for(&id(), |progress| progress.cursor == Cursor(3)).await;
    world.handlers.always(Ok(()));
    // The very place where it is, too: then lanes are forgotten.
    for (place, then) in [(0, vec!["1", "2", "3"]), (3, vec![]), (2, vec!["3"])] {
        let before = world.handlers.calls().len();
        assert!(world.store.seek(&id(), Cursor(place)).await.unwrap());
        deliveries.reload().await;
        world.wait_for_all(&id(), Cursor(3)).await;
        world.settle().await;
        let mut ids = world.handlers.ids()[before..].to_vec();
        ids.sort();
        assert_eq!(ids, then, "after {place}");
    }
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn disabled_subscriptions_rest_and_keep_their_place() {
    let world = World::with(SubscriptionSettings::default());
    let deliveries = world.start().await;
    world.happens("a");
    world.wait_for_all(&id(), Cursor(1)).await;
    world.store.set_disabled(&id(), Some("holidays")).await.unwrap();
    deliveries.reload().await;
    world.happens("a");
    world.pass(60).await;
    assert_eq!(world.handlers.ids(), ["1"]);
    let reports = deliveries.reports().await.unwrap();
    assert_eq!(reports[0].disabled.as_deref(), Some("holidays"));
    assert_eq!((reports[0].cursor, reports[0].lag), (Cursor(1), 1));
    world.store.set_disabled(&id(), None).await.unwrap();
    deliveries.reload().await;
    world.wait_for_all(&id(), Cursor(2)).await;
    assert_eq!(world.handlers.ids(), ["1", "2"]);
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_removed_subscription_gets_nothing_more_and_others_do_not_notice() {
    let world = World::new();
    for name in ["goes", "stays"] {
        world.store.subscribe(&subscription(name), SubscriptionSettings::default(), Cursor(0));
    }
    world.handlers.answer(|id, _, _| match id.name.as_str() {
        "goes" => Answer::Never,
        _ => Answer::Now(Ok(())),
    });
    let deliveries = world.start().await;
    world.happens("a");
    world.handlers.wait_until(|calls| calls.len() == 2).await;
    world.store.remove_subscription(&subscription("goes")).await.unwrap();
    deliveries.reload().await;
    world.happens("a");
    world.wait_for_all(&subscription("stays"), Cursor(2)).await;
    assert_eq!(world.handlers.calls().len(), 3);
    assert_eq!(deliveries.reports().await.unwrap().len(), 1);
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_saves_what_was_done_and_waits_for_what_is_under_way() {
    let world = World::with(SubscriptionSettings::default());
    world.handlers.answer(|_, _, _| Answer::After(Duration::from_secs(1), Ok(())));
    let deliveries = world.start().await;
    world.happens("a");
    world.handlers.wait_until(|calls| calls.len() == 1).await;
    deliveries.stop().await;
    let progress = world.store.progress(&id()).await.unwrap().unwrap();
    assert_eq!(progress.cursor, Cursor(1));
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_ever() {
    let world = World::with(SubscriptionSettings::default());
    world.handlers.answer(|_, _, _| Answer::Never);
    let deliveries = world.start().await;
    world.happens("a");
    world.happens("b");
    world.handlers.wait_until(|calls| calls.len() == 2).await;
    deliveries.stop().await;
    let progress = world.store.progress(&id()).await.unwrap().unwrap();
    assert_eq!(progress.cursor, Cursor(0), "it is handed over again");
}
