//! Restarts: of the host, and of what fails within it.

use std::time::Duration;

use pairing_core::{
    command::Command,
    fakes::{FakeCall, WorkflowFault},
    session::Status,
    workflow::Input,
};
use pairing_sessions::CommandError;

use crate::host::{Host, init, name, parsed, until, within};

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_brings_every_session_back() {
    let host = Host::start().await;
    let (linked, pairing, stopped) = (name("linked"), name("pairing"), name("stopped"));
    for session in [&linked, &pairing, &stopped] {
        host.init(session).await;
    }
    host.link(&linked).await;
    host.show_qr(&pairing, "2@planted-qr").await;
    host.command(&stopped, Command::Disconnect).await.unwrap();

    let host = host.restart().await;
    let names: Vec<_> = host.sessions.sessions().iter().map(|s| s.name.clone()).collect();
    assert_eq!(names, [linked.clone(), pairing.clone(), stopped.clone()]);
    within(host.engine.wait_for(&linked, &FakeCall::Start, 1)).await;
    within(host.engine.wait_for(&pairing, &FakeCall::Start, 1)).await;
    let snapshot = host.until(&linked, |session| session.view.status == Status::Connecting).await;
    assert_eq!(snapshot.view.account.as_ref().unwrap().phone_number, "5511999990001");
    host.until(&stopped, |session| session.view.status == Status::Disconnected).await;
    assert_eq!(host.engine.calls(&stopped), []);
    let last = host.inputs(&linked).await.pop().unwrap();
    assert_eq!(parsed(&last), Input::HostStarted);

    // It goes on where it was.
    host.link(&linked).await;
    host.assert_gapless(&[linked, pairing, stopped]).await;
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_null_after_a_restart_until_the_page_gives_new_ones() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.show_qr(&session, "2@planted-qr").await;
    host.store.hold(&session);
    let host = host.restart().await;
    let now = host.now();
    let snapshot = host.sessions.session(&session).unwrap();
    assert!(snapshot.qr_data_url(now).is_none());
    assert!(snapshot.pairing_code(now).is_none());
    within(host.engine.wait_for(&session, &FakeCall::Start, 1)).await;
    let snapshot = host.show_qr(&session, "2@another").await;
    assert!(snapshot.qr_data_url(now).is_some());
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_every_engine() {
    let host = Host::start().await;
    let sessions = [name("a"), name("b"), name("c")];
    for session in &sessions {
        host.init(session).await;
    }
    host.sessions.stop().await;
    for session in &sessions {
        assert_eq!(host.engine.calls(session).last(), Some(&FakeCall::Stop));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_panics_is_started_again_and_left_alone_when_it_goes_on_so() {
    let host = Host::start().await;
    let (session, other) = (name("sales"), name("other"));
    host.init(&session).await;
    host.init(&other).await;
    host.link(&session).await;

    host.workflow.go_wrong([WorkflowFault::Panic]);
    let answer = host.command(&session, Command::Reconnect).await;
    assert!(matches!(answer, Err(CommandError::Interrupted)));
    // The engine of the task that died is gone, and the new task starts its own.
    within(host.engine.wait_for(&session, &FakeCall::Stop, 1)).await;
    within(host.engine.wait_for(&session, &FakeCall::Start, 2)).await;
    host.command(&session, Command::Reconnect).await.unwrap();

    // A mistake that does not go away: five restarts in ten minutes, no more.
    host.workflow.go_wrong(vec![WorkflowFault::Panic; 5]);
    for _ in 0..3 {
        let answer = host.command(&session, init()).await;
        assert!(matches!(answer, Err(CommandError::Interrupted)));
    }
    until(|| host.workflow.faults_left() == 0).await;
    let answer = host.command(&session, init()).await;
    assert!(matches!(answer, Err(CommandError::Interrupted)));
    assert!(host.sessions.session(&session).is_some());

    host.clock.advance(Duration::from_secs(600));
    within(async { while host.command(&session, Command::Reconnect).await.is_err() {} }).await;
    host.assert_gapless(&[session]).await;
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_the_engine_starts_the_session_anew() {
    let host = Host::start().await;
    let session = name("sales");
    host.engine.panic_at_start(&session);
    host.command(&session, init()).await.unwrap();
    within(host.engine.wait_for(&session, &FakeCall::Start, 2)).await;
    host.link(&session).await;
    host.sessions.stop().await;
}
