//! What is no component for its slot is refused in words that help.

use pairing_plugin_runtime::{LoadError, Refusal};

use crate::guests::{component_of, load, moody};

async fn refusal(slot: &str, file: &[u8]) -> Refusal {
    match load(slot, file).await {
        Err(LoadError::Refused { refusal, .. }) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_no_component_is_named() {
    let module = wat::parse_str("(module)").unwrap();
    for (file, words) in [
        (&b""[..], "an empty file"),
        (b"#!/bin/sh\n", "not WebAssembly"),
        (b"(component)", "not WebAssembly"),
        (&module, "`wasm-tools component new`"),
        (b"\0asm\x09\0\x07\0", "a version that this host does not know"),
    ] {
        let refusal = refusal("workflow", file).await.to_string();
        assert!(refusal.contains(words), "{refusal}");
    }
    let cut_off = &moody::component()[..500];
    assert!(matches!(refusal("qr-renderer", cut_off).await, Refusal::Compile(_)));
}

#[tokio::test]
async fn a_component_that_imports_something_is_refused_by_name() {
    let wit = "
        package test:greedy;
        world greedy { import wasi:clocks/wall-clock@0.2.0; import random: func() -> u64; }
        package wasi:clocks@0.2.0 { interface wall-clock { now: func() -> u64; } }
    ";
    let module = r#"(module
        (import "wasi:clocks/wall-clock@0.2.0" "now" (func (result i64)))
        (import "$root" "random" (func (result i64))))"#;
    let greedy = component_of(wit, "greedy", module);
    let refusal = refusal("qr-renderer", &greedy).await;
    let wanted = ["`random`".to_owned(), "`wasi:clocks/wall-clock@0.2.0#now`".to_owned()];
    let Refusal::Imports(mut imports) = refusal else { panic!("{refusal}") };
    imports.sort();
    assert_eq!(imports, wanted);
}

#[tokio::test]
async fn a_component_of_another_world_is_refused_and_told_what_is_missing() {
    let refusal = refusal("workflow", &moody::component()).await.to_string();
    assert!(refusal.contains("`pairing-console:workflow/machine@0.1.0`"), "{refusal}");
    assert!(refusal.contains("but `pairing-console:qr/renderer@0.1.0`"), "{refusal}");
}

#[tokio::test]
async fn an_interface_that_is_not_whole_is_refused() {
    let wit = "package pairing-console:qr@0.1.0;
        interface renderer { render: func(); }
        world half { export renderer; }";
    let module = r#"(module (func (export "pairing-console:qr/renderer@0.1.0#render")))"#;
    let refusal = refusal("qr-renderer", &component_of(wit, "half", module)).await;
    let interface = "pairing-console:qr/renderer@0.1.0";
    assert_eq!(refusal, Refusal::MissingFunction { interface, function: "describe" });
}

#[tokio::test]
async fn functions_of_other_types_are_refused_by_name() {
    let wit = "package pairing-console:qr@0.1.0;
        interface renderer { describe: func(); render: func(); }
        world other { export renderer; }";
    let module = r#"(module
        (func (export "pairing-console:qr/renderer@0.1.0#describe"))
        (func (export "pairing-console:qr/renderer@0.1.0#render")))"#;
    let refusal = refusal("qr-renderer", &component_of(wit, "other", module)).await;
    assert!(matches!(refusal, Refusal::Types { .. }), "{refusal:?}");
    assert!(refusal.to_string().contains("#describe`"), "{refusal}");
}

#[tokio::test]
async fn a_component_that_can_never_have_its_memory_is_refused() {
    let wit = "package test:large; world large {}";
    let large = component_of(wit, "large", r#"(module (memory 300))"#);
    let refusal = refusal("qr-renderer", &large).await;
    assert_eq!(refusal, Refusal::Memory { wanted: 300 << 16, limit: 16 << 20 });
    assert!(
        refusal.to_string().contains("19 MiB of memory, and a plugin of this slot may have 16 MiB"),
        "{refusal}"
    );
}
