//! Versions that nobody needs any more are freed, and no others.

use pairing_core::workflow::Input;
use pairing_tests::{chameleon, until};

use crate::plugins::harness::TestRegistry;

/// One in each slot.
const SLOTS: usize = 3;

async fn until_loaded(host: &TestRegistry, count: usize) {
    until(&format!("{count} versions are loaded"), async || {
        (host.runtime.loaded_versions() == count).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_version_before_goes_once_the_new_one_has_proven_itself() {
    let host = TestRegistry::start().await;
    assert_eq!(host.runtime.loaded_versions(), SLOTS);
    host.bring("2.0.0", "plain").await;
    assert_eq!(host.runtime.loaded_versions(), SLOTS + 1, "it takes the calls that fail");
    for _ in 0..201 {
        host.say("one", Input::WakeUp).await.unwrap();
    }
    until_loaded(&host, SLOTS).await;
}

#[tokio::test]
async fn pinned_versions_stay_until_their_sessions_are_taken_over() {
    let host = TestRegistry::start().await;
    host.command("one").await.unwrap();
    host.bring("2.0.0", "other").await;
    for _ in 0..201 {
        host.say("two", Input::WakeUp).await.unwrap();
    }
    until_loaded(&host, SLOTS + 1).await;
    host.command("one").await.unwrap();
    // It decides as the first did, so that one is not needed any more.
    host.bring("3.0.0", "plain").await;
    for _ in 0..201 {
        host.say("two", Input::WakeUp).await.unwrap();
    }
    until_loaded(&host, SLOTS).await;
}

#[tokio::test]
async fn what_a_rollback_leaves_is_freed_at_once() {
    let host = TestRegistry::start().await;
    host.bring("2.0.0", "plain").await;
    host.back(None).await.unwrap();
    until_loaded(&host, SLOTS).await;
}

#[tokio::test]
async fn pushes_and_replays_leave_nothing_behind() {
    let host = TestRegistry::start().await;
    host.record_histories(3).await;
    let digest = host.push(chameleon("2.0.0", "trap")).await;
    host.activate(&digest).await.unwrap_err();
    until_loaded(&host, SLOTS).await;
}
