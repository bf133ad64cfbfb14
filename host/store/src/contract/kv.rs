//! What handlers keep.

use std::sync::Arc;

use pairing_core::{
    delivery_store::{KvEntry, KvExpected, KvPut, KvQuota},
    event::Cursor,
    store::{Store, StoreError},
};
use tokio::task::JoinSet;

use super::{
    deliveries::{id, subscription},
    patiently,
};

const QUOTA: KvQuota = KvQuota { keys: 1_000, bytes: 1 << 20 };

async fn store_with(store: &Arc<dyn Store>, names: &[&str]) {
    for name in names {
        store.put_subscription(&subscription(name), Cursor(0)).await.unwrap();
    }
}

async fn put(store: &Arc<dyn Store>, name: &str, key: &str, value: &[u8]) -> u64 {
    let put = store.kv_put(&id(name), key, value, KvExpected::Anything, QUOTA).await.unwrap();
    let KvPut::Stored(revision) = put else { panic!("{put:?}") };
    revision
}

pub async fn each_subscription_sees_its_own_values_alone(store: Arc<dyn Store>) {
    store_with(&store, &["one", "one-2"]).await;
    let first = put(&store, "one", "a", b"1").await;
    let second = put(&store, "one", "a", b"2").await;
    assert!(second > first);
    put(&store, "one-2", "a", b"other").await;
    let entry = |value: &[u8], revision| Some(KvEntry { value: value.to_owned(), revision });
    assert_eq!(store.kv_get(&id("one"), "a").await.unwrap(), entry(b"2", second));
    assert_eq!(store.kv_get(&id("one"), "b").await.unwrap(), None);
    assert!(store.kv_delete(&id("one"), "a").await.unwrap());
    assert!(!store.kv_delete(&id("one"), "a").await.unwrap());
    assert_eq!(store.kv_get(&id("one"), "a").await.unwrap(), None);
    assert_eq!(store.kv_get(&id("one-2"), "a").await.unwrap().unwrap().value, b"other");
    let nobody = store.kv_put(&id("nobody"), "a", b"1", KvExpected::Anything, QUOTA).await;
    assert!(matches!(nobody, Err(StoreError::Refused(_))), "{nobody:?}");

    store.remove_subscription(&id("one-2")).await.unwrap();
    store_with(&store, &["one-2"]).await;
    assert_eq!(store.kv_get(&id("one-2"), "a").await.unwrap(), None);
}

pub async fn of_racing_writers_one_is_first(store: Arc<dyn Store>) {
    store_with(&store, &["one"]).await;
    let set = |store: Arc<dyn Store>, expected| async move {
        let one = id("one");
        patiently(|| store.kv_put(&one, "n", b"x", expected, QUOTA)).await.unwrap()
    };
    let mut racers = JoinSet::new();
    for _ in 0..16 {
        racers.spawn(set(Arc::clone(&store), KvExpected::Absent));
    }
    let ended = racers.join_all().await;
    let stored: Vec<_> = ended.iter().filter(|end| matches!(end, KvPut::Stored(_))).collect();
    assert_eq!(stored.len(), 1, "{ended:?}");
    let KvPut::Stored(revision) = *stored[0] else { unreachable!() };
    let there = Some(KvEntry { value: b"x".to_vec(), revision });
    assert!(ended.contains(&KvPut::Stale(there)), "{ended:?}");
    // Counting up, each by what it read last.
    let mut counters = JoinSet::new();
    put(&store, "one", "count", &0_u64.to_be_bytes()).await;
    for _ in 0..8 {
        let store = Arc::clone(&store);
        counters.spawn(async move {
            let one = id("one");
            for _ in 0..10 {
                loop {
                    let there = patiently(|| store.kv_get(&one, "count")).await.unwrap();
                    let there = there.unwrap();
                    let next = u64::from_be_bytes(there.value.try_into().unwrap()) + 1;
                    let expected = KvExpected::Revision(there.revision);
                    let value = next.to_be_bytes();
                    let put = || store.kv_put(&one, "count", &value, expected, QUOTA);
                    if let KvPut::Stored(_) = patiently(put).await.unwrap() {
                        break;
                    }
                }
            }
        });
    }
    counters.join_all().await;
    let count = store.kv_get(&id("one"), "count").await.unwrap().unwrap().value;
    assert_eq!(count, 80_u64.to_be_bytes());
}

pub async fn a_quota_is_held_to_the_byte(store: Arc<dyn Store>) {
    store_with(&store, &["one", "other"]).await;
    let quota = KvQuota { keys: 3, bytes: 100 };
    let put = async |key: &str, bytes: usize| {
        let value = vec![7; bytes];
        store.kv_put(&id("one"), key, &value, KvExpected::Anything, quota).await.unwrap()
    };
    assert_eq!(put("é", 99).await, KvPut::OverQuota, "a key's bytes count");
    assert!(matches!(put("é", 98).await, KvPut::Stored(_)));
    assert_eq!(put("b", 0).await, KvPut::OverQuota);
    assert!(matches!(put("é", 0).await, KvPut::Stored(_)), "what was there does not count");
    assert!(matches!(put("b", 96).await, KvPut::Stored(_)));
    assert!(matches!(put("c", 0).await, KvPut::Stored(_)));
    assert_eq!(put("d", 0).await, KvPut::OverQuota, "three keys");
    assert!(store.kv_get(&id("one"), "d").await.unwrap().is_none());
    store.kv_put(&id("other"), "d", b"1", KvExpected::Anything, quota).await.unwrap();
}

pub async fn keys_are_found_by_how_they_begin(store: Arc<dyn Store>) {
    store_with(&store, &["one", "other"]).await;
    for key in ["a%", "a_", "ab", "Ab", "a", "b", "é", "a%é", "\u{1F4F1}"] {
        put(&store, "one", key, b"").await;
    }
    put(&store, "other", "a", b"").await;
    let keys = async |prefix: &str, after: Option<&str>, limit| {
        store.kv_keys(&id("one"), prefix, after, limit).await.unwrap()
    };
    assert_eq!(
        keys("", None, 99).await,
        ["Ab", "a", "a%", "a%é", "a_", "ab", "b", "é", "\u{1F4F1}"]
    );
    assert_eq!(keys("a%", None, 99).await, ["a%", "a%é"]);
    assert_eq!(keys("a_", None, 99).await, ["a_"]);
    assert_eq!(keys("a", Some("a%"), 2).await, ["a%é", "a_"]);
    assert_eq!(keys("é", None, 99).await, ["é"]);
    assert_eq!(keys("x", None, 99).await, [""; 0]);
}
