//! Handlers that take too much end, are told of, and harm no other call.

use std::time::Duration;

use pairing_core::subscription::SubscriptionSettings;
use pairing_core::{handler::HandleError, plugin::PluginError};
use pairing_tests::probe_handler;
use tokio::{io::AsyncReadExt, net::TcpListener};

use super::harness::{World, everything, granted};

async fn world() -> World {
    let world = World::start().await;
    world.fill(&probe_handler()).await;
    world.subscribe(&[("default", granted(everything()), &[])]).await;
    world
}

fn failed(handled: Result<(), HandleError>) -> PluginError {
    let Err(HandleError::Failed(error)) = handled else { panic!("{handled:?}") };
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_spins_traps_or_grows_ends_with_the_place_where_it_was() {
    let world = world().await;
    for (deed, kind, place) in [
        ("spin", "deadline", "ended: it used more than 200ms of processor time"),
        ("grow", "memory", "ended: it wanted more than 64 MiB of memory"),
        ("trap", "trapped", "trapped: wasm trap"),
    ] {
        let (handled, said) = world.deed("default", deed, &[]).await;
        assert_eq!(failed(handled).kind(), kind);
        let last = said.last().unwrap();
        assert!(last.starts_with(place), "{last}");
        assert!(last.contains("handler::Guest>::handle"), "{last}");
        assert_eq!(world.said("default", "attempt", &[]).await, ["attempt 1 for default"]);
    }
    let (_, said) = world.deed("default", "trap", &[]).await;
    let trap = said.last().unwrap();
    let inner = trap.find("at probe_handler::inner_deed").unwrap();
    assert!(trap[inner..].contains("at probe_handler::outer_deed"), "{trap}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_flood_of_lines_the_first_are_kept_and_the_rest_is_told_of() {
    let world = world().await;
    let said = world.said("default", "flood", &[]).await;
    let kept: usize = said.iter().filter(|line| line.contains("xxx")).map(String::len).sum();
    assert!((14 << 10..=16 << 10).contains(&kept), "{kept}");
    assert!(said.last().unwrap().contains("the rest is left out"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_never_answers_costs_the_subscription_its_time_and_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let silent = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        // Ends when the host gives the connection up.
        let _ = stream.read_to_end(&mut read).await;
    });
    let world = World::start().await;
    world.fill(&probe_handler()).await;
    let mut grants = everything();
    grants["http"] = serde_json::json!([{ "url": url }]);
    let settings = SubscriptionSettings { timeout_ms: 300, ..granted(grants) };
    world.subscribe(&[("default", settings, &[])]).await;
    let (handled, said) = world.deed("default", "fetch", &[("url", &url)]).await;
    match handled {
        Err(HandleError::Retry { why, after: None }) => assert!(why.contains("300ms"), "{why}"),
        // The request's own time ends with the call's; this time the guest heard of it.
        Ok(()) => assert!(said[0].contains("Timeout"), "{said:?}"),
        other => panic!("{other:?}"),
    }
    tokio::time::timeout(Duration::from_secs(60), silent).await.unwrap().unwrap();
    assert_eq!(world.said("default", "attempt", &[]).await, ["attempt 1 for default"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_that_spin_leave_the_others_their_turns() {
    let world = world().await;
    let spinning: Vec<_> = (0..8).map(|_| world.deed("default", "spin", &[])).collect();
    let spinning = futures::future::join_all(spinning);
    let served = async {
        for _ in 0..20 {
            world.said("default", "other", &[]).await;
        }
    };
    // A call of some microseconds waits for turns of a millisecond, and not until
    // eight guests have had 200 ms each.
    tokio::pin!(spinning);
    tokio::select! {
        _ = &mut spinning => panic!("they were served after all that spin"),
        () = served => {}
    }
    for (handled, _) in spinning.await {
        let error = handled.unwrap_err();
        assert!(matches!(error, HandleError::Failed(_) | HandleError::NotCalled(_)), "{error:?}");
    }
}
