//! What is granted works, for whom it is granted; what is not is not linked.

use std::collections::BTreeMap;

use pairing_core::{
    handler::HandleError,
    plugin::PluginError,
    subscription::{Grants, SessionAction, SubscriptionSettings},
};
use pairing_tests::probe_handler;
use rand::Rng;
use serde_json::json;

use super::harness::{World, everything, granted};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_is_not_linked_and_each_missing_grant_is_named() {
    let world = World::start().await;
    let probe = world.load(&probe_handler()).await;
    insta::assert_snapshot!(probe.missing_grants(&Grants::default()).join("\n"), @r"
    `pairing-console:handler/log@0.1.0` (grant it with `--log`)
    `pairing-console:handler/config@0.1.0` (grant it with `--config-access`)
    `pairing-console:handler/kv@0.1.0` (grant it with `--kv`)
    `pairing-console:handler/clock@0.1.0` (grant it with `--clock`)
    `pairing-console:handler/random@0.1.0` (grant it with `--random`)
    `pairing-console:handler/session@0.1.0` (grant it with `--session reconnect (or park, log-out)`)
    `pairing-console:handler/secrets@0.1.0` (grant it with `--sign`)
    `wasi:http/types@0.2.12` (grant it with `--http https://HOST/PATH`)
    ");

    world.fill(&probe_handler()).await;
    let mut rng = rand::rng();
    for _ in 0..10_000 {
        let mut grants = everything();
        let mut taken = Vec::new();
        for (name, value) in grants.as_object_mut().unwrap() {
            if rng.random_bool(0.3) {
                taken.push(name.clone());
                *value = if value.is_boolean() { json!(false) } else { json!([]) };
            }
        }
        let missing = probe.missing_grants(&serde_json::from_value(grants).unwrap());
        assert_eq!(missing.len(), taken.len(), "{taken:?} {missing:?}");
        for name in &taken {
            let import = if name == "http" { "wasi:http/" } else { &format!("handler/{name}@") };
            assert!(missing.iter().any(|one| one.contains(import)), "{name}: {missing:?}");
        }
    }
    // Nor does it run if somebody takes a grant away under the registry's hands.
    for name in everything().as_object().unwrap().keys() {
        let mut grants = everything();
        grants.as_object_mut().unwrap().remove(name);
        world.subscribe(&[("default", granted(grants), &[])]).await;
        let (handled, said) = world.deed("default", "look", &[]).await;
        let Err(HandleError::NotCalled(PluginError::Paused { .. })) = handled else {
            panic!("{name}: {handled:?}");
        };
        assert_eq!(said, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_subscriptions_see_their_own_settings_secrets_and_values_alone() {
    let world = World::start().await;
    world.fill(&probe_handler()).await;
    let settings = |value: &str| SubscriptionSettings {
        config: BTreeMap::from([("name".to_owned(), value.to_owned())]),
        ..granted(everything())
    };
    world
        .subscribe(&[
            ("one", settings("first"), &[("mine", "secret of one")]),
            ("two", settings("second"), &[("other", "secret of two")]),
        ])
        .await;
    world.said("one", "put", &[("key", "a"), ("value", "x")]).await;
    let seen = async |name: &str| world.said(name, "grants", &[("session", "sales")]).await;
    let (one, two) = (seen("one").await, seen("two").await);
    for (seen, expected) in [
        (
            &one,
            [
                r#"config [("name", "first")]"#,
                r#"keys Ok(["a"])"#,
                r#"secrets ["mine"]"#,
                "sign true",
            ],
        ),
        (
            &two,
            [r#"config [("name", "second")]"#, "keys Ok([])", r#"secrets ["other"]"#, "sign false"],
        ),
    ] {
        for line in expected {
            assert!(seen.iter().any(|said| said == line), "{line}: {seen:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_asked_for_what_is_granted_and_not_without_end() {
    let world = World::start().await;
    world.fill(&probe_handler()).await;
    let only = SubscriptionSettings {
        sessions: Some([("sales".parse().unwrap())].into()),
        ..granted(everything())
    };
    world.subscribe(&[("default", only, &[])]).await;
    let asked =
        async |session: &str| world.said("default", "session", &[("session", session)]).await;
    let said = world.said("default", "grants", &[("session", "support")]).await;
    let refused =
        |action: &str, what: &str| format!("{action} Err(ActionError::NotGranted(\"{what}\"))");
    assert!(said.contains(&refused("reconnect", "this session")), "{said:?}");
    assert!(said.contains(&refused("log-out", "this action")), "{said:?}");
    for _ in 0..8 {
        assert_eq!(asked("sales").await, ["session Ok(())"]);
    }
    assert_eq!(asked("sales").await, ["session Err(ActionError::TooOften)"]);
    let done = world.actions.0.lock().unwrap().clone();
    assert_eq!(done, vec![("sales".to_owned(), SessionAction::Reconnect); 8]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_handler_answers_is_what_becomes_of_the_event() {
    let world = World::start().await;
    world.fill(&probe_handler()).await;
    world.subscribe(&[("default", granted(everything()), &[])]).await;
    let answer = async |deed| world.deed("default", deed, &[("ms", "1500")]).await.0.unwrap_err();
    let why = || "on purpose".to_owned();
    assert_eq!(answer("reject").await, HandleError::Reject(why()));
    assert_eq!(answer("gone").await, HandleError::Gone(why()));
    assert_eq!(answer("retry").await, HandleError::Retry { why: why(), after: None });
    let after = Some(std::time::Duration::from_millis(1500));
    assert_eq!(answer("retry-after").await, HandleError::Retry { why: why(), after });
    assert_eq!(world.said("default", "attempt", &[]).await, ["attempt 1 for default"]);
}
