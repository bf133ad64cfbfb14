//! What the sender of a component reads when it does not come in.

use insta::assert_snapshot;
use pairing_core::plugin::Slot;
use pairing_plugin_registry::RegistryConfig;
use pairing_tests::{chameleon, released};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

use crate::plugins::harness::{TestRegistry, push, rules, without_digests};

async fn refusal(slot: Slot, component: Vec<u8>) -> String {
    let host = TestRegistry::start().await;
    let (before, lines) = (host.active(), host.changes().await.len());
    let error = host.registry.push(push(slot, component)).await.unwrap_err();
    let history = host.registry.history(slot, None, 1).await.unwrap();
    let line = &history[0].change;
    assert_eq!(line.refusal.as_deref(), Some(&*error.to_string()), "it stands in the history");
    assert_eq!(host.active(), before);
    if slot == Slot::Workflow {
        assert_eq!(host.changes().await.len(), lines + 1);
    }
    without_digests(error)
}

/// A component of a world, around a module in text form.
fn component(packages: &[&str], module: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let mut last = None;
    for package in packages {
        last = Some(resolve.push_source("test.wit", package).unwrap());
    }
    let world = resolve.select_world(&[last.unwrap()], None).unwrap();
    let mut module = wat::parse_str(module).unwrap();
    let utf8 = StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut module, &resolve, world, utf8, false).unwrap();
    ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
}

#[tokio::test]
async fn what_is_no_component() {
    assert_snapshot!("text", refusal(Slot::Workflow, b"#!/bin/sh".to_vec()).await);
    let module = wat::parse_str("(module)").unwrap();
    assert_snapshot!("core_module", refusal(Slot::Workflow, module).await);
    let half = chameleon("2.0.0", "plain")[..500].to_vec();
    assert_snapshot!("cut_off", refusal(Slot::Workflow, half).await);
}

#[tokio::test]
async fn what_imports_something() {
    let wit = "package test:greedy; world greedy { import random: func() -> u64; }
        ";
    let module = r#"(module (import "$root" "random" (func (result i64))))"#;
    assert_snapshot!(refusal(Slot::Workflow, component(&[wit], module)).await);
}

#[tokio::test]
async fn what_is_for_another_slot() {
    assert_snapshot!(refusal(Slot::Workflow, released("qr-renderer")).await);
}

#[tokio::test]
async fn what_is_for_a_later_world() {
    let wit = "package pairing-console:qr@0.2.0;
        interface renderer { draw: func(); }
        world qr { export renderer; }";
    let module = r#"(module (func (export "pairing-console:qr/renderer@0.2.0#draw")))"#;
    assert_snapshot!(refusal(Slot::QrRenderer, component(&[wit], module)).await);
}

#[tokio::test]
async fn what_begins_with_more_memory_than_it_may_have() {
    let wit = "package test:large; world large { export run: func(); }";
    let module = r#"(module (memory 512) (func (export "run")))"#;
    assert_snapshot!(refusal(Slot::Workflow, component(&[wit], module)).await);
}

#[tokio::test]
async fn what_is_too_large() {
    let host = TestRegistry::with(RegistryConfig { max_size: 1 << 20, ..rules() }).await;
    let error = host.try_push(vec![0; (1 << 20) + 1]).await.unwrap_err();
    assert_snapshot!(error);
}

#[tokio::test]
async fn what_gives_two_answers_to_the_same_call_or_none_is_stopped_by_the_probe() {
    assert_snapshot!(refusal(Slot::Workflow, chameleon("2.0.0", "trapprobe")).await);
}

#[tokio::test]
async fn what_can_not_be_asked_for() {
    let host = TestRegistry::start().await;
    let active = host.active();
    assert_snapshot!("active_already", without_digests(host.activate(&active).await.unwrap_err()));
    assert_snapshot!("nothing_to_go_back_to", host.back(None).await.unwrap_err());
    let second = host.push(chameleon("2.0.0", "plain")).await;
    let never = host.back(Some(&second.0[..10])).await.unwrap_err();
    assert_snapshot!("never_active", without_digests(never));
    let active = host.back(Some(&active.0)).await.unwrap_err();
    assert_eq!(without_digests(active), "chameleon 1.0.0 (<digest>) is active already");
    assert_snapshot!(
        "unknown",
        host.back(Some("0123456789ab"))
            .await
            .unwrap_err()
            .to_string()
            .replace("0123456789ab", "<digits>")
    );
    assert_snapshot!("share", host.canary(&second, 0).await.unwrap_err());
}
