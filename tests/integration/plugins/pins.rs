//! Sessions that a new version would decide otherwise for stay with theirs.

use insta::assert_json_snapshot;
use pairing_core::{plugin_store::PluginAction, workflow::Input};
use pairing_plugin_registry::{RegistryConfig, ReplayResult};
use pairing_plugin_runtime::digest_of;
use pairing_tests::chameleon;

use crate::plugins::harness::{TestRegistry, rules};

#[tokio::test]
async fn sessions_whose_history_diverges_stay_pinned_until_they_end_and_the_others_move() {
    let host = TestRegistry::start().await;
    let first = host.active();
    host.command("one").await.unwrap();
    host.command("two").await.unwrap();
    host.say("quiet", Input::WakeUp).await.unwrap();
    let other = host.push(chameleon("2.0.0", "other")).await;
    let activated = host.activate(&other).await.unwrap();
    let report = activated.replay.unwrap();
    assert_eq!(report.results[&ReplayResult::Differs], 2);
    assert_eq!(report.results[&ReplayResult::Identical], 1);
    assert_json_snapshot!(report.sessions[0]);
    assert_eq!((activated.pinned_sessions, host.slot().pinned_sessions), (2, 2));

    let decided_by = async |session: &str| host.say(session, Input::WakeUp).await.unwrap().digest;
    assert_eq!(decided_by("one").await, first);
    assert_eq!(decided_by("quiet").await, other);
    assert_eq!(decided_by("new").await, other);

    host.delete("one").await.unwrap();
    assert_eq!(host.slot().pinned_sessions, 2, "it is not known yet that the name is free");
    assert_eq!(decided_by("one").await, other, "whoever had the name is gone");
    assert_eq!(host.slot().pinned_sessions, 1);
    assert_eq!(host.store.pins().await.unwrap().len(), 1);
    assert_eq!(decided_by("two").await, first);
}

#[tokio::test]
async fn three_versions_run_side_by_side_and_a_later_one_takes_back_what_it_can() {
    run_side_by_side(TestRegistry::start().await).await;
}

#[tokio::test]
async fn the_same_over_postgres() {
    run_side_by_side(TestRegistry::over_postgres().await).await;
}

async fn run_side_by_side(host: TestRegistry) {
    let first = host.active();
    host.command("one").await.unwrap();
    let second = host.bring("2.0.0", "other").await;
    host.command("two").await.unwrap();
    let third = host.bring("3.0.0", "mute").await;
    for (session, digest) in [("one", &first), ("two", &second), ("three", &third)] {
        assert_eq!(host.command(session).await.unwrap().digest, *digest, "{session}");
    }
    assert_eq!(host.slot().pinned_sessions, 2);
    // The fourth decides as the first did.
    let fourth = host.bring("4.0.0", "plain").await;
    for (session, digest) in [("one", &fourth), ("two", &second), ("three", &third)] {
        assert_eq!(host.command(session).await.unwrap().digest, *digest, "{session}");
    }
}

#[tokio::test]
async fn sessions_that_are_not_replayed_keep_their_pins() {
    let mut host = TestRegistry::start().await;
    let first = host.active();
    host.command("one").await.unwrap();
    host.bring("2.0.0", "other").await;
    host.restart(RegistryConfig { replayed_sessions: 0, ..rules() }).await;
    let third = host.bring("3.0.0", "mute").await;
    assert_eq!(host.command("one").await.unwrap().digest, first);
    assert_eq!(host.command("new").await.unwrap().digest, third);
}

#[tokio::test]
async fn a_session_that_the_new_version_has_decided_for_already_is_not_pinned_away_from_it() {
    let host = TestRegistry::start().await;
    let first = host.active();
    let other = host.bring("2.0.0", "other").await;
    host.command("one").await.unwrap();
    // It is served by the first version once, and then by the other again.
    host.back(None).await.unwrap();
    assert_eq!(host.command("one").await.unwrap().digest, first);
    host.activate(&other).await.unwrap();
    assert_eq!(host.command("one").await.unwrap().digest, first, "it stays with the last one");
    host.back(None).await.unwrap();
    let activated = host.activate(&digest_of(&chameleon("2.0.0", "other"))).await.unwrap();
    assert_eq!(activated.pinned_sessions, 1);
    let line = host.change(PluginAction::Activate).await;
    assert!(line.detail.contains("1 session stays"), "{}", line.detail);
}
