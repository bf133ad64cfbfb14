//! Components, and what is known of them.

use std::sync::Arc;

use pairing_core::{
    plugin::Slot,
    plugin_store::{PluginFacts, PluginVersion, Verdict},
    store::Store,
};

use super::{LARGEST, change, digest, noise, version};
use crate::contract::at;

pub async fn a_component_comes_back_byte_for_byte(store: Arc<dyn Store>) {
    let component = noise(LARGEST);
    let largest = version(Slot::Workflow, 'a', &component);
    store.add_version(&largest, &component).await.unwrap();
    let again = store.component(&digest('a')).await.unwrap().unwrap();
    assert!(again == component, "the bytes differ");
    assert_eq!(store.component(&digest('b')).await.unwrap(), None);
    assert_eq!(store.versions(Slot::Workflow).await.unwrap(), [largest]);
    assert_eq!(store.versions(Slot::FanOut).await.unwrap(), []);

    // The same bytes in another slot are a version of their own.
    let elsewhere = version(Slot::FanOut, 'a', &component);
    store.add_version(&elsewhere, &component).await.unwrap();
    assert_eq!(store.versions(Slot::FanOut).await.unwrap(), [elsewhere]);
    assert_eq!(store.versions(Slot::Workflow).await.unwrap().len(), 1);

    store.put_native_code(&digest('a'), "x86-64", &component).await.unwrap();
    let code = store.native_code(&digest('a'), "x86-64").await.unwrap().unwrap();
    assert!(code == component, "the bytes differ");
}

pub async fn a_version_that_is_sent_again_keeps_its_first_sender(store: Arc<dyn Store>) {
    let first = version(Slot::Workflow, 'a', b"wasm");
    store.add_version(&first, b"wasm").await.unwrap();
    let again = PluginVersion {
        source: "folder".to_owned(),
        signed_by: None,
        accepted_by: Some("bea".to_owned()),
        facts: PluginFacts { initial_memory: 7, ..PluginFacts::default() },
        created_at: at(99),
        created_by: "bea".to_owned(),
        ..first.clone()
    };
    store.add_version(&again, b"wasm").await.unwrap();
    let kept = PluginVersion { accepted_by: again.accepted_by, facts: again.facts, ..first };
    assert_eq!(store.versions(Slot::Workflow).await.unwrap(), [kept]);
    assert_eq!(store.component(&digest('a')).await.unwrap().unwrap(), b"wasm");
}

pub async fn versions_come_newest_first(store: Arc<dyn Store>) {
    for (letter, seconds) in [('b', 5), ('d', 1), ('a', 5), ('c', 9)] {
        let sent =
            PluginVersion { created_at: at(seconds), ..version(Slot::QrRenderer, letter, b"wasm") };
        store.add_version(&sent, b"wasm").await.unwrap();
    }
    let versions = store.versions(Slot::QrRenderer).await.unwrap();
    let order: Vec<_> = versions.into_iter().map(|version| version.digest).collect();
    assert_eq!(order, ['c', 'a', 'b', 'd'].map(digest));
}

/// A guest's words may hold a zero character, which PostgreSQL's text does not.
pub async fn what_plugins_say_of_themselves_is_kept_whatever_it_is(store: Arc<dyn Store>) {
    let mut odd = version(Slot::FanOut, 'a', b"");
    odd.name = "na\0me \u{1F4F1}".to_owned();
    odd.facts.interface = "inter\0face".to_owned();
    store.add_version(&odd, b"").await.unwrap();
    let kept = store.versions(Slot::FanOut).await.unwrap().remove(0);
    assert_eq!(kept.name, "na\u{FFFD}me \u{1F4F1}");
    assert_eq!(kept.facts.interface, odd.facts.interface);
    assert_eq!(store.component(&digest('a')).await.unwrap().unwrap(), b"");

    let mut refused = change(Slot::FanOut, 'a');
    refused.refusal = Some("it said: \0".to_owned());
    refused.detail = "'; DROP TABLE plugin_changes; --".to_owned();
    store.note(&refused).await.unwrap();
    let noted = store.changes(Slot::FanOut, None, 1).await.unwrap().remove(0).change;
    assert_eq!(noted.refusal.unwrap(), "it said: \u{FFFD}");
    assert_eq!(noted.detail, refused.detail);
}

pub async fn native_code_is_replaced_and_kept_apart_by_compatibility(store: Arc<dyn Store>) {
    let code = async |letter, compatibility| {
        store.native_code(&digest(letter), compatibility).await.unwrap()
    };
    assert_eq!(code('a', "one").await, None);
    for (letter, compatibility, sealed) in
        [('a', "one", b"old"), ('a', "two", b"two"), ('b', "one", b"bee"), ('a', "one", b"new")]
    {
        store.put_native_code(&digest(letter), compatibility, sealed).await.unwrap();
    }
    assert_eq!(code('a', "one").await.unwrap(), b"new");
    assert_eq!(code('a', "two").await.unwrap(), b"two");
    assert_eq!(code('b', "one").await.unwrap(), b"bee");
    assert_eq!(code('b', "two").await, None);
}

pub async fn verdicts_come_oldest_first(store: Arc<dyn Store>) {
    let verdict = |letter: Option<char>, gate: &str, passed| Verdict {
        slot: Slot::Workflow,
        digest: letter.map(digest),
        at: at(3),
        gate: gate.to_owned(),
        passed,
        message: format!("{gate} said so"),
        report: (!passed).then(|| "{\"differs\": 1}".to_owned()),
    };
    let own = [
        verdict(Some('a'), "signature", true),
        verdict(Some('a'), "replay", false),
        verdict(Some('a'), "replay", true),
    ];
    let elsewhere = Verdict { slot: Slot::FanOut, ..own[0].clone() };
    let others = [verdict(None, "digest", false), verdict(Some('b'), "probe", true), elsewhere];
    for (one, other) in own.iter().zip(&others) {
        store.add_verdict(one).await.unwrap();
        store.add_verdict(other).await.unwrap();
    }
    assert_eq!(store.verdicts(Slot::Workflow, &digest('a')).await.unwrap(), own);
    assert_eq!(store.verdicts(Slot::FanOut, &digest('a')).await.unwrap(), others[2..]);
    assert_eq!(store.verdicts(Slot::FanOut, &digest('b')).await.unwrap(), []);
}
