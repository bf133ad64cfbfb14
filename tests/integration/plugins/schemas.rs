//! States of another schema: brought over with the next event, kept as they are until
//! that event has succeeded, and never handed to who can't read them.

use std::time::Duration;

use insta::assert_snapshot;
use pairing_core::workflow::Input;
use pairing_plugin_registry::ReplayResult;
use pairing_plugin_runtime::digest_of;
use pairing_tests::chameleon;

use crate::plugins::{
    harness::{TestRegistry, blind, rules, without_digests},
    played_sessions::reply,
};

#[tokio::test]
async fn states_migrate_with_their_next_event_and_a_rollback_before_it_finds_the_old_bytes() {
    let host = TestRegistry::start().await;
    let first = host.active();
    host.command("one").await.unwrap();
    let second = host.bring("2.0.0", "schema2").await;
    assert_eq!(host.slot().pinned_sessions, 0);
    assert_eq!(host.state("one").await, (1, "1 1.0.0".into()), "no event yet");
    host.back(None).await.unwrap();
    let decision = host.command("one").await.unwrap();
    assert_eq!((&decision.digest, reply(&decision)), (&first, "counts 2"));

    host.activate(&second).await.unwrap();
    let decision = host.command("one").await.unwrap();
    assert_eq!((&decision.digest, reply(&decision)), (&second, "counts 3"));
    assert_eq!(host.state("one").await, (2, "#3 2.0.0".into()));
}

#[tokio::test]
async fn an_event_that_fails_on_the_new_version_leaves_the_old_bytes() {
    let host = TestRegistry::with(blind()).await;
    let first = host.active();
    host.command("one").await.unwrap();
    host.bring("2.0.0", "trap2").await;
    let decision = host.command("one").await.unwrap();
    assert_eq!(decision.digest, first, "the version before took the call");
    assert_eq!(host.state("one").await, (1, "2 1.0.0".into()));
}

#[tokio::test]
async fn a_version_that_can_not_read_the_new_states_does_not_help_out_with_them() {
    let host = TestRegistry::with(blind()).await;
    let new = host.bring("2.0.0", "later2").await;
    assert_eq!(host.command("one").await.unwrap().digest, new);
    host.clock.advance(Duration::from_secs(2 * 3600));
    let error = host.command("one").await.unwrap_err();
    assert_eq!(error.kind(), "trapped", "and not that the version before refused: {error}");
}

#[tokio::test]
async fn after_a_rollback_sessions_of_the_new_schema_stay_and_the_others_go_back() {
    go_back_from_a_new_schema(TestRegistry::start().await).await;
}

#[tokio::test]
async fn the_same_over_postgres() {
    go_back_from_a_new_schema(TestRegistry::over_postgres().await).await;
}

async fn go_back_from_a_new_schema(mut host: TestRegistry) {
    let first = host.active();
    host.command("moved").await.unwrap();
    host.command("silent").await.unwrap();
    let second = host.bring("2.0.0", "schema2").await;
    host.command("moved").await.unwrap();
    host.command("new").await.unwrap();
    let back = host.back(None).await.unwrap();
    assert_eq!(back.pinned_sessions, 2);
    assert_snapshot!("back_from_a_new_schema", without_digests(back.message));
    for restarted in [false, true] {
        assert_eq!(host.command("moved").await.unwrap().digest, second, "{restarted}");
        assert_eq!(host.command("new").await.unwrap().digest, second, "{restarted}");
        assert_eq!(host.command("silent").await.unwrap().digest, first, "{restarted}");
        assert_eq!(host.command("newer").await.unwrap().digest, first, "{restarted}");
        host.restart(rules()).await;
    }
}

#[tokio::test]
async fn a_decision_that_was_under_way_during_the_rollback_is_read_all_the_same() {
    let mut host = TestRegistry::start().await;
    let second = host.bring("2.0.0", "schema2").await;
    let (decision, context) = host.ask("late", &Input::WakeUp, 0).await.unwrap();
    host.back(None).await.unwrap();
    host.commit(&Input::WakeUp, &context, &decision).await;
    assert_eq!(host.command("late").await.unwrap().digest, second);
    assert_eq!(host.slot().pinned_sessions, 0, "nobody knows of it yet");
    host.restart(rules()).await;
    assert_eq!(host.slot().pinned_sessions, 1);
    assert_eq!(host.command("late").await.unwrap().digest, second);
}

#[tokio::test]
async fn states_that_the_new_version_can_not_read_or_migrate_stay_with_the_old_one() {
    for mode in ["schema9", "nomigrate"] {
        let host = TestRegistry::start().await;
        let first = host.active();
        host.command("one").await.unwrap();
        let new = host.push(chameleon("2.0.0", mode)).await;
        let activated = host.activate(&new).await.unwrap();
        let report = activated.replay.unwrap();
        assert_eq!(report.results[&ReplayResult::StateRejected], 1, "{mode}");
        assert_snapshot!(format!("state_rejected_{mode}"), report.sessions[0].message);
        assert_eq!(host.command("one").await.unwrap().digest, first, "{mode}");
        assert_eq!(host.command("new").await.unwrap().digest, new, "{mode}");
        assert_eq!(new, digest_of(&chameleon("2.0.0", mode)));
    }
}
