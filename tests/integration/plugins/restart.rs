//! What a host finds in its database when it starts.

use pairing_core::{
    clock::Clock,
    plugin::{PluginDigest, Slot},
    plugin_store::{
        Activation, PluginAction, PluginChange, PluginFacts, PluginStore, PluginVersion,
    },
    workflow::Input,
};
use pairing_plugin_registry::RegistryConfig;
use pairing_plugin_runtime::{digest_of, embedded};
use pairing_tests::{chameleon, marked, released};

use crate::plugins::harness::{TestRegistry, rules, write};

#[tokio::test]
async fn a_restart_fills_the_slots_as_before_and_the_folder_does_not_win() {
    as_before(TestRegistry::start().await).await;
}

#[tokio::test]
async fn the_same_over_postgres() {
    as_before(TestRegistry::over_postgres().await).await;
}

async fn as_before(mut host: TestRegistry) {
    let first = host.active();
    host.command("pinned").await.unwrap();
    let second = host.bring("2.0.0", "other").await;
    let third = host.push(chameleon("3.0.0", "other")).await;
    host.canary(&third, 50).await.unwrap();
    let before = host.slot();
    let mut decided = Vec::new();
    for number in 0..20 {
        let session = format!("session-{number}");
        decided.push((host.command(&session).await.unwrap().digest, session));
    }
    let dir = host.dir();
    write(&dir, "workflow.wasm", &chameleon("9.0.0", "plain"));
    host.restart(RegistryConfig { dir: Some(dir), ..rules() }).await;
    let now = host.slot();
    assert_eq!(now.generation, before.generation);
    assert_eq!(now.active.info, before.active.info);
    assert_eq!(now.canary.unwrap().0.info, before.canary.unwrap().0.info);
    assert_eq!(now.pinned_sessions, before.pinned_sessions);
    for (digest, session) in decided {
        assert_eq!(host.command(&session).await.unwrap().digest, digest, "{session}");
    }
    assert_eq!(host.command("pinned").await.unwrap().digest, first);
    assert_eq!(host.active(), second);
}

/// A database in which a former host has filled the slot with a component of its own.
async fn seed(store: &dyn PluginStore, component: &[u8], now: pairing_core::clock::Timestamp) {
    let digest = digest_of(component);
    let version = PluginVersion {
        slot: Slot::Workflow,
        digest: digest.clone(),
        name: "pairing-workflow".into(),
        version: "0.0.9".into(),
        size: component.len() as u64,
        source: "embedded".into(),
        signed_by: None,
        accepted_by: None,
        facts: PluginFacts::default(),
        created_at: now,
        created_by: "host".into(),
    };
    store.add_version(&version, component).await.unwrap();
    let change = PluginChange {
        slot: Slot::Workflow,
        at: now,
        who: "host".into(),
        action: PluginAction::Seed,
        from: None,
        to: Some(digest.clone()),
        share: None,
        why: "the slot was empty".into(),
        refusal: None,
        detail: String::new(),
    };
    let expected =
        store.slots().await.unwrap().into_iter().find(|slot| slot.slot == Slot::Workflow);
    let activation = Activation {
        change,
        expected: expected.map(|slot| slot.generation),
        active: digest,
        canary: None,
        pins: Vec::new(),
    };
    store.activate(&activation).await.unwrap().unwrap();
}

fn own() -> PluginDigest {
    digest_of(embedded(Slot::Workflow).unwrap())
}

#[tokio::test]
async fn a_newer_host_brings_its_own_newer_component() {
    // A folder fills the slot first, so that the host's own was never active.
    let mut host = TestRegistry::start().await;
    let old = marked(&released("workflow"), 9);
    seed(&*host.store, &old, host.clock.now()).await;
    host.restart(rules()).await;
    assert_eq!(host.active(), own());
    let line = host.change(PluginAction::Seed).await;
    assert_eq!((line.from, line.to), (Some(digest_of(&old)), Some(own())));
    assert_eq!(line.why, "the host brought a newer component");

    // Whoever goes back from it is not overruled by the next start.
    host.back(None).await.unwrap();
    assert_eq!(host.active(), digest_of(&old));
    host.restart(rules()).await;
    assert_eq!(host.active(), digest_of(&old));
}

#[tokio::test]
async fn what_an_operator_has_chosen_is_not_renewed() {
    let mut host = TestRegistry::start().await;
    let first = host.active();
    host.restart(rules()).await;
    assert_eq!(host.active(), first, "it came from a folder");
}

#[tokio::test]
async fn an_active_version_that_can_not_be_loaded_falls_back_and_says_so() {
    let mut host = TestRegistry::start().await;
    let first = host.active();
    host.command("one").await.unwrap();
    let broken = chameleon("2.0.0", "plain")[..1000].to_vec();
    seed(&*host.store, &broken, host.clock.now()).await;
    host.restart(rules()).await;
    assert_eq!(host.active(), own(), "its history does not say what was active before");

    let second = host.bring("2.0.0", "plain").await;
    assert_eq!(host.active(), second);
    seed_from(&host, &broken, &second).await;
    host.restart(rules()).await;
    assert_eq!(host.active(), second);
    let line = host.change(PluginAction::AutomaticRollback).await;
    assert_eq!((line.from, line.to), (Some(digest_of(&broken)), Some(second)));
    assert!(line.why.contains("could not be loaded"), "{}", line.why);
    assert_ne!(first, own());
    host.say("two", Input::WakeUp).await.unwrap();
}

/// The same with a line that says what was active before.
async fn seed_from(host: &TestRegistry, component: &[u8], from: &PluginDigest) {
    let expected = Some(host.slot().generation);
    let digest = digest_of(component);
    let change = PluginChange {
        slot: Slot::Workflow,
        at: host.clock.now(),
        who: "ana".into(),
        action: PluginAction::Activate,
        from: Some(from.clone()),
        to: Some(digest.clone()),
        share: None,
        why: String::new(),
        refusal: None,
        detail: String::new(),
    };
    let activation =
        Activation { change, expected, active: digest, canary: None, pins: Vec::new() };
    host.store.activate(&activation).await.unwrap().unwrap();
}
