//! The contract on Postgres, and what a store does while its server is gone.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use pairing_core::{
    event::Cursor,
    store::{Store, StoreError},
};
use pairing_store::{Config, connect, migrate, testing::PostgresServer};

/// Patient enough for a loaded machine; the limits have tests of their own.
async fn open() -> (Arc<dyn Store>, ()) {
    let mut config = Config::new(PostgresServer::shared().await.database().await);
    config.call_timeout = Duration::from_secs(60);
    (connect(&config).await.unwrap(), ())
}

pairing_store::contract_tests!(open);

/// Waits until the store answers again.
async fn recovers(store: &Arc<dyn Store>) {
    let began = Instant::now();
    while let Err(error) = store.check().await {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        assert!(began.elapsed() < Duration::from_secs(60), "it did not recover: {error}");
    }
}

/// Every call fails soon, and says that trying again can help.
async fn is_unavailable(store: &Arc<dyn Store>) {
    let began = Instant::now();
    let (checked, read, listed, counted) = tokio::join!(
        store.check(),
        store.read(Cursor(0), 1),
        store.sessions(),
        store.admin_count(),
    );
    for error in [checked.err(), read.err(), listed.err(), counted.err()] {
        let error = error.expect("nothing answers");
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    }
    // The deadline is 2 s; the rest is for a machine under load.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_is_unavailable_and_comes_back() {
    let server = PostgresServer::start().await;
    let store = connect(&Config::new(server.database().await)).await.unwrap();
    recovers(&store).await;
    server.freeze();
    // More calls than there are connections: none may be lost to the freeze.
    for _ in 0..4 {
        is_unavailable(&store).await;
    }
    server.thaw();
    recovers(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_is_unavailable_and_comes_back_with_all_that_was_committed() {
    let server = PostgresServer::start().await;
    let config = Config::new(server.database().await);
    let store = connect(&config).await.unwrap();
    recovers(&store).await;
    store.put_setup_token(&[5; 32], pairing_core::clock::Timestamp(9)).await.unwrap();
    server.crash();
    is_unavailable(&store).await;
    let Err(error) = connect(&config).await else { panic!("connected to nothing") };
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    server.restart().await;
    recovers(&store).await;
    migrate(&config).await.unwrap();
    let admin = pairing_core::store::Admin {
        id: uuid::Uuid::new_v4(),
        username: "ana".to_owned(),
        password_hash: "hash".to_owned(),
        created_at: pairing_core::clock::Timestamp(1),
    };
    let now = pairing_core::clock::Timestamp(8);
    assert!(store.claim_setup(&[5; 32], now, &admin).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_is_refused() {
    let url = PostgresServer::shared().await.database().await.replace("test_", "no_test_");
    let mut config = Config::new(url);
    config.call_timeout = Duration::from_secs(60);
    let Err(refusal) = connect(&config).await else { panic!("connected to nothing") };
    assert!(matches!(refusal, StoreError::Refused(_)), "{refusal}");
}
