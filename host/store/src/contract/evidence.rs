//! What was seen when a session was repaired.

use std::sync::Arc;

use pairing_core::{
    evidence::{Evidence, RepairStep},
    store::{Commit, Store, StoreError},
};

use super::{at, commit};

fn seen(number: u64) -> Evidence {
    Evidence {
        repair: RepairStep::Reload,
        page_state: "CONNECTED".to_owned(),
        step: "probe".to_owned(),
        message: format!("no answer, {number}"),
        console: vec!["warning: \"quoted\"".to_owned(), String::new()],
        screenshot: number.is_multiple_of(2).then(|| vec![0, 255, 0]),
    }
}

fn repaired(session: &str, number: u64) -> Commit {
    let mut commit = commit(session, number, vec![]);
    commit.evidence = Some(seen(number));
    commit.history.as_mut().unwrap().has_evidence = true;
    commit
}

pub async fn what_was_seen_comes_back_beside_its_line_of_history(store: Arc<dyn Store>) {
    let commits = [repaired("s", 1), repaired("s", 2), commit("s", 3, vec![]), repaired("t", 1)];
    for commit in &commits {
        store.commit(commit).await.unwrap();
    }
    let name = &commits[0].record.name;
    assert_eq!(store.evidence(name, 1).await.unwrap(), Some(seen(1)));
    assert_eq!(store.evidence(name, 2).await.unwrap(), Some(seen(2)));
    assert_eq!(store.evidence(name, 3).await.unwrap(), None);
    let lines: Vec<_> = commits[..3].iter().map(|commit| commit.history.clone().unwrap()).collect();
    assert_eq!(store.history(name, 0, 9).await.unwrap(), lines);

    // A commit that is repeated is not done again.
    let answer = store.commit(&commit("s", 4, vec![])).await.unwrap();
    assert_eq!(answer, store.commit(&commit("s", 4, vec![])).await.unwrap());
    assert_eq!(store.commit(&commits[3]).await.unwrap(), []);
}

pub async fn of_each_session_the_newest_fifty_are_kept(store: Arc<dyn Store>) {
    store.commit(&repaired("other", 1)).await.unwrap();
    for number in 1..=53 {
        store.commit(&repaired("s", number)).await.unwrap();
    }
    let name = "s".parse().unwrap();
    let lines = store.history(&name, 0, 99).await.unwrap();
    let with: Vec<u64> =
        lines.iter().filter(|line| line.has_evidence).map(|line| line.input_number).collect();
    assert_eq!(with, (4..=53).collect::<Vec<u64>>());
    assert_eq!(lines.len(), 53);
    assert_eq!(store.evidence(&name, 3).await.unwrap(), None);
    assert_eq!(store.evidence(&"other".parse().unwrap(), 1).await.unwrap(), Some(seen(1)));
}

pub async fn evidence_goes_with_its_session_and_with_its_line(store: Arc<dyn Store>) {
    for session in ["s", "t"] {
        for number in 1..=3 {
            store.commit(&repaired(session, number)).await.unwrap();
        }
    }
    let (s, t) = ("s".parse().unwrap(), "t".parse().unwrap());
    store.purge(at(0), at(2)).await.unwrap();
    assert_eq!(store.evidence(&s, 1).await.unwrap(), None);
    assert_eq!(store.evidence(&s, 2).await.unwrap(), Some(seen(2)));

    let mut deleting = repaired("s", 4);
    deleting.delete = true;
    store.commit(&deleting).await.unwrap();
    for number in 1..=4 {
        assert_eq!(store.evidence(&s, number).await.unwrap(), None);
    }
    assert_eq!(store.evidence(&t, 3).await.unwrap(), Some(seen(3)));
}

pub async fn evidence_without_a_line_of_history_is_refused(store: Arc<dyn Store>) {
    let mut bare = repaired("s", 1);
    bare.history = None;
    let refusal = store.commit(&bare).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Refused(_)), "{refusal}");
    assert_eq!(store.sessions().await.unwrap(), []);
}
