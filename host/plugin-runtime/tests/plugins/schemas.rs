//! State of another schema is migrated, or refused.

use pairing_core::{
    plugin::PluginError,
    workflow::{Input, Workflow},
};

use crate::{guests, limits::context};

/// Writes schema 2, reads 1 and 2. Its `handle` refuses and says what state it
/// was given; its `migrate` puts a mark before the state.
const ECHO: &str = r#"(module
  (memory (export "memory") 1)
  (global $heap (mut i32) (i32.const 4096))
  (data (i32.const 8) "echo1.0")
  (data (i32.const 16) "\01\00\00\00\02\00\00\00")
  (data (i32.const 32) "\08\00\00\00\04\00\00\00" "\0c\00\00\00\03\00\00\00" "\02\00\00\00" "\10\00\00\00\02\00\00\00" "\08\00\00\00\00\00\00\00")
  (data (i32.const 112) "migrated ")
  (func $allocate (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
    (global.set $heap (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func (export "pairing-console:workflow/machine@0.1.0#describe") (result i32) (i32.const 32))
  (func (export "pairing-console:workflow/machine@0.1.0#handle") (param $arguments i32) (result i32)
    (i32.store8 (i32.const 256) (i32.const 1))
    (i32.store8 (i32.const 264) (i32.const 2))
    (i32.store (i32.const 268) (i32.load offset=4 (local.get $arguments)))
    (i32.store (i32.const 272) (i32.load offset=8 (local.get $arguments)))
    (i32.const 256))
  (func (export "pairing-console:workflow/machine@0.1.0#migrate") (param $schema i32) (param $state i32) (param $length i32) (result i32)
    (memory.copy (i32.const 121) (local.get $state) (local.get $length))
    (i32.store (i32.const 260) (i32.const 112))
    (i32.store (i32.const 264) (i32.add (i32.const 9) (local.get $length)))
    (i32.const 256)))"#;

async fn given(workflow: &dyn Workflow, schema: u32) -> String {
    let state = Some((schema, &b"state"[..]));
    match workflow.handle(state, &Input::WakeUp, &context()).await {
        Err(PluginError::Refused { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn state_of_the_own_schema_is_handed_over_as_it_is() {
    let echo = guests::component("workflow", "workflow", ECHO);
    let plugins = guests::load("workflow", &echo).await.unwrap();
    assert_eq!(given(&*plugins.workflow, 2).await, "state");
}

#[tokio::test]
async fn state_of_an_older_schema_is_migrated_first() {
    let echo = guests::component("workflow", "workflow", ECHO);
    let plugins = guests::load("workflow", &echo).await.unwrap();
    assert_eq!(given(&*plugins.workflow, 1).await, "migrated state");
}

#[tokio::test]
async fn state_of_an_unknown_schema_is_refused_without_asking() {
    let echo = guests::component("workflow", "workflow", ECHO);
    let plugins = guests::load("workflow", &echo).await.unwrap();
    let refusal = given(&*plugins.workflow, 3).await;
    assert_eq!(refusal, "the state has schema 3, but this component reads {1, 2} only");
}
