//! The WASI that is there because languages' runtimes import it, and in which
//! nothing is.

use pairing_core::subscription::{Grants, SubscriptionSettings};
use pairing_tests::{hollow_handler, probe_handler};

use super::harness::{AT, World, everything, granted};

#[tokio::test(flavor = "multi_thread")]
async fn without_any_grant_nothing_of_the_host_is_seen() {
    // There is something to be seen.
    assert!(std::env::vars().next().is_some() && std::env::args().next().is_some());
    let world = World::start().await;
    let hollow = hollow_handler();
    let loaded = world.load(&hollow).await;
    assert!(loaded.imports().iter().all(|name| name.starts_with("wasi:")), "{loaded:?}");
    assert!(loaded.imports().len() > 15);
    assert_eq!(loaded.missing_grants(&Grants::default()), [""; 0]);
    world.fill(&hollow).await;
    world.subscribe(&[("default", SubscriptionSettings::default(), &[])]).await;

    let said = world.said("default", "", &[]).await;
    assert_eq!(said[..5], ["env []", "args []", "cwd None", "folders 0", "stdin Err(\"closed\")"]);
    let line = |begins: &str| said.iter().find(|line| line.starts_with(begins)).unwrap();
    assert!(said.contains(&"by standard output".to_owned()));
    let (seconds, millis) = (AT.0 / 1000, AT.0 % 1000);
    assert_eq!(*line("wall"), format!("wall {seconds}.{millis:03}000000"), "the event's own time");
    let counted: u64 = line("monotonic").strip_prefix("monotonic ").unwrap().parse().unwrap();
    assert!(counted < 60_000_000_000 && counted.is_multiple_of(1_000_000), "since the call began");
    assert!(line("lookup").contains("Err"), "{said:?}");
    assert!(line("udp").contains("access-denied"), "{said:?}");
    assert!(line("tcp").contains("access-denied"), "{said:?}");

    let again = world.said("default", "", &[]).await;
    let fixed = |said: Vec<String>| -> Vec<String> {
        said.into_iter().filter(|line| !line.starts_with("monotonic")).collect()
    };
    assert_eq!(fixed(again), fixed(said), "chance and time are the event's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_of_clock_and_chance_gives_these_and_nothing_more() {
    let world = World::start().await;
    world.fill(&hollow_handler()).await;
    let both = serde_json::json!({ "clock": true, "random": true });
    world.subscribe(&[("default", granted(both), &[])]).await;
    let said = world.said("default", "", &[]).await;
    world.subscribe(&[("default", SubscriptionSettings::default(), &[])]).await;
    let without = world.said("default", "", &[]).await;
    for (begins, differs) in [("wall", true), ("random", true), ("env", false), ("tcp", false)] {
        let line = |said: &[String]| said.iter().find(|line| line.starts_with(begins)).cloned();
        assert_eq!(line(&said) != line(&without), differs, "{said:?} {without:?}");
    }
    assert_eq!(said[..4], ["env []", "args []", "cwd None", "folders 0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_every_grant_wasi_is_as_empty() {
    let world = World::start().await;
    world.fill(&probe_handler()).await;
    world.subscribe(&[("default", granted(everything()), &[])]).await;
    let said = world.said("default", "look", &[]).await;
    assert_eq!(said[..5], ["env []", "args []", "cwd None", "folders 0", "stdin Err(\"closed\")"]);
    for begins in ["lookup Err", "udp Err", "tcp Err"] {
        assert!(said.iter().any(|line| line.starts_with(begins)), "{said:?}");
    }
}
