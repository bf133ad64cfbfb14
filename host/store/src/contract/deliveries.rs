//! Subscriptions, how far they have come, and what was given up.

use std::{collections::BTreeMap, sync::Arc};

use pairing_core::{
    delivery_store::{DeadLetter, Gap, Lane, ProgressChange},
    event::{Cursor, JournalEvent},
    store::Store,
    subscription::{SealedSecret, Subscription, SubscriptionId, SubscriptionSettings},
};

use super::{at, commit, loading, patiently};

pub(super) fn id(name: &str) -> SubscriptionId {
    SubscriptionId { handler: "crm".parse().unwrap(), name: name.parse().unwrap() }
}

pub(super) fn subscription(name: &str) -> Subscription {
    Subscription {
        id: id(name),
        settings: SubscriptionSettings {
            config: BTreeMap::from([(
                "url".to_owned(),
                "https://crm.example/\u{1F4F1}".to_owned(),
            )]),
            ..SubscriptionSettings::default()
        },
        secrets: BTreeMap::from([("token".to_owned(), SealedSecret(vec![0, 255, 7]))]),
        disabled: None,
        created_at: at(1),
        updated_at: at(1),
        updated_by: "ana".into(),
    }
}

fn lane(session: &str, settled: u64, gap: Option<(u64, u64)>) -> Lane {
    Lane {
        session: session.parse().unwrap(),
        settled: Cursor(settled),
        attempts: 3,
        first_attempt_at: at(5),
        next_attempt_at: at(9),
        error: "it was \0down".into(),
        gap: gap.map(|(from, to)| Gap { from: Cursor(from), to: Cursor(to) }),
    }
}

fn dead_letter(event: u64) -> DeadLetter {
    DeadLetter {
        event: JournalEvent {
            id: Cursor(event),
            session: "sales".parse().unwrap(),
            at: at(event),
            data: loading(7),
        },
        attempts: 10,
        reason: "500".into(),
        at: at(100 + event),
        requeued_at: None,
    }
}

async fn epoch(store: &Arc<dyn Store>, name: &str) -> u64 {
    store.progress(&id(name)).await.unwrap().unwrap().epoch
}

pub async fn a_subscription_comes_back_and_keeps_its_place(store: Arc<dyn Store>) {
    assert_eq!(store.progress(&id("one")).await.unwrap(), None);
    let first = subscription("one");
    store.put_subscription(&first, Cursor(7)).await.unwrap();
    let other = Subscription { secrets: BTreeMap::new(), ..subscription("other") };
    store.put_subscription(&other, Cursor(0)).await.unwrap();
    assert_eq!(store.subscriptions().await.unwrap(), [first.clone(), other.clone()]);
    let before = store.progress(&id("one")).await.unwrap().unwrap();
    assert_eq!((before.cursor, before.lanes.len()), (Cursor(7), 0));

    let mut second = Subscription { created_at: at(50), updated_at: at(50), ..first.clone() };
    second.disabled = Some("gone".into());
    second.secrets = BTreeMap::from([("key".to_owned(), SealedSecret(vec![1]))]);
    store.put_subscription(&second, Cursor(99)).await.unwrap();
    let kept = Subscription { created_at: at(1), ..second };
    assert_eq!(store.subscriptions().await.unwrap(), [kept, other]);
    assert_eq!(store.progress(&id("one")).await.unwrap().unwrap(), before);

    assert!(store.set_disabled(&id("one"), None).await.unwrap());
    assert_eq!(store.subscriptions().await.unwrap()[0].disabled, None);
    assert!(!store.set_disabled(&id("none"), Some("x")).await.unwrap());
}

pub async fn progress_is_saved_whole_or_not_at_all(store: Arc<dyn Store>) {
    store.put_subscription(&subscription("one"), Cursor(0)).await.unwrap();
    store.put_subscription(&subscription("other"), Cursor(0)).await.unwrap();
    let epoch = epoch(&store, "one").await;
    let change = ProgressChange {
        cursor: Cursor(10),
        lanes: vec![lane("sales", 4, None), lane("support", 6, Some((2, 5)))],
        dead: vec![dead_letter(3), dead_letter(4)],
        epoch,
        ..ProgressChange::default()
    };
    assert!(store.save_progress(&id("one"), &change).await.unwrap());
    let saved = store.progress(&id("one")).await.unwrap().unwrap();
    let lanes: Vec<_> = saved.lanes.iter().map(|lane| (lane.session.as_str(), lane.gap)).collect();
    let gap = Some(Gap { from: Cursor(2), to: Cursor(5) });
    assert_eq!((saved.cursor, lanes), (Cursor(10), vec![("sales", None), ("support", gap)]));
    assert_eq!(saved.lanes[0].error, "it was \u{FFFD}down");
    assert_eq!(store.count_dead_letters(&id("one")).await.unwrap(), 2);

    let next = ProgressChange {
        cursor: Cursor(12),
        lanes: vec![lane("support", 11, None)],
        caught_up: vec!["sales".parse().unwrap()],
        revived: vec![Cursor(3)],
        epoch,
        ..ProgressChange::default()
    };
    assert!(store.save_progress(&id("one"), &next).await.unwrap());
    let saved = store.progress(&id("one")).await.unwrap().unwrap();
    assert_eq!(
        (saved.cursor, saved.lanes.len(), saved.lanes[0].settled),
        (Cursor(12), 1, Cursor(11))
    );
    assert_eq!(store.dead_letters(&id("one"), Cursor(0), 9).await.unwrap(), [dead_letter(4)]);

    for wrong in [
        ProgressChange { epoch: epoch ^ 1, ..change.clone() },
        ProgressChange { epoch: 0, ..change.clone() },
    ] {
        assert!(!store.save_progress(&id("one"), &wrong).await.unwrap());
    }
    assert!(!store.save_progress(&id("none"), &change).await.unwrap());
    assert_eq!(store.progress(&id("one")).await.unwrap().unwrap(), saved);
    let other = store.progress(&id("other")).await.unwrap().unwrap();
    assert_eq!((other.cursor, other.lanes.len()), (Cursor(0), 0));
}

pub async fn who_was_moved_or_made_anew_is_not_written_by_who_read_it_before(
    store: Arc<dyn Store>,
) {
    store.put_subscription(&subscription("one"), Cursor(0)).await.unwrap();
    let before = epoch(&store, "one").await;
    let change = ProgressChange {
        cursor: Cursor(10),
        lanes: vec![lane("sales", 4, None)],
        epoch: before,
        ..ProgressChange::default()
    };
    assert!(store.save_progress(&id("one"), &change).await.unwrap());
    assert!(store.seek(&id("one"), Cursor(2)).await.unwrap());
    assert!(!store.seek(&id("none"), Cursor(2)).await.unwrap());
    let moved = store.progress(&id("one")).await.unwrap().unwrap();
    assert_eq!((moved.cursor, moved.lanes.len()), (Cursor(2), 0));
    assert!(!store.save_progress(&id("one"), &change).await.unwrap());

    assert!(store.remove_subscription(&id("one")).await.unwrap());
    assert!(!store.remove_subscription(&id("one")).await.unwrap());
    store.put_subscription(&subscription("one"), Cursor(1)).await.unwrap();
    for old in [before, moved.epoch] {
        let late = ProgressChange { epoch: old, ..change.clone() };
        assert!(!store.save_progress(&id("one"), &late).await.unwrap());
    }
    assert_eq!(store.progress(&id("one")).await.unwrap().unwrap().cursor, Cursor(1));
}

pub async fn dead_letters_are_paged_requeued_and_purged(store: Arc<dyn Store>) {
    store.put_subscription(&subscription("one"), Cursor(0)).await.unwrap();
    let epoch = epoch(&store, "one").await;
    let dead = (1..=9).map(dead_letter).collect();
    let change = ProgressChange { dead, epoch, ..ProgressChange::default() };
    assert!(store.save_progress(&id("one"), &change).await.unwrap());
    let page = store.dead_letters(&id("one"), Cursor(4), 3).await.unwrap();
    assert_eq!(page, [dead_letter(5), dead_letter(6), dead_letter(7)]);
    assert_eq!(store.dead_letter(&id("one"), Cursor(2)).await.unwrap(), Some(dead_letter(2)));
    assert_eq!(store.dead_letter(&id("one"), Cursor(10)).await.unwrap(), None);
    assert_eq!(store.dead_letter(&id("other"), Cursor(2)).await.unwrap(), None);

    assert_eq!(store.requeue(&id("one"), Cursor(8), Cursor(20), at(500)).await.unwrap(), 2);
    let requeued = |event| DeadLetter { requeued_at: Some(at(500)), ..dead_letter(event) };
    assert_eq!(store.requeued(&id("one"), 9).await.unwrap(), [requeued(8), requeued(9)]);
    assert_eq!(store.requeued(&id("one"), 1).await.unwrap(), [requeued(8)]);
    // It was tried again and failed again.
    let again = DeadLetter { reason: "timeout".into(), at: at(900), ..dead_letter(8) };
    let change = ProgressChange { dead: vec![again.clone()], epoch, ..ProgressChange::default() };
    assert!(store.save_progress(&id("one"), &change).await.unwrap());
    assert_eq!(store.requeued(&id("one"), 9).await.unwrap(), [requeued(9)]);
    assert_eq!(store.dead_letter(&id("one"), Cursor(8)).await.unwrap(), Some(again));

    assert_eq!(store.purge_dead_letters(at(104)).await.unwrap(), 3);
    assert_eq!(store.count_dead_letters(&id("one")).await.unwrap(), 6);
    store.remove_subscription(&id("one")).await.unwrap();
    assert_eq!(store.count_dead_letters(&id("one")).await.unwrap(), 0);
}

pub async fn one_sessions_events_are_read_in_order(store: Arc<dyn Store>) {
    for number in 1..=6_u64 {
        let session = if number % 2 == 0 { "sales" } else { "sales-2" };
        let next = commit(session, number.div_ceil(2), vec![loading(1), loading(2)]);
        store.commit(&next).await.unwrap();
    }
    let session = "sales".parse().unwrap();
    let events = store.session_events(&session, Cursor(0), 100).await.unwrap();
    let places: Vec<u64> = events.iter().map(|event| event.id.0).collect();
    assert_eq!(places, [3, 4, 7, 8, 11, 12]);
    assert!(events.iter().all(|event| event.session == session));
    let page = store.session_events(&session, Cursor(4), 2).await.unwrap();
    assert_eq!(page, events[2..4]);
}

pub async fn thousands_of_rows_are_saved_at_once_and_of_two_for_one_the_last(
    store: Arc<dyn Store>,
) {
    let whose = id("one");
    let mut one = subscription("one");
    one.secrets.insert("second".to_owned(), SealedSecret(Vec::new()));
    store.put_subscription(&subscription("One"), Cursor(0)).await.unwrap();
    store.put_subscription(&one, Cursor(0)).await.unwrap();
    assert_eq!(store.subscriptions().await.unwrap(), [subscription("One"), one.clone()]);

    let epoch = epoch(&store, "one").await;
    let error = "1234 \"quoted\" \\u0000 % _ \u{1F4F1}";
    let lane = |number: u64| Lane {
        error: error.to_owned(),
        ..lane(&format!("s-{number}"), number, None)
    };
    let dead = |number| DeadLetter { reason: error.to_owned(), ..dead_letter(number) };
    let mut change = ProgressChange {
        cursor: Cursor(u64::MAX >> 1),
        lanes: (1000..4000).map(lane).collect(),
        dead: (1..=5000).map(dead).collect(),
        epoch,
        ..ProgressChange::default()
    };
    let last = Lane { settled: Cursor(u64::MAX >> 1), attempts: u32::MAX, ..lane(1000) };
    change.lanes.push(last.clone());
    change.dead.push(DeadLetter { attempts: 11, ..dead(7) });
    assert!(patiently(|| store.save_progress(&whose, &change)).await.unwrap());
    let saved = store.progress(&id("one")).await.unwrap().unwrap();
    let expected: Vec<Lane> = std::iter::once(last).chain((1001..4000).map(lane)).collect();
    assert_eq!((saved.cursor, saved.lanes), (change.cursor, expected));
    let letters = store.dead_letters(&id("one"), Cursor(5), 3).await.unwrap();
    assert_eq!(letters, [dead(6), DeadLetter { attempts: 11, ..dead(7) }, dead(8)]);

    let next = ProgressChange {
        lanes: vec![],
        dead: vec![],
        caught_up: change.lanes[1..].iter().map(|lane| lane.session.clone()).collect(),
        revived: (1..=4990).map(Cursor).collect(),
        ..change.clone()
    };
    assert!(patiently(|| store.save_progress(&whose, &next)).await.unwrap());
    assert_eq!(store.progress(&id("one")).await.unwrap().unwrap().lanes, []);
    assert_eq!(store.count_dead_letters(&id("one")).await.unwrap(), 10);

    assert!(patiently(|| store.save_progress(&whose, &change)).await.unwrap());
    assert!(patiently(|| store.remove_subscription(&whose)).await.unwrap());
    assert_eq!(store.subscriptions().await.unwrap(), [subscription("One")]);
    store.put_subscription(&subscription("one"), Cursor(3)).await.unwrap();
    let anew = store.progress(&id("one")).await.unwrap().unwrap();
    assert_eq!((anew.cursor, anew.lanes), (Cursor(3), vec![]));
    assert_eq!(store.count_dead_letters(&id("one")).await.unwrap(), 0);
}

pub async fn what_the_journal_forgot_is_missing_and_lanes_and_dead_letters_stay(
    store: Arc<dyn Store>,
) {
    store.put_subscription(&subscription("one"), Cursor(0)).await.unwrap();
    for number in 1..=4 {
        store.commit(&commit("sales", number, vec![loading(1)])).await.unwrap();
    }
    let change = ProgressChange {
        cursor: Cursor(4),
        lanes: vec![lane("sales", 1, None)],
        dead: vec![dead_letter(1)],
        epoch: epoch(&store, "one").await,
        ..ProgressChange::default()
    };
    assert!(store.save_progress(&id("one"), &change).await.unwrap());
    store.purge(at(4), at(4)).await.unwrap();
    let left = store.session_events(&"sales".parse().unwrap(), Cursor(1), 9).await.unwrap();
    assert_eq!(left.iter().map(|event| event.id.0).collect::<Vec<_>>(), [4]);
    let progress = store.progress(&id("one")).await.unwrap().unwrap();
    assert_eq!((progress.cursor, progress.lanes.len()), (Cursor(4), 1));
    assert_eq!(store.dead_letter(&id("one"), Cursor(1)).await.unwrap(), Some(dead_letter(1)));
}
