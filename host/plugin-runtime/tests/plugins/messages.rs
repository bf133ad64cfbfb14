//! What the author of a plugin reads when it is refused: what is wrong, where, and
//! how to repair it. Each is a component that an author may well build.

use std::{fmt::Write, fs, path::Path};

use pairing_core::plugin::Slot;
use pairing_plugin_runtime::{Origin, PluginsConfig, Runtime, digest_of};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{
    Resolve, WorldId, WorldItem,
    abi::{AbiVariant, WasmType},
};

use crate::guests::{component_of, moody};

async fn message(slot: Slot, component: &[u8]) -> String {
    let runtime = Runtime::start(PluginsConfig::default()).unwrap();
    let sealed = match runtime.compile(slot, component).await {
        Ok(sealed) => sealed,
        Err(refusal) => return refusal.to_string(),
    };
    let origin = Origin { digest: digest_of(component), source: "upload".into(), is_proven: false };
    match runtime.load(slot, sealed, origin).await {
        Err(refusal) => refusal.to_string(),
        Ok(loaded) => panic!("not refused: {loaded:?}"),
    }
}

/// A component for a world of `wit/` whose packages were changed by `edit` first.
/// It exports all that the changed world wants.
fn built_against(package: &str, world: &str, edit: impl Fn(String) -> String) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let texts = ["types", package].map(|name| {
        let text = fs::read_to_string(wit.join(name).join(name).with_extension("wit")).unwrap();
        (name, text)
    });
    let edited = texts.clone().map(|(name, text)| (name, edit(text)));
    assert_ne!(texts, edited, "nothing was edited");
    let [_, package] = edited.map(|(name, text)| resolve.push_source(name, &text).unwrap());
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    let mut module = wat::parse_str(hollow(&resolve, world)).unwrap();
    let utf8 = StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut module, &resolve, world, utf8, false).unwrap();
    ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
}

/// A module with all functions that the world wants, which do nothing.
fn hollow(resolve: &Resolve, world: WorldId) -> String {
    let mut module = String::from(
        r#"(module (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)"#,
    );
    for item in resolve.worlds[world].exports.values() {
        let WorldItem::Interface { id, .. } = item else { panic!("{item:?}") };
        for (name, function) in &resolve.interfaces[*id].functions {
            let signature = resolve.wasm_signature(AbiVariant::GuestExport, function);
            let (parameters, results) = (words(&signature.params), words(&signature.results));
            let interface = resolve.id_of(*id).unwrap();
            let (parameters, results) =
                (format!("(param{parameters})"), format!("(result{results})"));
            write!(
                module,
                r#"(func (export "{interface}#{name}") {parameters} {results} unreachable)"#
            )
            .unwrap();
        }
    }
    module + ")"
}

fn words(types: &[WasmType]) -> String {
    let word = |ty: &WasmType| match ty {
        WasmType::I64 | WasmType::PointerOrI64 => " i64",
        WasmType::F32 => " f32",
        WasmType::F64 => " f64",
        WasmType::I32 | WasmType::Pointer | WasmType::Length => " i32",
    };
    types.iter().map(word).collect()
}

/// A workflow that was built against other words.
fn workflow(from: &str, to: &str) -> Vec<u8> {
    built_against("workflow", "workflow", |text| text.replacen(from, to, 1))
}

fn renderer(from: &str, to: &str) -> Vec<u8> {
    built_against("qr", "qr-renderer", |text| text.replacen(from, to, 1))
}

#[tokio::test]
async fn for_files_that_are_no_components() {
    let module = wat::parse_str("(module)").unwrap();
    insta::assert_snapshot!(message(Slot::Workflow, &module).await, @"it is a core WebAssembly module and not a component; make it one with `wasm-tools component new`");
    insta::assert_snapshot!(message(Slot::Workflow, b"").await, @"it is an empty file; send the component that your build made");
    insta::assert_snapshot!(message(Slot::Workflow, b"#!/bin/sh").await, @"it is not WebAssembly; send the component (`.wasm`) that your build made");
    insta::assert_snapshot!(message(Slot::Workflow, b"\0asm\x09\0\x07\0").await, @"it is WebAssembly of a version that this host does not know; build it with current tools");
    let cut_off = &moody::component()[..500];
    insta::assert_snapshot!(message(Slot::QrRenderer, cut_off).await, @"it can't be compiled: failed to parse WebAssembly module: wasm component contains an invalid module section: section range 76..942 is out of bounds (bound = 500); see what `wasm-tools validate` says of the file");
}

#[tokio::test]
async fn for_components_of_another_world_or_version() {
    let later = workflow(
        "package pairing-console:workflow@0.1.0",
        "package pairing-console:workflow@0.2.0",
    );
    insta::assert_snapshot!(message(Slot::Workflow, &later).await, @"it exports `pairing-console:workflow/machine@0.2.0`, but this host offers 0.1.0: build it against `wit/workflow` at 0.1.0, or take a host that offers 0.2.0");
    insta::assert_snapshot!(message(Slot::Workflow, &moody::component()).await, @"it exports no `pairing-console:workflow/machine@0.1.0`, but `pairing-console:qr/renderer@0.1.0`; build it against `wit/workflow` at 0.1.0");
    let nothing = component_of("package test:nothing; world nothing {}", "nothing", "(module)");
    insta::assert_snapshot!(message(Slot::QrRenderer, &nothing).await, @"it exports nothing, not even `pairing-console:qr/renderer@0.1.0`; build it against `wit/qr` at 0.1.0");
}

#[tokio::test]
async fn for_imports_that_are_not_granted() {
    let wit = "
        package test:greedy;
        world greedy { import wasi:clocks/wall-clock@0.2.0; import random: func() -> u64; }
        package wasi:clocks@0.2.0 { interface wall-clock { now: func() -> u64; resolution: func() -> u64; } }
    ";
    let module = r#"(module
        (import "wasi:clocks/wall-clock@0.2.0" "now" (func (result i64)))
        (import "wasi:clocks/wall-clock@0.2.0" "resolution" (func (result i64)))
        (import "$root" "random" (func (result i64))))"#;
    let greedy = component_of(wit, "greedy", module);
    insta::assert_snapshot!(message(Slot::QrRenderer, &greedy).await, @"it imports `random`, `wasi:clocks/wall-clock@0.2.0#now`, `wasi:clocks/wall-clock@0.2.0#resolution`, but this world grants no imports: what it needs comes with each call; to be rid of WASI, build it for wasm32-unknown-unknown");
}

#[tokio::test]
async fn for_a_function_that_is_missing() {
    let other = renderer("render: func", "draw: func");
    insta::assert_snapshot!(message(Slot::QrRenderer, &other).await, @"its `pairing-console:qr/renderer@0.1.0` lacks the function `render`; build it against `wit/qr` at 0.1.0");
}

#[tokio::test]
async fn for_other_types_they_name_the_place_and_both_sides() {
    let one_more_status =
        workflow("        connected,\n    }", "        connected,\n        paused,\n    }");
    insta::assert_snapshot!(message(Slot::Workflow, &one_more_status).await, @"its `pairing-console:workflow/machine@0.1.0#handle` has other types than the host's: in its answer, `view`.`status` has 6 cases, expected 5; build it anew against `wit/workflow` at 0.1.0, whose types never change");
    let one_more_field =
        workflow("        linked: bool,", "        linked: bool,\n        since: timestamp,");
    insta::assert_snapshot!(message(Slot::Workflow, &one_more_field).await, @"its `pairing-console:workflow/machine@0.1.0#handle` has other types than the host's: in its answer, `view` has 8 fields, expected 7; build it anew against `wit/workflow` at 0.1.0, whose types never change");
    let other_payload = workflow("qr-made(bool)", "qr-made(u32)");
    insta::assert_snapshot!(message(Slot::Workflow, &other_payload).await, @"its `pairing-console:workflow/machine@0.1.0#handle` has other types than the host's: in its parameters, `engine`.`qr-made` is `u32`, expected `bool`; build it anew against `wit/workflow` at 0.1.0, whose types never change");
    let without_payload = workflow("qr-made(bool)", "qr-made");
    insta::assert_snapshot!(message(Slot::Workflow, &without_payload).await, @"its `pairing-console:workflow/machine@0.1.0#handle` has other types than the host's: in its parameters, `engine` differs (case `qr-made` has no type but one was expected); build it anew against `wit/workflow` at 0.1.0, whose types never change");
    let other_option = renderer("        size: u32,", "        size: option<u32>,");
    insta::assert_snapshot!(message(Slot::QrRenderer, &other_option).await, @"its `pairing-console:qr/renderer@0.1.0#render` has other types than the host's: in its parameters, `size` is `option`, expected `u32`; build it anew against `wit/qr` at 0.1.0, whose types never change");
    let other_name = renderer("        quiet-zone: u32,", "        margin: u32,");
    insta::assert_snapshot!(message(Slot::QrRenderer, &other_name).await, @"its `pairing-console:qr/renderer@0.1.0#render` has other types than the host's: in its parameters: it has the field `margin` where `quiet-zone` is expected; build it anew against `wit/qr` at 0.1.0, whose types never change");
    let other_case = renderer("        quartile,", "        quarter,");
    insta::assert_snapshot!(message(Slot::QrRenderer, &other_case).await, @"its `pairing-console:qr/renderer@0.1.0#render` has other types than the host's: in its parameters, `error-level` has the case `quarter` where `quartile` is expected; build it anew against `wit/qr` at 0.1.0, whose types never change");
    let one_more_parameter = renderer("render: func(", "render: func(seed: u64, ");
    insta::assert_snapshot!(message(Slot::QrRenderer, &one_more_parameter).await, @"its `pairing-console:qr/renderer@0.1.0#render` has other types than the host's: in its parameters: it has 3 values, expected 2; build it anew against `wit/qr` at 0.1.0, whose types never change");
    let other_list = renderer("        bytes: list<u8>,", "        bytes: string,");
    insta::assert_snapshot!(message(Slot::QrRenderer, &other_list).await, @"its `pairing-console:qr/renderer@0.1.0#render` has other types than the host's: in its answer, `bytes` is `string`, expected `list`; build it anew against `wit/qr` at 0.1.0, whose types never change");
}
