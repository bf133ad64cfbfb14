//! Attempts that fail.

use std::time::Duration;

use pairing_core::{
    clock::Clock, delivery_store::DeliveryStore, event::Cursor, handler::HandleError,
    plugin::PluginError,
};

use crate::world::{Answer, World, id, retry, retrying, session, slot, trapped};

#[tokio::test(start_paused = true)]
async fn a_failed_event_is_tried_by_the_schedule_and_then_given_up() {
    let world = World::with(retrying(&[10, 100]));
    world.handlers.always(Err(trapped()));
    let begun = world.clock.now();
    world.happens("a");
    let deliveries = world.start().await;
    world.settle().await;
    assert_eq!(world.handlers.calls().len(), 1);
    world.pass(8).await;
    assert_eq!(world.handlers.calls().len(), 1, "no sooner than 9 s");
    world.pass(4).await;
    assert_eq!(world.handlers.calls().len(), 2, "no later than 11 s");
    world.pass(89).await;
    assert_eq!(world.handlers.calls().len(), 2);
    world.handlers.answer(|_, event, _| {
        Answer::Now(if event.id.starts_with("gap") { Ok(()) } else { Err(retry()) })
    });
    world.pass(22).await;
    world.wait_for_all(&id(), Cursor(1)).await;
    let calls = world.handlers.calls();
    let attempts: Vec<u32> = calls.iter().map(|call| call.attempt.number).collect();
    assert_eq!(attempts, [1, 2, 3, 1], "and the gap, for the first time");
    assert!(calls[..3].iter().all(|call| call.event.id == "1" && call.attempt.first_at == begun));
    assert_eq!(calls[3].event.id, "gap-1-1");
    let dead = world.store.dead_letter(&id(), Cursor(1)).await.unwrap().unwrap();
    assert_eq!((dead.attempts, dead.reason.as_str()), (3, "the test says so"));
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn receivers_are_left_alone_as_long_as_they_ask_for() {
    let world = World::with(retrying(&[5, 5]));
    let after = Some(Duration::from_secs(600));
    world.handlers.always(Err(HandleError::Retry { why: "later".into(), after }));
    world.happens("a");
    let deliveries = world.start().await;
    world.pass(590).await;
    assert_eq!(world.handlers.calls().len(), 1);
    world.pass(11).await;
    assert_eq!(world.handlers.calls().len(), 2);
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_rejected_event_is_a_dead_letter_at_once_and_no_gap() {
    let world = World::with(retrying(&[10]));
    world.handlers.answer(|_, event, _| match event.id.as_str() {
        "1" => Answer::Now(Err(HandleError::Reject("not for me\0".into()))),
        _ => Answer::Now(Ok(())),
    });
    world.happens("a");
    world.happens("a");
    let deliveries = world.start().await;
    world.wait_for_all(&id(), Cursor(2)).await;
    assert_eq!(world.handlers.ids(), ["1", "2"]);
    let dead = world.store.dead_letters(&id(), Cursor(0), 9).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].reason, "not for me\u{fffd}", "Postgres can't keep a zero byte");
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_gone_switches_its_subscription_off_and_loses_nothing() {
    let world = World::with(retrying(&[10]));
    world.handlers.answer(|_, event, _| match event.id.as_str() {
        "2" => Answer::Now(Err(HandleError::Gone("410".into()))),
        _ => Answer::Now(Ok(())),
    });
    for _ in 0..3 {
        world.happens("a");
    }
    let deliveries = world.start().await;
    world.settle().await;
    assert_eq!(world.handlers.ids(), ["1", "2"]);
    let reports = deliveries.reports().await.unwrap();
    assert_eq!(reports[0].disabled.as_deref(), Some("the receiver is gone: 410"));
    assert_eq!(reports[0].cursor, Cursor(1));
    world.pass(100).await;
    assert_eq!(world.handlers.calls().len(), 2, "nothing is handed over any more");

    world.handlers.always(Ok(()));
    world.store.set_disabled(&id(), None).await.unwrap();
    deliveries.reload().await;
    world.wait_for_all(&id(), Cursor(3)).await;
    assert_eq!(world.handlers.ids(), ["1", "2", "2", "3"]);
    assert_eq!(world.handlers.calls()[2].attempt.number, 1);
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_not_tried_does_not_count() {
    let world = World::with(retrying(&[]));
    let mut left = [
        PluginError::Busy { slot: slot() },
        PluginError::Paused { slot: slot(), retry_after: Some(Duration::from_secs(60)) },
        PluginError::Paused { slot: slot(), retry_after: None },
    ]
    .into_iter();
    world.handlers.answer(move |_, _, _| {
        Answer::Now(left.next().map_or(Ok(()), |error| Err(HandleError::from(error))))
    });
    world.happens("a");
    let deliveries = world.start().await;
    world.settle().await;
    assert_eq!(world.handlers.calls().len(), 1, "it is left alone for a while");
    for _ in 0..3 {
        world.pass(10).await;
    }
    world.wait_for_all(&id(), Cursor(1)).await;
    let attempts: Vec<u32> =
        world.handlers.calls().iter().map(|call| call.attempt.number).collect();
    assert_eq!(attempts, [1, 1, 1, 1]);
    assert_eq!(world.store.count_dead_letters(&id()).await.unwrap(), 0);
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_host_is_a_failed_attempt() {
    let world = World::with(retrying(&[10]));
    world.handlers.answer(|_, event, attempt| match (event.id.as_str(), attempt.number) {
        ("1", 1) => Answer::Panic,
        _ => Answer::Now(Ok(())),
    });
    world.happens("a");
    world.happens("b");
    let deliveries = world.start().await;
    world.pass(11).await;
    world.wait_for_all(&id(), Cursor(2)).await;
    assert_eq!(world.handlers.ids(), ["1", "2", "1"]);
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn attempts_survive_a_restart() {
    let world = World::with(retrying(&[10, 100]));
    world.handlers.always(Err(retry()));
    world.happens("a");
    let first_at = world.clock.now();
    let deliveries = world.start().await;
    world.settle().await;
    deliveries.stop().await;
    world.clock.advance(Duration::from_secs(5));
    let deliveries = world.start().await;
    world.settle().await;
    assert_eq!(world.handlers.calls().len(), 1, "it waits on");
    world.pass(6).await;
    let calls = world.handlers.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!((calls[1].attempt.number, calls[1].attempt.first_at), (2, first_at));
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_back_makes_nobody_wait_longer() {
    let world = World::with(retrying(&[10]));
    world.handlers.answer(|_, _, attempt| {
        Answer::Now(if attempt.number == 1 { Err(retry()) } else { Ok(()) })
    });
    world.happens("a");
    let deliveries = world.start().await;
    world.settle().await;
    world.clock.set_back(Duration::from_secs(1_000_000));
    // The engine looks at the clock each second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.handlers.calls().len(), 1, "nor shorter");
    world.pass(12).await;
    assert_eq!(world.handlers.calls().len(), 2);
    world.wait_for_all(&id(), Cursor(1)).await;
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn failing_lanes_keep_nothing_in_memory_and_catch_up_in_order() {
    let world = World::with(retrying(&[60, 60]));
    world.handlers.always(Err(retry()));
    for number in 0..20_000 {
        world.happens(&format!("s{}", number % 100));
    }
    let deliveries = world.start().await;
    world.store.wait_for(&id(), |progress| progress.cursor == Cursor(20_000)).await;
    assert_eq!(world.handlers.calls().len(), 100);
    world.handlers.always(Ok(()));
    world.pass(70).await;
    world.wait_for_all(&id(), Cursor(20_000)).await;
    let calls = world.handlers.calls();
    assert_eq!(calls.len(), 20_100);
    let of = calls.iter().filter(|call| call.event.session == session("s42"));
    let places: Vec<u64> = of.map(|call| call.event.id.parse().unwrap()).collect();
    assert!(places.is_sorted());
    deliveries.stop().await;
}
