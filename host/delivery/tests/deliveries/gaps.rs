//! Events that a subscriber did not get are told.

use pairing_core::{
    clock::{Clock, Timestamp},
    event::{Cursor, EventData},
    handler::{HandleError, HandlerEvent},
};

use crate::world::{Answer, World, id, record, retry, retrying, session};

fn fields(event: &HandlerEvent) -> Vec<String> {
    let EventData::Other { kind, fields } = &event.data else { panic!("{event:?}") };
    assert_eq!(kind, "gap");
    fields.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_told_before_the_next_event_and_neighbours_merge() {
    let world = World::with(retrying(&[]));
    // Whatever was given up, even the news of it: the receiver is down.
    world.handlers.always(Err(retry()));
    for _ in 0..3 {
        world.happens("a");
    }
    let deliveries = world.start().await;
    world.settle().await;
    assert_eq!(world.handlers.ids(), ["1", "gap-1-1", "gap-1-2", "gap-1-3"]);

    world.handlers.always(Ok(()));
    world.happens("a");
    world.wait_for_all(&id(), Cursor(4)).await;
    assert_eq!(world.handlers.ids()[4..], ["gap-1-3", "4"]);
    let calls = world.handlers.calls();
    assert_eq!(fields(&calls[4].event), ["from=1", "to=3", "reason=given-up"]);
    assert_eq!(calls[4].event.session, session("a"));
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_gap_with_nothing_behind_it_is_told_by_itself_and_by_the_schedule() {
    let world = World::with(retrying(&[10]));
    world.handlers.always(Err(retry()));
    world.happens("a");
    let deliveries = world.start().await;
    world.pass(12).await;
    assert_eq!(world.handlers.ids(), ["1", "1", "gap-1-1"]);
    world.handlers.always(Ok(()));
    world.pass(12).await;
    world.wait_for_all(&id(), Cursor(1)).await;
    assert_eq!(world.handlers.ids()[3..], ["gap-1-1"]);
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_gap_survives_a_restart_with_its_reason() {
    let world = World::with(retrying(&[]));
    world.handlers.always(Err(retry()));
    world.happens("a");
    let deliveries = world.start().await;
    world.settle().await;
    deliveries.stop().await;
    world.handlers.always(Ok(()));
    let deliveries = world.start().await;
    world.wait_for_all(&id(), Cursor(1)).await;
    let calls = world.handlers.calls();
    let last = calls.last().unwrap();
    assert_eq!(fields(&last.event), ["from=1", "to=1", "reason=given-up"]);
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_rejects_the_news_of_a_gap_gets_the_next_event() {
    let world = World::with(retrying(&[]));
    world.handlers.answer(|_, event, _| match event.id.as_str() {
        "1" => Answer::Now(Err(retry())),
        "2" => Answer::Now(Ok(())),
        _ => Answer::Now(Err(HandleError::Reject("what is a gap?".into()))),
    });
    world.happens("a");
    world.happens("a");
    let deliveries = world.start().await;
    world.wait_for_all(&id(), Cursor(2)).await;
    assert_eq!(world.handlers.ids(), ["1", "gap-1-1", "2"]);
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn events_that_the_journal_has_forgotten_are_told_to_every_session_that_may_miss_them() {
    let world = World::with(retrying(&[]));
    for name in ["a", "b", "a", "b", "c"] {
        world.happens(name);
    }
    for (name, created_at) in [("a", 0), ("silent", 0), ("young", u64::MAX)] {
        world.store.put_session(record(name, Timestamp(created_at)));
    }
    world.store.forget(Cursor(3));
    let deliveries = world.start().await;
    world.wait_for_all(&id(), Cursor(5)).await;
    let mut calls = world.handlers.calls();
    calls.sort_by_key(|call| call.event.session.clone());
    let handed: Vec<_> =
        calls.iter().map(|call| (call.event.session.as_str(), call.event.id.as_str())).collect();
    let gap = "gap-1-3";
    let all = [("a", gap), ("b", gap), ("b", "4"), ("c", gap), ("c", "5"), ("silent", gap)];
    assert_eq!(handed, all);
    assert_eq!(fields(&calls[0].event), ["from=1", "to=3", "reason=expired"]);
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_lagging_session_is_told_what_the_journal_has_forgotten_of_it() {
    let world = World::with(retrying(&[100]));
    world.handlers.always(Err(retry()));
    for _ in 0..4 {
        world.happens("a");
    }
    let deliveries = world.start().await;
    world.store.wait_for(&id(), |progress| progress.cursor == Cursor(4)).await;
    world.store.forget(Cursor(2));
    world.handlers.always(Ok(()));
    world.pass(120).await;
    world.wait_for_all(&id(), Cursor(4)).await;
    assert_eq!(world.handlers.ids(), ["1", "gap-1-2", "3", "4"]);
    let calls = world.handlers.calls();
    assert_eq!(fields(&calls[1].event), ["from=1", "to=2", "reason=expired"]);
    assert_eq!(calls[2].attempt.number, 1, "those before were for another event");
    assert!(world.clock.now() > calls[0].attempt.first_at);
    deliveries.stop().await;
}
