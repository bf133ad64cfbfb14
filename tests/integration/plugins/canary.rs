//! A version on trial: for a share of the sessions, always the same ones, which never
//! lose anything by it.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use pairing_core::{
    plugin::{PluginDigest, Slot},
    plugin_store::PluginAction,
    workflow::Input,
};
use pairing_tests::{chameleon, until};

use crate::plugins::harness::{TestRegistry, blind, rules, without_digests};

const SESSIONS: usize = 100;

/// The sessions that a version decides for.
async fn served_by(host: &TestRegistry, digest: &PluginDigest) -> BTreeSet<usize> {
    let mut served = BTreeSet::new();
    for number in 0..SESSIONS {
        let decision = host.say(&format!("session-{number}"), Input::WakeUp).await.unwrap();
        if decision.digest == *digest {
            served.insert(number);
        }
    }
    served
}

#[tokio::test]
async fn a_larger_share_keeps_the_sessions_of_the_smaller_and_promotion_takes_all() {
    let mut host = TestRegistry::start().await;
    let first = host.active();
    let trial = host.push(chameleon("2.0.0", "plain")).await;
    assert!(served_by(&host, &trial).await.is_empty());
    let mut before = BTreeSet::new();
    for share in [10, 40] {
        let activated = host.canary(&trial, share).await.unwrap();
        assert_eq!(activated.active, first);
        let on_trial = host.slot().canary.unwrap();
        assert_eq!((&on_trial.0.info.digest, on_trial.1), (&trial, share));
        let served = served_by(&host, &trial).await;
        assert!(!served.is_empty() && served.len() < SESSIONS * 3 / 5, "{share}: {served:?}");
        assert!(served.is_superset(&before) && served != before);
        assert_eq!(served_by(&host, &trial).await, served, "nobody flips");
        before = served;
    }
    host.restart(rules()).await;
    assert_eq!(served_by(&host, &trial).await, before, "nor after a restart");
    let promoted = host.activate(&trial).await.unwrap();
    assert_eq!(
        (promoted.active, promoted.canary, promoted.pinned_sessions),
        (trial.clone(), None, 0)
    );
    assert_eq!(served_by(&host, &trial).await.len(), SESSIONS);
}

#[tokio::test]
async fn a_rollback_without_a_name_ends_the_trial() {
    let host = TestRegistry::start().await;
    let first = host.active();
    let trial = host.push(chameleon("2.0.0", "plain")).await;
    host.canary(&trial, 50).await.unwrap();
    let back = host.back(None).await.unwrap();
    assert_eq!((back.active, back.canary), (first.clone(), None));
    assert_snapshot!(without_digests(back.message), @"chameleon 1.0.0 (<digest>) serves all sessions; the trial of chameleon 2.0.0 (<digest>) ended");
    assert_eq!(served_by(&host, &first).await.len(), SESSIONS);
}

#[tokio::test]
async fn sessions_whose_history_diverges_are_not_tried_upon() {
    let host = TestRegistry::start().await;
    for number in 0..SESSIONS {
        host.command(&format!("session-{number}")).await.unwrap();
    }
    let trial = host.push(chameleon("2.0.0", "other")).await;
    host.canary(&trial, 99).await.unwrap();
    assert!(served_by(&host, &trial).await.is_empty());
    assert_eq!(host.command("new").await.unwrap().digest, trial);
}

#[tokio::test]
async fn a_trial_that_fails_more_often_ends_by_itself_and_no_input_is_lost() {
    for mode in ["trap", "half"] {
        let host = TestRegistry::with(blind()).await;
        let first = host.active();
        let trial = host.push(chameleon("2.0.0", mode)).await;
        host.canary(&trial, 50).await.unwrap();
        let mut seed = 0;
        until("the trial has ended", async || {
            for number in 0..SESSIONS {
                seed += 1;
                // The version that is active answers what the other failed in.
                let session = format!("session-{number}");
                host.say_with(&session, Input::WakeUp, seed).await.unwrap();
            }
            host.slot().canary.is_none().then_some(())
        })
        .await;
        assert_eq!(host.active(), first);
        assert!(host.registry.parked(Slot::Workflow, 1).await.unwrap().is_empty());
        let line = host.change(PluginAction::AutomaticRollback).await;
        assert_eq!((&*line.who, line.refusal), ("host", None), "{mode}");
        assert!(line.why.contains("trapped"), "{mode}: {}", line.why);
        assert!(line.detail.starts_with("the trial of chameleon 2.0.0 ("), "{}", line.detail);
    }
}
