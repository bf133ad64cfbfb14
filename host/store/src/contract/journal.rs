//! The journal: places without gaps, in the order of commit; purging.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use pairing_core::{
    event::{Cursor, EventData, JournalEvent},
    id::SessionName,
    store::Store,
};
use tokio::task::JoinSet;

use super::{at, commit, loading, patiently};

const WRITERS: u64 = 16;
const COMMITS: u64 = 25;

pub async fn an_empty_journal_has_bounds(store: Arc<dyn Store>) {
    assert_eq!(store.bounds().await.unwrap(), (Cursor(1), Cursor(0)));
    assert_eq!(store.read(Cursor(0), 9).await.unwrap(), []);
    assert_eq!(store.read(Cursor(u64::MAX), 9).await.unwrap(), []);
}

/// Sessions that commit side by side, each one or two events at a time. Some of
/// their commits are repeated, and some are refused after they took their turn.
fn writers(store: &Arc<dyn Store>) -> JoinSet<Vec<JournalEvent>> {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(store);
        writers.spawn(async move {
            let mut written = Vec::new();
            for number in 1..=COMMITS {
                let events = (0..=number % 2).map(|_| loading(7)).collect();
                let next = commit(&format!("writer-{writer}"), number, events);
                let entries = patiently(|| store.commit(&next)).await.unwrap();
                if number.is_multiple_of(5) {
                    let again = patiently(|| store.commit(&next)).await.unwrap();
                    assert_eq!(again, entries, "a repeat was done again");
                    let early = commit(&format!("writer-{writer}"), number + 2, vec![loading(9)]);
                    patiently(|| store.commit(&early)).await.unwrap_err();
                }
                written.extend(entries);
            }
            written
        });
    }
    writers
}

pub async fn places_have_no_gaps_under_many_writers(store: Arc<dyn Store>) {
    let mut written = writers(&store).join_all().await.concat();
    for session in 0..WRITERS {
        let name = format!("writer-{session}");
        let own: Vec<_> = written.iter().filter(|entry| entry.session.as_str() == name).collect();
        assert!(own.is_sorted_by_key(|entry| entry.id), "{name} went back");
    }
    written.sort_by_key(|entry| entry.id);
    let places: Vec<u64> = written.iter().map(|entry| entry.id.0).collect();
    let expected: Vec<u64> = (1..=u64::try_from(places.len()).unwrap()).collect();
    assert_eq!(places, expected);
    assert_eq!(store.read(Cursor(0), 10_000).await.unwrap(), written);
    assert_eq!(store.bounds().await.unwrap(), (Cursor(1), written.last().unwrap().id));
}

pub async fn a_reader_never_sees_a_later_entry_first(store: Arc<dyn Store>) {
    let done = Arc::new(AtomicBool::new(false));
    let mut reader = JoinSet::new();
    reader.spawn({
        let (store, done) = (Arc::clone(&store), Arc::clone(&done));
        async move {
            let mut after = Cursor(0);
            loop {
                let last_look = done.load(Ordering::SeqCst);
                let page = patiently(|| store.read(after, 50)).await.unwrap();
                for entry in page {
                    assert_eq!(entry.id.0, after.0 + 1, "an entry was skipped");
                    after = entry.id;
                }
                let newest = patiently(|| store.bounds()).await.unwrap().1;
                if last_look && after == newest {
                    return after;
                }
            }
        }
    });
    let written = writers(&store).join_all().await.concat();
    done.store(true, Ordering::SeqCst);
    assert_eq!(reader.join_next().await.unwrap().unwrap().0, u64::try_from(written.len()).unwrap());
}

pub async fn a_purge_keeps_the_newest(store: Arc<dyn Store>) {
    for number in 1..=5 {
        store.commit(&commit("s", number, vec![loading(1), loading(2)])).await.unwrap();
    }
    let name = "s".parse().unwrap();
    assert_eq!(store.purge(at(0), at(0)).await.unwrap(), 0);

    // Inputs 1 and 2: four entries, two inputs, two changes of state.
    assert_eq!(store.purge(at(3), at(3)).await.unwrap(), 8);
    assert_eq!(store.bounds().await.unwrap(), (Cursor(5), Cursor(10)));
    assert_eq!(store.inputs(&name, 0, 9).await.unwrap()[0].number, 3);
    assert_eq!(store.history(&name, 0, 9).await.unwrap()[0].input_number, 3);

    store.purge(at(99), at(99)).await.unwrap();
    assert_eq!(store.bounds().await.unwrap(), (Cursor(10), Cursor(10)));
    assert_eq!(store.read(Cursor(0), 9).await.unwrap().len(), 1);
    assert_eq!(store.history(&name, 0, 9).await.unwrap(), []);
    let newest = commit("s", 5, vec![loading(1), loading(2)]);
    let left = store.inputs(&name, 0, 9).await.unwrap();
    assert_eq!(left.as_slice(), std::slice::from_ref(&newest.input));

    // Repeating the newest commit is still recognised, and places go on.
    assert_eq!(store.commit(&newest).await.unwrap()[1].id, Cursor(10));
    let next = commit("s", 6, vec![loading(3)]);
    assert_eq!(store.commit(&next).await.unwrap()[0].id, Cursor(11));
}

pub async fn a_purge_leaves_no_hole_when_the_clock_was_set_back(store: Arc<dyn Store>) {
    for (number, seconds) in [(1, 10), (2, 500), (3, 20), (4, 600)] {
        let mut next = commit("s", number, vec![loading(1)]);
        next.input.at = at(seconds);
        store.commit(&next).await.unwrap();
    }
    store.purge(at(100), at(0)).await.unwrap();
    let left = store.read(Cursor(0), 9).await.unwrap();
    assert_eq!(left.iter().map(|entry| entry.id.0).collect::<Vec<_>>(), [2, 3, 4]);
}

pub async fn the_hosts_own_events_stand_among_the_sessions(store: Arc<dyn Store>) {
    store.commit(&commit("s", 1, vec![loading(1)])).await.unwrap();
    let host = SessionName::host();
    let alert = EventData::Other {
        kind: "alert".to_owned(),
        fields: vec![("code".to_owned(), "page_drift".to_owned())],
    };
    let told = store.append(&host, at(7), &[alert.clone(), loading(2)]).await.unwrap();
    assert_eq!(store.append(&host, at(8), &[]).await.unwrap(), []);
    let next = store.commit(&commit("s", 2, vec![loading(3)])).await.unwrap();
    assert_eq!(told.iter().map(|entry| entry.id.0).collect::<Vec<_>>(), [2, 3]);
    assert_eq!((&told[0].session, told[0].at, &told[0].data), (&host, at(7), &alert));
    assert_eq!(next[0].id, Cursor(4));
    assert_eq!(store.read(Cursor(1), 2).await.unwrap(), told);
}

pub async fn the_check_passes(store: Arc<dyn Store>) {
    store.check().await.unwrap();
}
