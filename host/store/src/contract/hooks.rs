//! The knowledge of the page: its versions, and which is in use.

use std::sync::Arc;

use pairing_core::{
    page_hooks::{HooksChange, HooksReport, HooksVersion},
    store::Store,
};
use tokio::task::JoinSet;

use super::{at, patiently};

fn version(digest: &str, seconds: u64) -> HooksVersion {
    HooksVersion {
        digest: digest.to_owned(),
        text: format!("# {digest}\n[modules]\n\"quoted\" = 'ünï'\n"),
        pushed_at: at(seconds),
        report: HooksReport {
            page_version: Some("2.3000.1".to_owned()),
            found: [("command".to_owned(), "WAWebCmd#Cmd".to_owned())].into(),
            missing: [("connection".to_owned(), "no module has it".to_owned())].into(),
            makes_codes: true,
        },
    }
}

fn change(generation: u64, digest: Option<&str>) -> HooksChange {
    HooksChange {
        generation,
        at: at(generation),
        digest: digest.map(str::to_owned),
        cause: "activate".to_owned(),
        actor: "ana".to_owned(),
    }
}

pub async fn versions_come_back_newest_first_and_are_replaced(store: Arc<dyn Store>) {
    assert_eq!(store.hooks().await.unwrap(), []);
    let (first, second) = (version("aa", 1), version("bb", 2));
    store.put_hooks(&first).await.unwrap();
    store.put_hooks(&second).await.unwrap();
    assert_eq!(store.hooks().await.unwrap(), [second.clone(), first.clone()]);
    assert!(store.change_hooks(&change(1, Some("aa"))).await.unwrap());
    let mut again = version("aa", 3);
    again.report = HooksReport::default();
    store.put_hooks(&again).await.unwrap();
    assert_eq!(store.hooks().await.unwrap(), [again, second]);
}

pub async fn of_racing_changes_one_is_the_next(store: Arc<dyn Store>) {
    for digest in ["aa", "bb"] {
        store.put_hooks(&version(digest, 1)).await.unwrap();
    }
    assert!(!store.change_hooks(&change(2, None)).await.unwrap());
    assert!(store.change_hooks(&change(1, Some("aa"))).await.unwrap());
    let mut racers = JoinSet::new();
    for _ in 0..16 {
        let store = Arc::clone(&store);
        racers.spawn(async move {
            let next = change(2, None);
            patiently(|| store.change_hooks(&next)).await.unwrap()
        });
    }
    let won = racers.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1);
    assert!(store.change_hooks(&change(3, Some("bb"))).await.unwrap());
    let expected = [change(1, Some("aa")), change(2, None), change(3, Some("bb"))];
    assert_eq!(store.hooks_changes().await.unwrap(), expected);
    store.change_hooks(&change(4, Some("unknown"))).await.unwrap_err();
    assert_eq!(store.hooks_changes().await.unwrap().len(), 3);
}
