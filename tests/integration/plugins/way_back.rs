//! The way back: by hand to any of the last ten, and by itself from a version that is
//! worse than the one before.

use std::sync::Arc;

use insta::assert_snapshot;
use pairing_core::{
    command::Command,
    fakes::FakeEngine,
    plugin::{PluginDigest, Slot},
    plugin_store::PluginAction,
};
use pairing_sessions::{CommandReply, Sessions, SessionsConfig, SessionsParts};

use crate::plugins::harness::{TestRegistry, blind, without_digests};

/// Twelve versions, each active once, the last one still.
async fn twelve(host: &TestRegistry) -> Vec<PluginDigest> {
    let mut digests = vec![host.active()];
    for number in 2..=12 {
        digests.push(host.bring(&format!("{number}.0.0"), "plain").await);
    }
    digests
}

#[tokio::test]
async fn any_of_the_last_ten_versions_is_back_at_once_without_being_compiled() {
    let host = TestRegistry::start().await;
    let digests = twelve(&host).await;
    let compiled = host.code.compiled();
    let too_old = host.back(Some(&digests[0].0)).await.unwrap_err();
    assert_snapshot!(without_digests(too_old), @"chameleon 1.0.0 (<digest>) is not among the last 10 versions that were active; `activate` makes it so, with all checks");
    for digest in digests[1..11].iter().rev() {
        let back = host.back(Some(&digest.0[..12])).await.unwrap();
        assert_eq!((&back.active, back.replay), (digest, None));
        assert_eq!(host.command("one").await.unwrap().digest, *digest);
    }
    assert_eq!(host.code.compiled(), compiled);
}

#[tokio::test]
async fn a_version_whose_compiled_code_was_lost_is_compiled_on_the_way_back() {
    let host = TestRegistry::start().await;
    let first = host.active();
    host.bring("2.0.0", "plain").await;
    host.code.lose();
    let compiled = host.code.compiled();
    assert_eq!(host.back(None).await.unwrap().active, first);
    assert_eq!(host.code.compiled(), compiled + 1);
    assert_eq!(host.command("one").await.unwrap().digest, first);
}

#[tokio::test]
async fn going_back_twice_goes_back_two_versions_and_not_to_the_bad_one() {
    let host = TestRegistry::start().await;
    let first = host.active();
    let second = host.bring("2.0.0", "plain").await;
    let third = host.bring("3.0.0", "plain").await;
    assert_eq!(host.back(None).await.unwrap().active, second);
    assert_eq!(host.back(None).await.unwrap().active, first);
    let none_left = host.back(None).await.unwrap_err();
    assert_snapshot!(without_digests(none_left), @"every version of slot `workflow` that was active before was left by going back; name the one that you want all the same (`--to`): <digest>, <digest>");
    assert_eq!(host.back(Some(&third.0)).await.unwrap().active, third, "unless it is named");
}

#[tokio::test]
async fn a_new_version_that_fails_is_left_by_itself_while_sessions_go_on() {
    for mode in ["trap", "half"] {
        let host = TestRegistry::with(blind()).await;
        let first = host.active();
        let plugins = host.registry.plugins();
        let parts = SessionsParts {
            store: host.store.clone(),
            engine: Arc::new(FakeEngine::default()),
            workflow: plugins.workflow,
            renderer: plugins.renderer,
            fan_out: plugins.fan_out,
            clock: host.clock.clone(),
        };
        let sessions = Sessions::start(parts, SessionsConfig::default()).await.unwrap();
        let bad = host.bring("2.0.0", mode).await;
        let work = |number: usize| {
            let (sessions, registry, first) =
                (sessions.clone(), host.registry.clone(), first.clone());
            async move {
                let name = format!("session-{number}").parse().unwrap();
                let mut count = 0;
                loop {
                    let is_back = registry.slots()[0].active.info.digest == first;
                    let command = Command::Init { expected_phone_number: None, confirm: false };
                    let Ok(CommandReply::Done { message }) = sessions.command(&name, command).await
                    else {
                        panic!("a command failed");
                    };
                    count += 1;
                    assert_eq!(message, format!("counts {count}"));
                    if is_back {
                        return;
                    }
                }
            }
        };
        let workers: Vec<_> = (0..20).map(|number| tokio::spawn(work(number))).collect();
        for worker in workers {
            worker.await.unwrap();
        }
        assert_eq!(host.active(), first);
        assert!(host.registry.parked(Slot::Workflow, 1).await.unwrap().is_empty());
        let line = host.change(PluginAction::AutomaticRollback).await;
        assert_eq!((line.from, line.to), (Some(bad), Some(first)));
        assert_eq!(&*line.who, "host");
        assert!(line.why.contains("trapped"), "{mode}: {}", line.why);
        sessions.stop().await;
    }
}

#[tokio::test]
async fn a_version_that_was_left_can_be_activated_again_and_is_watched_as_before() {
    let host = TestRegistry::with(blind()).await;
    let first = host.active();
    let bad = host.bring("2.0.0", "trap").await;
    for number in 0..10 {
        assert_eq!(host.command(&format!("session-{number}")).await.unwrap().digest, first);
    }
    host.until_active(&first).await;
    host.activate(&bad).await.unwrap();
    assert_eq!(host.active(), bad);
    for number in 0..10 {
        assert_eq!(host.command(&format!("session-{number}")).await.unwrap().digest, first);
    }
    host.until_active(&first).await;
}
