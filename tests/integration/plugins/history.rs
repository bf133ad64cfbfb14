//! What was done to a slot, who did it, and what became of it.

use insta::assert_snapshot;
use pairing_core::plugin::Slot;
use pairing_tests::chameleon;

use crate::plugins::harness::{TestRegistry, without_digests};

#[tokio::test]
async fn the_history_tells_who_did_what_when_why_and_how_it_ended() {
    let host = TestRegistry::start().await;
    host.record_histories(2).await;
    let second = host.bring("2.0.0", "schema2").await;
    host.command("session-0").await.unwrap();
    let third = host.push(chameleon("3.0.0", "trap")).await;
    host.activate(&third).await.unwrap_err();
    let fourth = host.push(chameleon("4.0.0", "schema2")).await;
    host.canary(&fourth, 10).await.unwrap();
    host.back(None).await.unwrap();
    host.back(None).await.unwrap();
    host.back(Some(&third.0)).await.unwrap_err();
    host.try_push(b"nothing".to_vec()).await.unwrap_err();

    let name = |digest: &Option<_>| {
        let known = host.slot().active.info.digest;
        match digest {
            None => "-",
            Some(digest) if *digest == known => "first",
            Some(digest) if *digest == second => "second",
            Some(digest) if *digest == third => "third",
            Some(digest) if *digest == fourth => "fourth",
            Some(_) => "unknown",
        }
    };
    let mut told = String::new();
    for line in host.registry.history(Slot::Workflow, None, 100).await.unwrap().iter().rev() {
        let change = &line.change;
        let (from, to) = (name(&change.from), name(&change.to));
        told += &format!(
            "{} {} by {}, from {from} to {to}",
            change.at,
            change.action.as_str(),
            change.who
        );
        for (what, text) in [
            ("share", change.share.map(|share| share.to_string()).unwrap_or_default()),
            ("why", change.why.clone()),
            ("detail", change.detail.clone()),
            ("refusal", change.refusal.clone().unwrap_or_default()),
        ] {
            if !text.is_empty() {
                told += &format!("\n    {what}: {}", without_digests(text));
            }
        }
        told += "\n";
    }
    assert_snapshot!(told);
}

#[tokio::test]
async fn the_history_is_read_page_by_page_without_gaps() {
    let host = TestRegistry::start().await;
    for number in 2..6 {
        host.bring(&format!("{number}.0.0"), "plain").await;
    }
    let all = host.registry.history(Slot::Workflow, None, 100).await.unwrap();
    let (mut paged, mut before) = (Vec::new(), None);
    loop {
        let page = host.registry.history(Slot::Workflow, before, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.number);
        paged.extend(page);
    }
    assert_eq!(paged, all);
    assert!(all.is_sorted_by(|one, next| one.number > next.number), "newest first");
    assert_eq!(all.len(), 10, "the seed, and a push and an activation of each");
}
