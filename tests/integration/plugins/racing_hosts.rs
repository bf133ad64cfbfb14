//! Two hosts over one database.

use pairing_plugin_registry::RegistryError;
use pairing_store::testing::PostgresServer;
use pairing_tests::chameleon;

use crate::plugins::harness::{TestRegistry, rules};

#[tokio::test]
async fn of_two_activations_one_wins_and_the_other_host_hears_so_and_follows() {
    let one = TestRegistry::over_postgres().await;
    let other = one.beside(rules()).await;
    assert_eq!(one.slot().generation, other.slot().generation);
    let second = one.push(chameleon("2.0.0", "plain")).await;
    let third = other.push(chameleon("3.0.0", "plain")).await;
    let results = tokio::join!(one.activate(&second), other.activate(&third));
    let (winner, loser, won, lost) = match results {
        (Ok(_), Err(RegistryError::Overtaken { .. })) => (&one, &other, &second, &third),
        (Err(RegistryError::Overtaken { .. }), Ok(_)) => (&other, &one, &third, &second),
        both => panic!("{both:?}"),
    };
    assert_eq!((winner.active(), loser.active()), (won.clone(), won.clone()));
    assert_eq!(loser.slot().generation, winner.slot().generation);
    let lines = loser.changes().await;
    assert!(lines[0].refusal.as_ref().is_some_and(|why| why.contains("by somebody else")));
    // Looked at, and tried again.
    loser.activate(lost).await.unwrap();
    assert_eq!(loser.active(), *lost);
}

#[tokio::test]
async fn two_hosts_that_start_over_an_empty_database_both_start() {
    let url = PostgresServer::shared().await.database().await;
    let host = || async {
        let folder = tempfile::tempdir().unwrap();
        let first = Some(chameleon("1.0.0", "plain"));
        TestRegistry::over(url.clone(), folder, rules(), first).await
    };
    let (one, other) = tokio::join!(host(), host());
    assert_eq!(one.active(), other.active());
    assert_eq!(one.slot().generation, other.slot().generation);
}
