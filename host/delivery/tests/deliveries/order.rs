//! What is handed over, and in which order.

use std::{collections::BTreeSet, time::Duration};

use pairing_core::{event::Cursor, subscription::SubscriptionSettings};

use crate::world::{Answer, World, id, retry, retrying, session, subscription};

#[tokio::test(start_paused = true)]
async fn every_event_is_handed_over_once_and_in_order_for_each_session() {
    let world = World::with(SubscriptionSettings::default());
    world.handlers.answer(|_, event, _| {
        let number: u64 = event.id.parse().unwrap();
        Answer::After(Duration::from_millis(number * 7919 % 97), Ok(()))
    });
    for number in 0..500 {
        world.happens(["a", "b", "c", "d", "e"][number % 5]);
    }
    let deliveries = world.start().await;
    for number in 500..1_000 {
        world.happens(["a", "b", "c", "d", "e"][number % 5]);
    }
    world.wait_for_all(&id(), Cursor(1_000)).await;
    let calls = world.handlers.calls();
    assert_eq!(calls.len(), 1_000);
    for name in ["a", "b", "c", "d", "e"] {
        let of = calls.iter().filter(|call| call.event.session == session(name));
        let places: Vec<u64> = of.map(|call| call.event.id.parse().unwrap()).collect();
        assert!(places.len() == 200 && places.is_sorted(), "{name}: {places:?}");
    }
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn no_more_are_in_flight_than_allowed_and_every_session_gets_its_turn() {
    let world = World::with(SubscriptionSettings { concurrency: 3, ..Default::default() });
    world.handlers.answer(|_, _, _| Answer::After(Duration::from_millis(10), Ok(())));
    // One session has a lot to say before the others come.
    for name in std::iter::repeat_n("busy", 50).chain(["b", "c", "d", "e"]) {
        world.happens(name);
    }
    let deliveries = world.start().await;
    world.wait_for_all(&id(), Cursor(54)).await;
    assert_eq!(world.handlers.most_at_once(), 3);
    let calls = world.handlers.calls();
    let others = calls.iter().rposition(|call| call.event.session != session("busy")).unwrap();
    assert!(others < 10, "the others came only after {others} events");
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_never_answers_costs_no_other_one() {
    let world = World::new();
    for name in ["dead", "well"] {
        world.store.subscribe(&subscription(name), SubscriptionSettings::default(), Cursor(0));
    }
    world.handlers.answer(|id, _, _| match id.name.as_str() {
        "dead" => Answer::Never,
        _ => Answer::Now(Ok(())),
    });
    let deliveries = world.start().await;
    for _ in 0..20_000 {
        world.happens("a");
    }
    world.wait_for_all(&subscription("well"), Cursor(20_000)).await;
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_fails_holds_up_neither_the_others_nor_the_cursor() {
    let world = World::with(retrying(&[60]));
    world.handlers.answer(|_, event, _| match event.session.as_str() {
        "poisoned" => Answer::Now(Err(retry())),
        _ => Answer::Now(Ok(())),
    });
    let deliveries = world.start().await;
    for _ in 0..3_000 {
        world.happens("poisoned");
        world.happens("well");
    }
    world.store.wait_for(&id(), |progress| progress.cursor == Cursor(6_000)).await;
    let reports = deliveries.reports().await.unwrap();
    assert_eq!((reports[0].lag, reports[0].lagging), (0, 1));
    let lane = &reports[0].lanes[0];
    assert_eq!((lane.settled, lane.attempts), (Cursor(0), 1));
    assert_eq!((&lane.session, lane.error.as_str()), (&session("poisoned"), "the test says so"));

    world.handlers.always(Ok(()));
    world.pass(70).await;
    world.wait_for_all(&id(), Cursor(6_000)).await;
    let calls = world.handlers.calls();
    let of = calls.iter().filter(|call| call.event.session == session("poisoned"));
    let places: Vec<u64> = of.map(|call| call.event.id.parse().unwrap()).collect();
    assert_eq!(places.len(), 3_001, "each once, and the first twice");
    assert!(places.is_sorted());
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn only_wanted_events_are_handed_over() {
    let world = World::with(SubscriptionSettings {
        sessions: Some(BTreeSet::from([session("a")])),
        ..Default::default()
    });
    for name in ["a", "b", "a", "b"] {
        world.happens(name);
    }
    let deliveries = world.start().await;
    world.wait_for_all(&id(), Cursor(4)).await;
    assert_eq!(world.handlers.ids(), ["1", "3"]);
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_lane_has_settled_beyond_the_cursor_is_remembered() {
    let world = World::with(retrying(&[10]));
    world.handlers.answer(|_, event, attempt| match event.session.as_str() {
        "stuck" => Answer::Never,
        _ if attempt.number == 1 && event.id == "2" => Answer::Now(Err(retry())),
        _ => Answer::Now(Ok(())),
    });
    for name in ["stuck", "b", "b", "b"] {
        world.happens(name);
    }
    let deliveries = world.start().await;
    world.pass(12).await;
    assert_eq!(world.handlers.ids(), ["1", "2", "2", "3", "4"]);
    let reports = deliveries.reports().await.unwrap();
    assert_eq!((reports[0].cursor, reports[0].lagging), (Cursor(0), 0));
    deliveries.stop().await;

    let deliveries = world.start().await;
    world.happens("b");
    world.settle().await;
    assert_eq!(world.handlers.ids()[5..], ["1", "5"]);
    deliveries.stop().await;
}
