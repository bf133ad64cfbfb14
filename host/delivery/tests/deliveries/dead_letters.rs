//! Dead letters that are tried once more.

use std::time::Duration;

use pairing_core::{
    clock::Clock, delivery_store::DeliveryStore, event::Cursor, handler::HandleError,
};
use pairing_delivery::Deliveries;

use crate::world::{Answer, World, id, retry, retrying};

/// A world in which event 1 of session `a` was given up, and told.
async fn with_dead_letter(retry_seconds: &[u32]) -> (World, Deliveries) {
    let world = World::with(retrying(retry_seconds));
    world.handlers.answer(|_, event, _| match event.id.as_str() {
        "1" => Answer::Now(Err(HandleError::Reject("bad".into()))),
        _ => Answer::Now(Ok(())),
    });
    world.happens("a");
    let deliveries = world.start().await;
    world.wait_for_all(&id(), Cursor(1)).await;
    (world, deliveries)
}

async fn requeue(world: &World, deliveries: &Deliveries) {
    let now = world.clock.now();
    assert_eq!(world.store.requeue(&id(), Cursor(0), Cursor(9), now).await.unwrap(), 1);
    deliveries.reload().await;
}

#[tokio::test(start_paused = true)]
async fn a_requeued_dead_letter_keeps_its_id_and_is_gone_when_handled() {
    let (world, deliveries) = with_dead_letter(&[]).await;
    world.handlers.always(Ok(()));
    requeue(&world, &deliveries).await;
    world.settle().await;
    let calls = world.handlers.calls();
    assert_eq!(world.handlers.ids(), ["1", "1"]);
    assert_eq!(calls[1].attempt.number, 2);
    assert_eq!(calls[0].event, calls[1].event);
    assert_eq!(world.store.count_dead_letters(&id()).await.unwrap(), 0);
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_requeued_dead_letter_that_fails_by_the_schedule_is_dead_again() {
    let (world, deliveries) = with_dead_letter(&[10]).await;
    world.handlers.answer(|_, event, _| match event.id.as_str() {
        "1" => Answer::Now(Err(retry())),
        _ => Answer::Now(Ok(())),
    });
    requeue(&world, &deliveries).await;
    // The session goes on in the meantime.
    world.happens("a");
    world.wait_for_all(&id(), Cursor(2)).await;
    world.pass(12).await;
    assert_eq!(world.handlers.ids(), ["1", "1", "2", "1"], "and no second gap");
    let dead = world.store.dead_letter(&id(), Cursor(1)).await.unwrap().unwrap();
    assert_eq!((dead.attempts, dead.requeued_at), (3, None));
    assert_eq!(dead.reason, "the test says so");
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_requeued_dead_letter_never_goes_side_by_side_with_its_session() {
    let (world, deliveries) = with_dead_letter(&[]).await;
    // The handlers of these tests panic at two events of a session at once.
    world.handlers.answer(|_, _, _| Answer::After(Duration::from_secs(20), Ok(())));
    world.happens("a");
    world.handlers.wait_until(|calls| calls.len() == 2).await;
    requeue(&world, &deliveries).await;
    world.happens("a");
    world.wait_for_all(&id(), Cursor(3)).await;
    world.handlers.wait_until(|calls| calls.iter().all(|call| call.result.is_some())).await;
    assert_eq!(world.handlers.ids(), ["1", "2", "1", "3"]);
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn dead_letters_requeued_behind_its_back_are_found_too() {
    let (world, deliveries) = with_dead_letter(&[]).await;
    world.handlers.always(Ok(()));
    let now = world.clock.now();
    world.store.requeue(&id(), Cursor(1), Cursor(1), now).await.unwrap();
    world.handlers.wait_until(|calls| calls.len() == 2).await;
    deliveries.stop().await;
}

#[tokio::test(start_paused = true)]
async fn dead_letters_are_kept_for_thirty_days() {
    let (world, deliveries) = with_dead_letter(&[]).await;
    const DAY: u64 = 24 * 3600;
    world.pass(29 * DAY).await;
    assert_eq!(world.store.count_dead_letters(&id()).await.unwrap(), 1);
    world.pass(2 * DAY).await;
    assert_eq!(world.store.count_dead_letters(&id()).await.unwrap(), 0);
    deliveries.stop().await;
}
