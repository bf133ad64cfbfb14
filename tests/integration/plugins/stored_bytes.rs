//! Bytes that were changed in the database.

use insta::assert_snapshot;
use pairing_tests::chameleon;

use crate::plugins::{harness::TestRegistry, played_sessions::reply};

#[tokio::test]
async fn a_component_with_a_flipped_byte_is_refused_when_it_must_be_compiled() {
    let (source, host) = (TestRegistry::start().await, TestRegistry::start().await);
    let mut component = chameleon("2.0.0", "plain");
    let version = source.try_push(component.clone()).await.unwrap().version;
    component[1000] ^= 1;
    host.store.add_version(&version, &component).await.unwrap();
    host.code.lose();
    let before = host.active();
    assert_snapshot!(host.activate(&version.digest).await.unwrap_err(), @"refused at the digest: its bytes were changed in the database; push the component again");
    assert_eq!(host.active(), before);
    // What the message says helps.
    host.push(chameleon("2.0.0", "plain")).await;
    host.activate(&version.digest).await.unwrap();
}

#[tokio::test]
async fn compiled_code_with_a_flipped_byte_is_compiled_anew_and_nobody_notices() {
    let host = TestRegistry::start().await;
    let digest = host.push(chameleon("2.0.0", "plain")).await;
    host.code.spoil();
    let compiled = host.code.compiled();
    host.activate(&digest).await.unwrap();
    assert_eq!(host.code.compiled(), compiled + 1);
    assert_eq!(reply(&host.command("one").await.unwrap()), "counts 1");
}
