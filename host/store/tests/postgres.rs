//! The contract on Postgres, and what a store does while its server is gone.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use pairing_core::{
    event::Cursor,
    plugin::Slot,
    plugin_store::NumberedChange,
    store::{Store, StoreError},
};
use pairing_store::{
    Config, connect, contract::plugins as registry, migrate, testing::PostgresServer,
};
use sqlx::{Connection, PgConnection};

/// Patient enough for a loaded machine; the limits have tests of their own.
fn patient(url: &str) -> Config {
    let mut config = Config::new(url);
    config.call_timeout = Duration::from_secs(60);
    config
}

async fn open() -> (Arc<dyn Store>, ()) {
    let url = PostgresServer::shared().await.database().await;
    (connect(&patient(&url)).await.unwrap(), ())
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

#[tokio::test(flavor = "multi_thread")]
async fn history_of_plugins_is_only_added_to() {
    let url = PostgresServer::shared().await.database().await;
    let store = connect(&patient(&url)).await.unwrap();
    let change = registry::change(Slot::Workflow, 'a');
    store.note(&change).await.unwrap();
    let mut beside = PgConnection::connect(&url).await.unwrap();
    for statement in [
        "UPDATE plugin_changes SET who = 'nobody'",
        "DELETE FROM plugin_changes",
        "TRUNCATE plugin_changes",
        "INSERT INTO plugin_changes (number, slot, at, who, action, why, detail)
         VALUES (1, 'workflow', 1, 'nobody', 'push', '', '')
         ON CONFLICT (number) DO UPDATE SET who = excluded.who",
    ] {
        let refusal = sqlx::query(statement).execute(&mut beside).await.unwrap_err().to_string();
        assert!(refusal.contains("plugin_changes is only ever added to"), "{refusal}");
    }
    let kept = store.changes(Slot::Workflow, None, 9).await.unwrap();
    assert_eq!(kept, [NumberedChange { number: 1, change }]);
    assert_eq!(store.note(&kept[0].change).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgraded_database_keeps_its_inputs() {
    let url = PostgresServer::shared().await.database().await;
    let mut before = PgConnection::connect(&url).await.unwrap();
    let mut migrator = sqlx::migrate!("../../migrations/postgres");
    migrator.migrations.to_mut().retain(|migration| migration.version < 5);
    migrator.run(&mut before).await.unwrap();
    for statement in registry::BEFORE_THE_REGISTRY {
        sqlx::query(statement).bind(&b"state"[..]).execute(&mut before).await.unwrap();
    }
    before.close().await.unwrap();
    let store = connect(&patient(&url)).await.unwrap();
    registry::an_upgraded_database_keeps_its_inputs(store).await;
}

/// Repeats what is not available yet: on a busy machine even a connection may
/// take longer than the short deadline of the test below.
async fn eventually<T, F>(mut call: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, StoreError>>,
{
    let began = Instant::now();
    loop {
        match call().await {
            Ok(done) => return done,
            Err(StoreError::Unavailable(message)) => {
                assert!(began.elapsed() < Duration::from_secs(60), "{message}");
            }
            Err(other) => panic!("{other}"),
        }
    }
}

/// Sending and fetching 32 MiB may take longer than other calls are given: here
/// those have less time than a component needs on any machine.
#[tokio::test(flavor = "multi_thread")]
async fn the_largest_component_is_not_held_to_the_deadline_of_other_calls() {
    let mut config = Config::new(PostgresServer::shared().await.database().await);
    config.call_timeout = Duration::from_millis(30);
    let store = eventually(|| connect(&config)).await;
    let component = registry::noise(registry::LARGEST);
    let version = registry::version(Slot::Workflow, 'a', &component);
    eventually(|| store.add_version(&version, &component)).await;
    let again = eventually(|| store.component(&version.digest)).await;
    assert!(again.unwrap() == component, "the bytes differ");
    eventually(|| store.put_native_code(&version.digest, "x", &component)).await;
    let again = eventually(|| store.native_code(&version.digest, "x")).await;
    assert!(again.unwrap() == component, "the bytes differ");
}
