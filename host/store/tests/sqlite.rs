//! The contract on SQLite, and what is SQLite's own.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::{os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use pairing_core::{
    plugin::Slot,
    plugin_store::NumberedChange,
    store::{Store, StoreError},
};
use pairing_store::{Config, connect, contract::plugins as registry, migrate};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

fn config(folder: &Path) -> Config {
    Config::new(format!("sqlite:{}", folder.join("pairing.db").display()))
}

async fn open() -> (Arc<dyn Store>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (connect(&config(folder.path())).await.unwrap(), folder)
}

pairing_store::contract_tests!(open);

#[tokio::test]
async fn all_files_are_their_owners_alone() {
    let (store, folder) = open().await;
    store.check().await.unwrap();
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.path());
        names.push(file.file_name());
    }
    assert!(names.contains(&"pairing.db-wal".into()), "{names:?}");
}

#[tokio::test]
async fn a_file_that_others_could_read_is_closed_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pairing.db");
    std::fs::write(&file, "").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    migrate(&config(folder.path())).await.unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn what_was_written_is_there_when_the_file_is_opened_again() {
    let (store, folder) = open().await;
    store.put_setup_token(&[1; 32], pairing_core::clock::Timestamp(9)).await.unwrap();
    drop(store);
    let store = connect(&config(folder.path())).await.unwrap();
    let admin = pairing_core::store::Admin {
        id: uuid::Uuid::new_v4(),
        username: "ana".to_owned(),
        password_hash: "hash".to_owned(),
        created_at: pairing_core::clock::Timestamp(1),
    };
    let now = pairing_core::clock::Timestamp(8);
    assert!(store.claim_setup(&[1; 32], now, &admin).await.unwrap());
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let missing = Config::new("sqlite:/nonexistent/folder/pairing.db");
    let Err(StoreError::Unavailable(message)) = connect(&missing).await else {
        panic!("it was opened");
    };
    assert!(message.contains("/nonexistent/folder/pairing.db"), "{message}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pairing.db"), "this is no database at all".repeat(99))
        .unwrap();
    let Err(refusal) = connect(&config(folder.path())).await else { panic!("it was opened") };
    assert!(matches!(refusal, StoreError::Refused(_)), "{refusal}");
}

/// A connection beside the store's own.
async fn beside(folder: &Path) -> SqliteConnection {
    let address = format!("sqlite:{}?mode=rwc", folder.join("pairing.db").display());
    SqliteConnection::connect(&address).await.unwrap()
}

#[tokio::test]
async fn history_of_plugins_is_only_added_to() {
    let (store, folder) = open().await;
    let change = registry::change(Slot::Workflow, 'a');
    store.note(&change).await.unwrap();
    let mut beside = beside(folder.path()).await;
    for statement in [
        "UPDATE plugin_changes SET who = 'nobody'",
        "DELETE FROM plugin_changes",
        "INSERT OR REPLACE INTO plugin_changes (number, slot, at, who, action, why, detail)
         VALUES (1, 'workflow', 1, 'nobody', 'push', '', '')",
    ] {
        let refusal = sqlx::query(statement).execute(&mut beside).await.unwrap_err().to_string();
        assert!(refusal.contains("plugin_changes is only ever added to"), "{refusal}");
    }
    let kept = store.changes(Slot::Workflow, None, 9).await.unwrap();
    assert_eq!(kept, [NumberedChange { number: 1, change }]);
    assert_eq!(store.note(&kept[0].change).await.unwrap(), 2);
}

#[tokio::test]
async fn an_upgraded_database_keeps_its_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let mut before = beside(folder.path()).await;
    let mut migrator = sqlx::migrate!("../../migrations/sqlite");
    migrator.migrations.to_mut().retain(|migration| migration.version < 5);
    migrator.run(&mut before).await.unwrap();
    for statement in registry::BEFORE_THE_REGISTRY {
        sqlx::query(statement).bind(&b"state"[..]).execute(&mut before).await.unwrap();
    }
    before.close().await.unwrap();
    let store = connect(&config(folder.path())).await.unwrap();
    registry::an_upgraded_database_keeps_its_inputs(store).await;
}
