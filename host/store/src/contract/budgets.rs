//! Budgets of pairing codes.

use std::{sync::Arc, time::Duration};

use pairing_core::{
    budget::{Budget, Spent},
    store::Store,
};
use tokio::task::JoinSet;

use super::{at, patiently};

const HOUR: u64 = 3600;

fn budget(key: &str, limit: u32) -> Budget {
    Budget { key: key.to_owned(), limit, window: Duration::from_secs(HOUR) }
}

pub async fn attempts_are_counted_until_they_leave_the_window(store: Arc<dyn Store>) {
    let three = [budget("session:s", 3)];
    let used_up = |seconds| Spent::UsedUp { budget: 0, until: at(seconds) };
    for (seconds, expected) in [
        (10, Spent::Counted(vec![2])),
        (20, Spent::Counted(vec![1])),
        (30, Spent::Counted(vec![0])),
        (40, used_up(HOUR + 10)),
        (HOUR + 9, used_up(HOUR + 10)),
        (HOUR + 10, Spent::Counted(vec![0])),
        (HOUR + 11, used_up(HOUR + 20)),
        (2 * HOUR + 10, Spent::Counted(vec![2])),
    ] {
        let spent = store.spend(&three, at(seconds)).await.unwrap();
        assert_eq!(spent, expected, "after {seconds} s");
    }
    let none = store.spend(&[budget("never", 0)], at(1)).await.unwrap();
    assert_eq!(none, used_up(HOUR + 1));
    assert_eq!(store.spend(&[], at(1)).await.unwrap(), Spent::Counted(vec![]));
}

pub async fn all_budgets_are_charged_or_none(store: Arc<dyn Store>) {
    let (narrow, wide) = (budget("narrow", 1), budget("wide", 3));
    let both = [wide.clone(), narrow.clone()];
    assert_eq!(store.spend(&both, at(1)).await.unwrap(), Spent::Counted(vec![2, 0]));
    for _ in 0..5 {
        let refused = store.spend(&both, at(2)).await.unwrap();
        assert_eq!(refused, Spent::UsedUp { budget: 1, until: at(HOUR + 1) });
    }
    assert_eq!(
        store.spend(std::slice::from_ref(&wide), at(3)).await.unwrap(),
        Spent::Counted(vec![1])
    );
    assert_eq!(store.spend(&[wide], at(4)).await.unwrap(), Spent::Counted(vec![0]));
    // Of two that are used up, the one that takes longer is named.
    let longer = Budget { window: Duration::from_secs(2 * HOUR), ..narrow };
    let refused = store.spend(&[budget("wide", 3), longer], at(5)).await.unwrap();
    assert_eq!(refused, Spent::UsedUp { budget: 1, until: at(2 * HOUR + 1) });
}

pub async fn of_many_racing_attempts_no_more_pass_than_there_are(store: Arc<dyn Store>) {
    let mut racers = JoinSet::new();
    for racer in 0..24 {
        let store = Arc::clone(&store);
        racers.spawn(async move {
            let budgets = [budget(&format!("caller:{racer}"), 5), budget("number:n", 5)];
            patiently(|| store.spend(&budgets, at(1))).await.unwrap()
        });
    }
    let spent = racers.join_all().await;
    let mut left: Vec<u32> = spent
        .iter()
        .filter_map(|spent| match spent {
            Spent::Counted(left) => Some(left[1]),
            Spent::UsedUp { .. } => None,
        })
        .collect();
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3, 4]);
}

pub async fn a_clock_that_was_set_back_frees_nobody_and_locks_nobody_out(store: Arc<dyn Store>) {
    let two = [budget("session:s", 2)];
    let noon = 100 * HOUR;
    let spend = async |seconds| store.spend(&two, at(seconds)).await.unwrap();
    assert_eq!(spend(noon).await, Spent::Counted(vec![1]));
    assert_eq!(spend(noon + 1).await, Spent::Counted(vec![0]));
    // Ten minutes back: what was counted still counts.
    let refused = Spent::UsedUp { budget: 0, until: at(noon + HOUR) };
    assert_eq!(spend(noon - 600).await, refused);
    // Ten hours back: that would be a long wait for nothing.
    assert_eq!(spend(noon - 10 * HOUR).await, Spent::Counted(vec![1]));
    // And right again: nothing was forgotten.
    assert_eq!(spend(noon + 2).await, refused);
    // Ahead by ten hours and back: nothing was forgotten either.
    assert_eq!(spend(noon + 10 * HOUR).await, Spent::Counted(vec![1]));
    assert_eq!(spend(noon + 3).await, refused);
}

pub async fn what_is_long_over_is_forgotten(store: Arc<dyn Store>) {
    let one = [budget("session:s", 1)];
    assert_eq!(store.spend(&one, at(0)).await.unwrap(), Spent::Counted(vec![0]));
    store.spend(&[budget("other", 9)], at(25 * HOUR + 1)).await.unwrap();
    assert_eq!(store.spend(&one, at(0)).await.unwrap(), Spent::Counted(vec![0]));
}
