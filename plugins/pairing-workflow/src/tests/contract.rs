//! What the component says of itself, and what it does with bytes it can't read.

use super::world::{World, settings};
use crate::{
    Workflow,
    contract::{Context, Guest as _, Input, VersionedState, WorkflowError},
    state::SCHEMA,
};

#[test]
fn it_says_which_schemas_it_writes_and_reads() {
    let description = Workflow::describe();
    assert_eq!(description.name, "pairing-workflow");
    assert_eq!(description.version, env!("CARGO_PKG_VERSION"));
    assert_eq!((description.writes_schema, description.reads_schemas), (1, vec![1]));
}

#[test]
fn state_that_can_not_be_read_is_named_so() {
    for bytes in [&b""[..], b"{}", b"\xff", b"{\"phase\":\"Elsewhere\"}"] {
        let context = Context {
            session_name: "x".into(),
            now: 0,
            seed: 0,
            input_number: 1,
            settings: settings(),
            extra: Vec::new(),
        };
        let answer = Workflow::handle(Some(bytes.to_vec()), Input::HostStarted, context);
        assert!(matches!(answer, Err(WorkflowError::BadState(_))), "{answer:?}");
    }
}

#[test]
fn its_own_schema_needs_no_migration_and_others_are_refused() {
    let migrate = |schema_version| {
        Workflow::migrate(VersionedState { schema_version, bytes: b"{}".to_vec() })
    };
    assert_eq!(migrate(SCHEMA), Ok(b"{}".to_vec()));
    assert!(matches!(migrate(SCHEMA + 1), Err(WorkflowError::BadState(_))));
}

#[test]
fn states_of_schema_1_stay_readable() {
    // As written by the first version; never to be changed.
    let written = r#"{"phase":{"Pairing":{"stage":{"Ready":{"shown":{"kind":"Qr","sequence":1,"expires_at":1790000060000},"deadline":1790000150000}},"rounds":0,"codes":1,"restarts":0,"asked":null}},"account":null,"expected":null,"sequence":1}"#;
    let state = crate::state::State::read(written.as_bytes()).unwrap();
    assert_eq!(state, World::qr_ready().state());
    assert_eq!(String::from_utf8(state.write().unwrap()).unwrap(), written);
}

/// An older version reads what this one writes: it knows the words of all cases,
/// and leaves out what it does not know.
#[test]
fn states_name_no_case_that_the_first_version_did_not_know() {
    let known = [
        "Off",
        "Pairing",
        "Linking",
        "Linked",
        "Unlinking",
        "Deleted",
        "Starting",
        "Waiting",
        "Ready",
        "Online",
        "Lost",
        "Connecting",
        "Asked",
        "Stop",
        "Delete",
        "Pair",
        "Refuse",
    ];
    for (situation, world) in World::all() {
        let text = String::from_utf8(world.state().write().unwrap()).unwrap();
        let cases =
            text.split('"').filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()));
        for case in cases {
            let is_reason =
                format!("{:?}", world.state().phase).contains(&format!("Reason::{case}"));
            let is_value = ["Ana", "Qr", "PairingCode"].contains(&case) || case.contains(' ');
            assert!(
                known.contains(&case) || is_reason || is_value,
                "{situation}: {case} in {text}"
            );
        }
    }
}

#[test]
fn states_are_small() {
    for (situation, world) in World::all() {
        let bytes = world.state().write().unwrap();
        assert!(bytes.len() < 1024, "{situation}: {} bytes", bytes.len());
    }
}
