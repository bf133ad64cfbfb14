//! Sessions: the fence, repeating, deleting, reading back.

use std::sync::Arc;

use pairing_core::{
    event::{Cursor, EventData},
    session::{Reason, Status},
    store::{Commit, Store, StoreError},
};
use tokio::task::JoinSet;

use super::{commit, loading, patiently};

pub async fn a_session_comes_back_as_committed(store: Arc<dyn Store>) {
    let first = commit("b-session", 1, vec![loading(1)]);
    let mut second = commit("b-session", 2, vec![loading(2), EventData::SessionDeleted]);
    second.history = None;
    let other = commit("a-session", 1, vec![]);
    store.commit(&first).await.unwrap();
    let entries = store.commit(&second).await.unwrap();
    store.commit(&other).await.unwrap();

    assert_eq!(store.sessions().await.unwrap(), [other.record, second.record.clone()]);
    let name = &second.record.name;
    assert_eq!(store.inputs(name, 0, 9).await.unwrap(), [first.input, second.input.clone()]);
    assert_eq!(store.history(name, 0, 9).await.unwrap(), [first.history.unwrap()]);
    assert_eq!(store.read(Cursor(1), 9).await.unwrap(), entries);
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1].id, Cursor(3));
    assert_eq!(entries[1].at, second.input.at);
    assert_eq!(entries[1].data, EventData::SessionDeleted);
    assert_eq!(&entries[1].session, name);
}

pub async fn a_commit_out_of_turn_is_refused_and_changes_nothing(store: Arc<dyn Store>) {
    let begun = commit("s", 1, vec![loading(1)]);
    store.commit(&begun).await.unwrap();
    let mut other_first = commit("s", 1, vec![loading(9)]);
    other_first.input.context = "another seed".to_owned();
    let mut deleting = commit("s", 3, vec![EventData::SessionDeleted]);
    deleting.delete = true;
    for out_of_turn in [
        other_first,
        commit("s", 3, vec![loading(9)]),
        commit("absent", 2, vec![loading(9)]),
        deleting,
    ] {
        let refusal = store.commit(&out_of_turn).await.unwrap_err();
        let StoreError::Conflict { session, expected } = refusal else {
            panic!("{refusal}");
        };
        assert_eq!(session, out_of_turn.record.name);
        assert_eq!(expected, out_of_turn.input.number - 1);
    }
    assert_eq!(store.sessions().await.unwrap(), [begun.record]);
    assert_eq!(store.bounds().await.unwrap(), (Cursor(1), Cursor(1)));
    store.commit(&commit("s", 2, vec![])).await.expect("the session goes on");
}

pub async fn contradictory_commits_are_refused(store: Arc<dyn Store>) {
    let mut contradictory = commit("s", 1, vec![]);
    contradictory.record.input_number = 2;
    for refused in [contradictory, commit("s", 0, vec![])] {
        let refusal = store.commit(&refused).await.unwrap_err();
        assert!(matches!(refusal, StoreError::Refused(_)), "{refusal}");
    }
    assert_eq!(store.sessions().await.unwrap(), []);
}

pub async fn a_repeated_commit_is_answered_and_not_done_again(store: Arc<dyn Store>) {
    let first = commit("s", 1, vec![loading(1), loading(2)]);
    let second = commit("s", 2, vec![]);
    let answer = store.commit(&first).await.unwrap();
    assert_eq!(store.commit(&first).await.unwrap(), answer);
    store.commit(&second).await.unwrap();
    assert_eq!(store.commit(&second).await.unwrap(), []);
    // Even after the session went on.
    assert_eq!(store.commit(&first).await.unwrap(), answer);
    assert_eq!(store.sessions().await.unwrap(), [second.record]);
    assert_eq!(store.read(Cursor(0), 9).await.unwrap(), answer);
    assert_eq!(store.inputs(&first.record.name, 0, 9).await.unwrap().len(), 2);
}

pub async fn a_repeated_delete_is_answered_and_not_done_again(store: Arc<dyn Store>) {
    store.commit(&commit("long", 1, vec![])).await.unwrap();
    for (session, number) in [("long", 2), ("short", 1)] {
        let mut last = commit(session, number, vec![EventData::SessionDeleted]);
        last.delete = true;
        let answer = store.commit(&last).await.unwrap();
        assert_eq!(answer.len(), 1);
        assert_eq!(store.commit(&last).await.unwrap(), answer);
    }
    assert_eq!(store.sessions().await.unwrap(), []);
    assert_eq!(store.bounds().await.unwrap(), (Cursor(1), Cursor(2)));
}

pub async fn one_of_many_writers_of_the_same_input_wins(store: Arc<dyn Store>) {
    for number in 1..=3 {
        let mut writers = JoinSet::new();
        for writer in 0..16_u8 {
            let store = Arc::clone(&store);
            let mut own = commit("contended", number, vec![loading(writer)]);
            own.input.context = format!("seed {writer}");
            writers.spawn(async move { patiently(|| store.commit(&own)).await });
        }
        let outcomes = writers.join_all().await;
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(won, 1, "input {number}: {outcomes:?}");
        assert!(
            outcomes
                .iter()
                .all(|outcome| matches!(outcome, Ok(_) | Err(StoreError::Conflict { .. })))
        );
    }
    assert_eq!(store.bounds().await.unwrap(), (Cursor(1), Cursor(3)));
}

pub async fn a_deleted_name_begins_anew(store: Arc<dyn Store>) {
    let ending = |number| {
        let mut last = commit("s", number, vec![EventData::SessionDeleted]);
        last.delete = true;
        last
    };
    store.commit(&commit("s", 1, vec![loading(1)])).await.unwrap();
    store.commit(&ending(2)).await.unwrap();
    let name = ending(2).record.name;
    assert_eq!(store.inputs(&name, 0, 9).await.unwrap(), []);
    assert_eq!(store.history(&name, 0, 9).await.unwrap(), []);
    assert_eq!(store.read(Cursor(0), 9).await.unwrap().len(), 2, "the journal stays");

    // The same numbers again, told apart by what was handed in.
    let mut again = commit("s", 1, vec![loading(3)]);
    again.input.context = "another seed".to_owned();
    assert_eq!(store.commit(&again).await.unwrap()[0].id, Cursor(3));
    assert_eq!(store.inputs(&name, 0, 9).await.unwrap(), [again.input]);
    let mut second_end: Commit = ending(2);
    second_end.input.context = "another seed".to_owned();
    assert_eq!(store.commit(&second_end).await.unwrap()[0].id, Cursor(4));
    assert_eq!(store.commit(&second_end).await.unwrap()[0].id, Cursor(4));
    assert_eq!(store.sessions().await.unwrap(), []);
}

pub async fn history_and_inputs_come_in_pages(store: Arc<dyn Store>) {
    let statuses = [Status::Disconnected, Status::QrReady, Status::Authenticated];
    for number in 1..=7 {
        let mut next = commit("paged", number, vec![]);
        let entry = next.history.as_mut().unwrap();
        entry.status = statuses[usize::try_from(number).unwrap() % 3];
        entry.reason = (number != 3).then_some(Reason::UnlinkedFromPhone);
        entry.detail = None;
        store.commit(&next).await.unwrap();
    }
    store.commit(&commit("other", 1, vec![])).await.unwrap();
    let name = "paged".parse().unwrap();
    let page = store.history(&name, 2, 3).await.unwrap();
    assert_eq!(page.iter().map(|entry| entry.input_number).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(page[0].status, Status::Disconnected);
    assert_eq!(page[0].reason, None);
    assert_eq!(page[1].reason, Some(Reason::UnlinkedFromPhone));
    let page = store.inputs(&name, 5, 100).await.unwrap();
    assert_eq!(page.iter().map(|input| input.number).collect::<Vec<_>>(), [6, 7]);
    assert_eq!(store.inputs(&name, u64::MAX, 100).await.unwrap(), []);
    assert_eq!(store.history(&name, 0, 0).await.unwrap(), []);
}

pub async fn schema_and_fuel_are_part_of_a_repeated_commit(store: Arc<dyn Store>) {
    let begun = commit("s", 1, vec![loading(1)]);
    let mut deleting = commit("s", 2, vec![EventData::SessionDeleted]);
    deleting.delete = true;
    for done in [begun, deleting] {
        let answer = store.commit(&done).await.unwrap();
        assert_eq!(store.commit(&done).await.unwrap(), answer);
        let mut other_schema = done.clone();
        other_schema.input.state_schema += 1;
        let mut other_fuel = done;
        other_fuel.input.fuel += 1;
        for other in [other_schema, other_fuel] {
            let refusal = store.commit(&other).await.unwrap_err();
            assert!(matches!(refusal, StoreError::Conflict { .. }), "{refusal}");
        }
    }
}
