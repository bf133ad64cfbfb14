//! A database that is older than the registry.

use std::sync::Arc;

use pairing_core::{
    clock::Timestamp,
    plugin::PluginDigest,
    store::{RecordedInput, Store},
};

use crate::contract::commit;

/// What a database of before the registry held: a session, its input, and the
/// last input of another that was deleted. `$1` is a state.
pub const BEFORE_THE_REGISTRY: [&str; 3] = [
    "INSERT INTO sessions (name, view, state, state_schema, input_number, created_at, updated_at)
     VALUES ('s', '{\"status\":\"disconnected\",\"linked\":false}', $1, 1, 1, 0, 0)",
    "INSERT INTO inputs (session_name, number, at, digest, input, context, transition, first_event)
     VALUES ('s', 1, 5, 'abc', '{\"n\":1}', '{}', '[]', 0)",
    "INSERT INTO deleted_sessions (name, number, at, digest, input, context, transition,
         first_event)
     VALUES ('gone', 1, 5, 'abc', '{\"n\":1}', '{}', '[]', 0)",
];

/// For a store over a database that was upgraded with [`BEFORE_THE_REGISTRY`] in it.
pub async fn an_upgraded_database_keeps_its_inputs(store: Arc<dyn Store>) {
    let old = RecordedInput {
        number: 1,
        at: Timestamp(5),
        digest: PluginDigest("abc".into()),
        state_schema: 1,
        fuel: 0,
        input: "{\"n\":1}".to_owned(),
        context: "{}".to_owned(),
        transition: "[]".to_owned(),
    };
    let name = "s".parse().unwrap();
    assert_eq!(store.inputs(&name, 0, 9).await.unwrap().as_slice(), std::slice::from_ref(&old));
    // The last input of a deleted session is still recognised.
    let mut repeated = commit("gone", 1, vec![]);
    repeated.input = old;
    repeated.delete = true;
    store.commit(&repeated).await.unwrap();
    store.commit(&repeated).await.unwrap();
    let mut next = commit("s", 2, vec![]);
    next.input.fuel = 77;
    store.commit(&next).await.unwrap();
    assert_eq!(store.inputs(&name, 1, 9).await.unwrap(), [next.input]);
    assert_eq!(store.slots().await.unwrap(), []);
}
