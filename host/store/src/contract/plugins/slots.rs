//! What fills slots: races, and the history of them.

use std::{collections::HashSet, sync::Arc};

use pairing_core::{
    plugin::Slot,
    plugin_store::{Canary, NumberedChange, PluginAction, PluginChange},
    store::{Store, StoreError},
};
use tokio::task::JoinSet;

use super::{activation, bound_to_sessions::pin, change, digest, let_in, version};
use crate::contract::{at, commit, patiently};

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
        let slot = Slot::OWN[writer % 3];
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

pub async fn handlers_fill_slots_of_their_own(store: Arc<dyn Store>) {
    let_in(&store).await;
    let handlers = ["webhook", "crm"].map(|name| name.parse::<Slot>().unwrap());
    for slot in handlers {
        let component = slot.as_str().as_bytes();
        store.add_version(&version(slot, 'd', component), component).await.unwrap();
        store.activate(&activation(slot, 'd', None)).await.unwrap().unwrap();
    }
    store.activate(&activation(Slot::FanOut, 'a', None)).await.unwrap().unwrap();
    let slots = store.slots().await.unwrap();
    let order: Vec<_> = slots.iter().map(|state| state.slot).collect();
    assert_eq!(order, [Slot::FanOut, handlers[1], handlers[0]]);
    let versions = store.versions(handlers[0]).await.unwrap();
    assert_eq!(versions, [version(handlers[0], 'd', b"webhook")]);
    assert_eq!(store.changes(handlers[1], None, 9).await.unwrap().len(), 1);
}
