//! A version that had proven itself and then fails: it rests, it rests longer, it is
//! not called any more.

use std::time::Duration;

use pairing_core::{plugin::PluginError, plugin_store::PluginAction};
use pairing_plugin_runtime::BreakerState;
use pairing_tests::{chameleon, until};

use crate::plugins::harness::{TestRegistry, rules};

/// In mode `later` it fails from now on.
fn pass_the_hour(host: &TestRegistry) {
    host.clock.advance(Duration::from_secs(2 * 3600));
}

/// Ever new sessions ask until the version is not called any more, or another one is
/// active.
async fn ask_until_it_ends(host: &TestRegistry) {
    let active = host.active();
    for number in 0.. {
        match host.command(&format!("asks-{number}")).await {
            Err(PluginError::Paused { retry_after: None, .. }) => return,
            Err(PluginError::Paused { retry_after: Some(rest), .. }) => {
                tokio::time::sleep(rest).await;
            }
            Err(PluginError::Trapped { .. }) => {}
            Ok(decision) => {
                assert_ne!(decision.digest, active);
                return;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_proven_version_that_fails_for_good_is_left_for_the_last_good_one() {
    let mut host = TestRegistry::start().await;
    let first = host.active();
    let second = host.bring("2.0.0", "later").await;
    // What the database says is active is proven.
    host.restart(rules()).await;
    host.command("one").await.unwrap();
    pass_the_hour(&host);
    ask_until_it_ends(&host).await;
    host.until_active(&first).await;
    assert_eq!(host.command("one").await.unwrap().digest, first);
    let line = host.change(PluginAction::Quarantine).await;
    assert_eq!((line.to.as_ref(), &*line.who), (Some(&second), "host"));
    assert!(line.why.contains("trapped"), "{}", line.why);
    let line = host.change(PluginAction::AutomaticRollback).await;
    assert_eq!((line.from, line.to), (Some(second), Some(first)));
}

#[tokio::test]
async fn without_an_earlier_version_nothing_is_called_until_another_is_activated() {
    let host = TestRegistry::seeded(rules(), Some(chameleon("1.0.0", "later"))).await;
    let first = host.active();
    host.command("one").await.unwrap();
    pass_the_hour(&host);
    ask_until_it_ends(&host).await;
    let line = until("it stands in the history", async || {
        let changes = host.changes().await;
        changes.into_iter().find(|line| line.action == PluginAction::Quarantine)
    })
    .await;
    assert_eq!(line.to.as_ref(), Some(&first));
    assert_eq!(host.slot().active.health.breaker, BreakerState::Quarantined);
    let error = host.command("one").await.unwrap_err();
    assert!(matches!(error, PluginError::Paused { retry_after: None, .. }), "{error}");

    // Once more, with a clean record; or with another one for good.
    host.activate(&first).await.unwrap();
    let error = host.command("one").await.unwrap_err();
    assert!(matches!(error, PluginError::Trapped { .. }), "it is asked again: {error}");
    let second = host.bring("2.0.0", "plain").await;
    assert_eq!(host.command("one").await.unwrap().digest, second);
}

#[tokio::test]
async fn a_version_that_sessions_are_pinned_to_is_given_up_alone() {
    let host = TestRegistry::start().await;
    // It is still on trial when the next one comes.
    let second = host.bring("2.0.0", "later").await;
    let pinned: Vec<_> = (0..6).map(|number| format!("pinned-{number}")).collect();
    for session in &pinned {
        host.command(session).await.unwrap();
    }
    let third = host.bring("3.0.0", "other").await;
    pass_the_hour(&host);
    'given_up: loop {
        for session in &pinned {
            match host.command(session).await.unwrap_err() {
                PluginError::Paused { retry_after: None, .. } => break 'given_up,
                PluginError::Paused { retry_after: Some(rest), .. } => {
                    tokio::time::sleep(rest).await;
                }
                _ => {}
            }
        }
    }
    let line = until("it stands in the history", async || {
        let changes = host.changes().await;
        changes.into_iter().find(|line| line.action == PluginAction::Quarantine)
    })
    .await;
    assert_eq!((line.from, line.to), (Some(third.clone()), Some(second)));
    assert_eq!(host.active(), third, "the active version has nothing to do with it");
    assert_eq!(host.command("new").await.unwrap().digest, third);
    // The next change gives it another chance.
    host.bring("4.0.0", "other").await;
    let error = host.command(&pinned[0]).await.unwrap_err();
    assert!(matches!(error, PluginError::Trapped { .. }), "{error}");
}
