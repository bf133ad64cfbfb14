//! Pins and what was parked: both end with their session.

use std::sync::Arc;

use pairing_core::{
    event::EventData,
    plugin::Slot,
    plugin_store::{Parked, Pin},
    store::Store,
};
use tokio::task::JoinSet;

use super::{activation, digest, let_in};
use crate::contract::{at, commit, patiently};

pub(super) fn pin(session: &str, letter: char) -> Pin {
    Pin {
        session: session.parse().unwrap(),
        digest: digest(letter),
        why: "its history differs".to_owned(),
        at: at(8),
    }
}

async fn begin(store: &Arc<dyn Store>, sessions: &[&str]) {
    for session in sessions {
        store.commit(&commit(session, 1, vec![])).await.unwrap();
    }
}

async fn end(store: &Arc<dyn Store>, session: &str) {
    let mut last = commit(session, 2, vec![EventData::SessionDeleted]);
    last.delete = true;
    patiently(|| store.commit(&last)).await.unwrap();
}

pub async fn an_activation_replaces_the_pins(store: Arc<dyn Store>) {
    let_in(&store).await;
    begin(&store, &["s1", "s2", "s3"]).await;
    store.pin(&pin("s3", 'a')).await.unwrap();
    let mut first = activation(Slot::Workflow, 'b', None);
    first.pins = vec![pin("s1", 'a'), pin("s2", 'a')];
    store.activate(&first).await.unwrap().unwrap();
    assert_eq!(store.pins().await.unwrap(), first.pins);

    // A single one is added, and then replaced.
    store.pin(&pin("s3", 'a')).await.unwrap();
    let moved = Pin { why: "asked for".to_owned(), at: at(9), ..pin("s1", 'c') };
    store.pin(&moved).await.unwrap();
    let pins = [moved, pin("s2", 'a'), pin("s3", 'a')];
    assert_eq!(store.pins().await.unwrap(), pins);

    // Pins are the workflow's: other slots leave them alone.
    store.activate(&activation(Slot::FanOut, 'b', None)).await.unwrap().unwrap();
    assert_eq!(store.pins().await.unwrap(), pins);
    store.activate(&activation(Slot::Workflow, 'a', Some(1))).await.unwrap().unwrap();
    assert_eq!(store.pins().await.unwrap(), []);
}

pub async fn pins_of_missing_sessions_are_skipped(store: Arc<dyn Store>) {
    let_in(&store).await;
    begin(&store, &["s1", "s2"]).await;
    end(&store, "s2").await;
    store.pin(&pin("s2", 'a')).await.unwrap();
    assert_eq!(store.pins().await.unwrap(), []);
    let mut first = activation(Slot::Workflow, 'b', None);
    first.pins = vec![pin("never", 'a'), pin("s1", 'a'), pin("s2", 'a')];
    store.activate(&first).await.unwrap().unwrap();
    assert_eq!(store.pins().await.unwrap(), [pin("s1", 'a')]);
}

pub async fn a_pin_ends_with_its_session(store: Arc<dyn Store>) {
    begin(&store, &["s1", "s2"]).await;
    store.pin(&pin("s1", 'a')).await.unwrap();
    store.pin(&pin("s2", 'a')).await.unwrap();
    end(&store, "s1").await;
    assert_eq!(store.pins().await.unwrap(), [pin("s2", 'a')]);
    // A new session of the same name is not pinned.
    let mut again = commit("s1", 1, vec![]);
    again.input.context = "another seed".to_owned();
    store.commit(&again).await.unwrap();
    assert_eq!(store.pins().await.unwrap(), [pin("s2", 'a')]);
}

/// Neither may fail because of the other, nor may a pin outlive its session.
pub async fn sessions_may_end_while_pins_are_written(store: Arc<dyn Store>) {
    let_in(&store).await;
    let names: Vec<String> = (0..24).map(|number| format!("s{number}")).collect();
    for name in &names {
        begin(&store, &[name]).await;
    }
    let pins: Vec<Pin> = names.iter().map(|name| pin(name, 'b')).collect();
    let mut writers = JoinSet::new();
    for name in names.into_iter().skip(1) {
        let (deleting, pinning) = (Arc::clone(&store), Arc::clone(&store));
        let pinned = pin(&name, 'a');
        writers.spawn(async move { end(&deleting, &name).await });
        writers.spawn(async move { patiently(|| pinning.pin(&pinned)).await.unwrap() });
    }
    let activating = Arc::clone(&store);
    writers.spawn(async move {
        let mut expected = None;
        for _ in 0..8 {
            let mut next = activation(Slot::Workflow, 'c', expected);
            next.pins = pins.clone();
            expected = patiently(|| activating.activate(&next)).await.unwrap();
            assert!(expected.is_some(), "nobody else activates");
        }
    });
    writers.join_all().await;
    assert_eq!(store.pins().await.unwrap(), [pin("s0", 'b')]);
}

fn parked(session: &str, slot: Slot, what: &str) -> Parked {
    Parked {
        slot,
        session: session.parse().unwrap(),
        at: at(4),
        what: what.to_owned(),
        reason: "it trapped: unreachable; again: unreachable".to_owned(),
        input: Some("{ \"n\":1 }".to_owned()),
        context: None,
    }
}

pub async fn parked_inputs_end_with_their_session(store: Arc<dyn Store>) {
    begin(&store, &["s1", "s2"]).await;
    let kept = parked("s2", Slot::Workflow, "command:init");
    let event = Parked {
        input: None,
        context: Some("{}".to_owned()),
        ..parked("s1", Slot::FanOut, "event 7")
    };
    let gone = parked("s1", Slot::Workflow, "engine:loading");
    for parked in [&kept, &event, &gone] {
        store.park(parked).await.unwrap();
    }
    store.park(&parked("never", Slot::Workflow, "command:init")).await.unwrap();
    let workflow = store.parked(Slot::Workflow, 9).await.unwrap();
    assert!(workflow == [gone, kept.clone()], "{workflow:?}");
    assert!(store.parked(Slot::FanOut, 9).await.unwrap() == [event]);
    end(&store, "s1").await;
    assert_eq!(store.parked(Slot::Workflow, 9).await.unwrap(), [kept]);
    assert_eq!(store.parked(Slot::FanOut, 9).await.unwrap(), []);
    store.park(&parked("s1", Slot::Workflow, "command:init")).await.expect("it is gone, no error");
    assert_eq!(store.parked(Slot::Workflow, 9).await.unwrap().len(), 1);
}

pub async fn only_the_newest_thousand_parked_are_kept(store: Arc<dyn Store>) {
    begin(&store, &["s"]).await;
    store.park(&parked("s", Slot::FanOut, "event 0")).await.unwrap();
    let mut writers = JoinSet::new();
    for _ in 0..4 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for _ in 0..250 {
                let early = parked("s", Slot::Workflow, "early");
                patiently(|| store.park(&early)).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    for what in ["late 1", "late 2", "late 3"] {
        store.park(&parked("s", Slot::Workflow, what)).await.unwrap();
    }
    let kept = store.parked(Slot::Workflow, 5_000).await.unwrap();
    assert_eq!(kept.len(), 1_000);
    let newest: Vec<_> = kept.iter().take(4).map(|parked| parked.what.as_str()).collect();
    assert_eq!(newest, ["late 3", "late 2", "late 1", "early"]);
    assert_eq!(store.parked(Slot::Workflow, 2).await.unwrap(), kept[..2]);
    assert_eq!(store.parked(Slot::FanOut, 9).await.unwrap().len(), 1, "other slots keep theirs");
}
