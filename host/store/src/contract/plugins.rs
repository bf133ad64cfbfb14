//! The registry of plugins: components, slots and their history.

use std::{collections::HashSet, sync::Arc};

use pairing_core::{
    clock::Timestamp,
    event::EventData,
    plugin::{PluginDigest, Slot},
    plugin_store::{
        Activation, Canary, NumberedChange, PluginAction, PluginChange, PluginFacts, PluginVersion,
        Verdict,
    },
    store::{RecordedInput, Store, StoreError},
};
use tokio::task::JoinSet;

mod bound_to_sessions;

use bound_to_sessions::pin;
pub use bound_to_sessions::*;

use super::{at, commit, patiently};

/// The largest component that is taken.
pub const LARGEST: usize = 32 << 20;

/// Bytes without a pattern that could be compressed away (xorshift).
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> =
        std::iter::repeat_with(&mut next).take(length / 8 + 1).flatten().collect();
    bytes.truncate(length);
    bytes
}

fn digest(letter: char) -> PluginDigest {
    PluginDigest(letter.to_string().repeat(64).into())
}

pub fn version(slot: Slot, letter: char, component: &[u8]) -> PluginVersion {
    PluginVersion {
        slot,
        digest: digest(letter),
        name: "plugin".to_owned(),
        version: "1.2.3".to_owned(),
        size: component.len() as u64,
        source: "upload".to_owned(),
        signed_by: Some("release".to_owned()),
        accepted_by: None,
        facts: PluginFacts {
            interface: "pairing:plugins/workflow@1.0.0".to_owned(),
            imports: vec!["wasi:cli/environment".to_owned()],
            initial_memory: 1 << 20,
            writes_schema: Some(2),
            reads_schemas: [1, 2].into(),
            fuel: vec![("init".to_owned(), 12_345)],
        },
        created_at: at(1),
        created_by: "ana".to_owned(),
    }
}

pub fn change(slot: Slot, letter: char) -> PluginChange {
    PluginChange {
        slot,
        at: at(7),
        who: "ana".to_owned(),
        action: PluginAction::Activate,
        from: None,
        to: Some(digest(letter)),
        share: None,
        why: "a better one".to_owned(),
        refusal: None,
        detail: String::new(),
    }
}

fn activation(slot: Slot, letter: char, expected: Option<u64>) -> Activation {
    Activation {
        change: change(slot, letter),
        expected,
        active: digest(letter),
        canary: None,
        pins: Vec::new(),
    }
}

/// Lets small components `a`, `b` and `c` in, for every slot.
async fn let_in(store: &Arc<dyn Store>) {
    for slot in Slot::ALL {
        for letter in ['a', 'b', 'c'] {
            let component = letter.to_string().into_bytes();
            store.add_version(&version(slot, letter, &component), &component).await.unwrap();
        }
    }
}

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

pub async fn one_of_many_racing_activations_wins(store: Arc<dyn Store>) {
    let_in(&store).await;
    let mut expected = None;
    for round in 1..=5 {
        let mut racers = JoinSet::new();
        for racer in 0..16 {
            let store = Arc::clone(&store);
            let mut own = activation(Slot::Workflow, ['a', 'b', 'c'][racer % 3], expected);
            own.change.why = format!("racer {racer}");
            racers.spawn(async move {
                let won = patiently(|| store.activate(&own)).await.unwrap();
                won.map(|generation| (generation, own))
            });
        }
        let won: Vec<_> = racers.join_all().await.into_iter().flatten().collect();
        let [(generation, own)] = won.as_slice() else { panic!("round {round}: {won:?}") };
        assert_eq!(*generation, round, "the losers used numbers");
        let slot = store.slots().await.unwrap().remove(0);
        assert_eq!((slot.generation, &slot.active), (round, &own.active));
        let newest = store.changes(Slot::Workflow, None, 1).await.unwrap().remove(0);
        assert_eq!(newest, NumberedChange { number: round, change: own.change.clone() });
        expected = Some(*generation);
    }
    assert_eq!(store.changes(Slot::Workflow, None, 99).await.unwrap().len(), 5);
}

pub async fn a_lost_race_writes_nothing(store: Arc<dyn Store>) {
    let_in(&store).await;
    store.commit(&commit("s", 1, vec![])).await.unwrap();
    let late = |expected| {
        let mut late = activation(Slot::Workflow, 'b', expected);
        late.pins = vec![pin("s", 'b')];
        late
    };
    // An empty slot is at no generation.
    assert_eq!(store.activate(&late(Some(0))).await.unwrap(), None);
    assert_eq!(store.slots().await.unwrap(), []);
    let mut first = activation(Slot::Workflow, 'a', None);
    first.canary = Some(Canary { digest: digest('c'), share: 99 });
    first.pins = vec![pin("s", 'a')];
    assert_eq!(store.activate(&first).await.unwrap(), Some(1));
    let before = store.slots().await.unwrap();
    assert_eq!(before[0].canary, first.canary);

    for expected in [None, Some(0), Some(2), Some(u64::MAX)] {
        assert_eq!(store.activate(&late(expected)).await.unwrap(), None);
    }
    assert_eq!(store.slots().await.unwrap(), before);
    assert_eq!(store.changes(Slot::Workflow, None, 9).await.unwrap().len(), 1);
    assert_eq!(store.pins().await.unwrap(), first.pins);
    assert_eq!(store.activate(&late(Some(1))).await.unwrap(), Some(2));
    assert_eq!(store.slots().await.unwrap()[0].canary, None);
}

pub async fn a_slot_is_filled_with_a_known_version_only(store: Arc<dyn Store>) {
    store.add_version(&version(Slot::Workflow, 'a', b"wasm"), b"wasm").await.unwrap();
    let mut unknown_canary = activation(Slot::Workflow, 'a', None);
    unknown_canary.canary = Some(Canary { digest: digest('b'), share: 5 });
    for unknown in
        [activation(Slot::Workflow, 'b', None), activation(Slot::FanOut, 'a', None), unknown_canary]
    {
        let refusal = store.activate(&unknown).await.unwrap_err();
        assert!(matches!(refusal, StoreError::Refused(_)), "{refusal}");
    }
    assert_eq!(store.slots().await.unwrap(), []);
    assert_eq!(store.activate(&activation(Slot::Workflow, 'a', None)).await.unwrap(), Some(1));
}

pub async fn numbers_count_over_all_slots_without_gaps(store: Arc<dyn Store>) {
    let_in(&store).await;
    let mut writers = JoinSet::new();
    for writer in 0..12 {
        let store = Arc::clone(&store);
        let slot = Slot::ALL[writer % 3];
        writers.spawn(async move {
            let push = change(slot, 'a');
            let noted = patiently(|| store.note(&push)).await.unwrap();
            let lost = activation(slot, 'a', Some(u64::MAX));
            assert_eq!(patiently(|| store.activate(&lost)).await.unwrap(), None);
            noted
        });
    }
    let numbers: HashSet<u64> = writers.join_all().await.into_iter().collect();
    assert_eq!(numbers, (1..=12).collect());
    let last = activation(Slot::FanOut, 'b', None);
    assert_eq!(store.activate(&last).await.unwrap(), Some(13));
    let first = activation(Slot::Workflow, 'a', None);
    assert_eq!(store.activate(&first).await.unwrap(), Some(14));
    let slots = store.slots().await.unwrap();
    let order: Vec<_> = slots.iter().map(|state| (state.slot, state.generation)).collect();
    assert_eq!(order, [(Slot::Workflow, 14), (Slot::FanOut, 13)]);
}

pub async fn history_comes_in_pages_newest_first(store: Arc<dyn Store>) {
    let mut written = Vec::new();
    for (seconds, action) in (0..).zip(PluginAction::ALL) {
        let change = PluginChange {
            at: at(seconds),
            action,
            from: (seconds > 0).then(|| digest('a')),
            to: (seconds > 1).then(|| digest('b')),
            share: (seconds > 2).then_some(25),
            refusal: (seconds > 3).then(|| "no".to_owned()),
            ..change(Slot::QrRenderer, 'b')
        };
        let number = store.note(&change).await.unwrap();
        written.insert(0, NumberedChange { number, change });
        store.note(&self::change(Slot::FanOut, 'c')).await.unwrap();
    }
    let page = store.changes(Slot::QrRenderer, None, 3).await.unwrap();
    assert_eq!(page, written[..3]);
    let page = store.changes(Slot::QrRenderer, Some(page[2].number), 99).await.unwrap();
    assert_eq!(page, written[3..]);
    assert_eq!(store.changes(Slot::QrRenderer, Some(1), 99).await.unwrap(), []);
    assert_eq!(store.changes(Slot::QrRenderer, Some(u64::MAX), 99).await.unwrap(), written);
    assert_eq!(store.changes(Slot::Workflow, None, 99).await.unwrap(), []);
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
