//! The folder that a developer's build writes into.

use pairing_core::plugin_store::PluginAction;
use pairing_plugin_registry::RegistryConfig;
use pairing_plugin_runtime::digest_of;
use pairing_tests::{chameleon, until};

use crate::plugins::{
    harness::{TestRegistry, rules, write},
    played_sessions::reply,
};

#[tokio::test]
async fn what_is_written_there_becomes_active_and_what_is_broken_does_not() {
    let host = TestRegistry::with(RegistryConfig { watch: true, ..rules() }).await;
    host.command("one").await.unwrap();
    let second = chameleon("2.0.0", "plain");
    write(&host.dir(), "workflow.wasm", &second);
    host.until_active(&digest_of(&second)).await;
    let decision = host.command("one").await.unwrap();
    assert_eq!((&decision.digest, reply(&decision)), (&digest_of(&second), "counts 2"));
    let line = host.change(PluginAction::Activate).await;
    assert_eq!(line.why, "its file in the watched folder changed");
    assert_eq!(host.slot().active.info.source, "folder");

    write(&host.dir(), "workflow.wasm", b"half a fi");
    let refused = until("the refusal stands in the history", async || {
        let changes = host.changes().await;
        changes.into_iter().find(|line| line.refusal.is_some())
    })
    .await;
    assert_eq!(refused.action, PluginAction::Push);
    assert_eq!(host.active(), digest_of(&second));

    // The next build is good again.
    let third = chameleon("3.0.0", "plain");
    write(&host.dir(), "workflow.wasm", &third);
    host.until_active(&digest_of(&third)).await;
    assert_eq!(reply(&host.command("one").await.unwrap()), "counts 3");
}

#[tokio::test]
async fn what_lies_there_at_the_start_does_not_win_over_the_database() {
    let mut host = TestRegistry::start().await;
    let second = host.bring("2.0.0", "plain").await;
    let dir = Some(host.dir());
    host.restart(RegistryConfig { watch: true, dir, ..rules() }).await;
    let third = chameleon("3.0.0", "plain");
    assert_eq!(host.active(), second);
    write(&host.dir(), "workflow.wasm", &third);
    host.until_active(&digest_of(&third)).await;
    let activations = host.changes().await.into_iter();
    let activations = activations.filter(|line| line.action == PluginAction::Activate);
    assert_eq!(activations.count(), 2, "the second and the third");
}
