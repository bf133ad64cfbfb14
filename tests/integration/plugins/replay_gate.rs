//! What a version would have done with recorded histories decides whether it may
//! become active.

use insta::assert_snapshot;
use pairing_core::{plugin::Slot, plugin_store::PluginAction, workflow::Input};
use pairing_plugin_registry::{RegistryError, ReplayReport, ReplayResult};
use pairing_tests::chameleon;

use crate::plugins::{
    harness::{TestRegistry, without_digests},
    played_sessions::reply,
};

#[tokio::test]
async fn a_version_that_traps_in_one_of_fifty_recorded_histories_is_refused() {
    let host = TestRegistry::start().await;
    host.record_histories(50).await;
    let (before, bad) = (host.active(), host.push(chameleon("2.0.0", "trap7")).await);
    let error = host.activate(&bad).await.unwrap_err();
    assert!(matches!(error, RegistryError::Refused { gate: "replay", .. }));
    assert_snapshot!(without_digests(&error), @"refused at the replay: it failed in 1 of 50 recorded histories; the first: session `session-7`, input 1 (command:init): plugin `workflow` trapped: wasm trap: wasm `unreachable` instruction executed. `pairing-host plugin replay workflow <digest>` shows all; mend it and push it again");
    assert_eq!(host.active(), before, "what was active stays so");
    assert_eq!(reply(&host.command("session-7").await.unwrap()), "counts 3");

    let line = host.change(PluginAction::Activate).await;
    assert_eq!((line.to, line.refusal), (Some(bad.clone()), Some(error.to_string())));
    let known = host.registry.version(Slot::Workflow, &bad.0).await.unwrap();
    let verdict = known.verdicts.last().unwrap();
    assert_eq!((&*verdict.gate, verdict.passed), ("replay", false));
    let report: ReplayReport = serde_json::from_str(verdict.report.as_ref().unwrap()).unwrap();
    assert_eq!((report.histories, report.inputs), (50, 100));
    assert_eq!(report.results[&ReplayResult::Identical], 49);
    assert_eq!(report.sessions[0].session.as_str(), "session-7");
    assert_eq!(report.sessions[0].result, ReplayResult::Trapped);
}

#[tokio::test]
async fn a_version_that_never_ends_is_refused_as_over_budget() {
    let host = TestRegistry::start().await;
    host.record_histories(3).await;
    let bad = host.push(chameleon("2.0.0", "loop")).await;
    let error = host.activate(&bad).await.unwrap_err();
    assert_snapshot!(without_digests(&error), @"refused at the replay: it failed in 3 of 3 recorded histories; the first: session `session-0`, input 1 (command:init): plugin `workflow` did not answer within 50ms. `pairing-host plugin replay workflow <digest>` shows all; mend it and push it again");
    let report = host.registry.replay(Slot::Workflow, &bad.0[..8]).await.unwrap();
    assert_eq!(report.results[&ReplayResult::OverBudget], 3);
}

#[tokio::test]
async fn a_version_that_needs_much_more_fuel_is_activated_with_a_remark() {
    let host = TestRegistry::start().await;
    host.record_histories(3).await;
    let hungry = host.push(chameleon("2.0.0", "hungry")).await;
    let activated = host.activate(&hungry).await.unwrap();
    let remarks = activated.replay.unwrap().remarks;
    assert!(remarks[0].ends_with("look for a loop that grew"), "{remarks:?}");
    assert!(activated.message.contains(&remarks[0]), "{}", activated.message);
}

#[tokio::test]
async fn failures_are_told_even_when_a_hundred_histories_differ_otherwise() {
    let host = TestRegistry::start().await;
    // The one in which it fails is the last to be replayed.
    for number in 100..220 {
        host.command(&format!("session-{number}")).await.unwrap();
    }
    host.say("session-7", Input::WakeUp).await.unwrap();
    let bad = host.push(chameleon("2.0.0", "otherbut7")).await;
    let error = host.activate(&bad).await.unwrap_err().to_string();
    assert!(error.contains("failed in 1 of 121"), "{error}");
    assert!(error.contains("session `session-7`"), "{error}");
}

#[tokio::test]
async fn a_replay_changes_nothing() {
    let host = TestRegistry::start().await;
    host.record_histories(3).await;
    let other = host.push(chameleon("2.0.0", "other")).await;
    let (before, lines) = (host.slot(), host.changes().await.len());
    let report = host.registry.replay(Slot::Workflow, &other.0).await.unwrap();
    assert_eq!(report.results[&ReplayResult::Differs], 3);
    assert_eq!(host.slot().generation, before.generation);
    assert_eq!(host.slot().active.info, before.active.info);
    assert_eq!(host.changes().await.len(), lines);
    assert!(host.store.pins().await.unwrap().is_empty());
    assert_eq!(host.state("session-0").await, (1, "2 1.0.0".into()));
}
