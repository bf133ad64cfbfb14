//! Who looks at a session, as the workflow hears it.

use std::time::Duration;

use pairing_core::{command::Command, fakes::FakeCall, workflow::Context};

use crate::host::{Host, name, within};

const WINDOW: Duration = Duration::from_secs(60);

/// What the workflow was told with a session's latest input.
async fn watched(host: &Host, session: &pairing_core::id::SessionName) -> bool {
    let last = host.inputs(session).await.pop().unwrap();
    let context: Context = serde_json::from_str(&last.context).unwrap();
    context.watched
}

#[tokio::test(flavor = "multi_thread")]
async fn looks_count_for_a_minute_and_guards_as_long_as_they_are_held() {
    let host = Host::start().await;
    let (session, other) = (name("sales"), name("other"));
    host.init(&session).await;
    host.init(&other).await;
    host.clock.advance(WINDOW - Duration::from_secs(1));
    host.show_qr(&session, "2@one").await;
    assert!(watched(&host, &session).await, "a command is a look");
    host.clock.advance(WINDOW);
    host.show_qr(&session, "2@two").await;
    assert!(!watched(&host, &session).await);

    host.sessions.looked_at(&session);
    host.show_qr(&session, "2@three").await;
    assert!(watched(&host, &session).await);

    let guard = host.sessions.watch(&session);
    host.clock.advance(10 * WINDOW);
    host.show_qr(&session, "2@four").await;
    assert!(watched(&host, &session).await);
    host.show_qr(&other, "2@four").await;
    assert!(!watched(&host, &other).await, "each session has its own");
    drop(guard);
    host.clock.advance(WINDOW);
    host.show_qr(&session, "2@five").await;
    assert!(!watched(&host, &session).await);

    host.command(&session, Command::Reconnect).await.unwrap();
    assert!(watched(&host, &session).await);
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gets_everything_watches_nothing() {
    let host = Host::start().await;
    let session = name("sales");
    let _everything = host.subscribe(100);
    host.init(&session).await;
    host.clock.advance(WINDOW);
    host.show_qr(&session, "2@one").await;
    assert!(!watched(&host, &session).await);
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pairing_that_the_host_left_behind_counts_as_looked_at() {
    let host = Host::start().await;
    let (pairing, linked) = (name("pairing"), name("linked"));
    host.init(&pairing).await;
    host.init(&linked).await;
    host.show_qr(&pairing, "2@one").await;
    host.link(&linked).await;
    host.clock.advance(10 * WINDOW);
    let host = host.restart().await;
    for session in [&pairing, &linked] {
        within(host.engine.wait_for(session, &FakeCall::Start, 1)).await;
    }
    assert!(watched(&host, &pairing).await);
    assert!(!watched(&host, &linked).await);
    host.clock.advance(WINDOW);
    host.show_qr(&pairing, "2@two").await;
    assert!(!watched(&host, &pairing).await);
    host.sessions.stop().await;
}
