//! The workflow plugin fails: the state stays, and nothing fails in silence.

use std::time::Duration;

use pairing_core::{
    command::Command,
    fakes::{FakeCall, WorkflowFault},
    plugin::{PluginError, Slot},
    session::Status,
    workflow::{EngineReport, Input},
};
use pairing_sessions::CommandError;

use crate::host::{Host, name, parsed, request_code, trap, within};

fn traps() -> [WorkflowFault; 1] {
    [WorkflowFault::Fail(trap(Slot::Workflow))]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_leaves_the_state_and_fails_that_command_closed() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.link(&session).await;
    let calls = host.engine.calls(&session);
    host.workflow.go_wrong(traps());
    let answer = host.command(&session, Command::Logout { confirm: true }).await;
    assert!(matches!(answer, Err(CommandError::Plugin(error)) if error == trap(Slot::Workflow)));
    assert_eq!(host.sessions.session(&session).unwrap().view.status, Status::Connected);
    assert_eq!(host.engine.calls(&session), calls, "nothing was done");
    assert_eq!(host.inputs(&session).await.len(), 2, "nothing was written");

    host.command(&session, Command::Disconnect).await.unwrap();
    host.assert_gapless(&[session]).await;
    host.sessions.stop().await;
}

/// The sandbox has tried twice by then.
#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_failed_is_not_handed_over_again() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    let refusal =
        PluginError::Refused { slot: Slot::Workflow, message: "the state can't be read".into() };
    for error in [refusal, trap(Slot::Workflow)] {
        host.workflow.go_wrong([WorkflowFault::Fail(error.clone())]);
        let answer = host.command(&session, Command::Disconnect).await;
        assert!(matches!(answer, Err(CommandError::Plugin(given)) if given == error));
        assert_eq!(host.workflow.faults_left(), 0);
        assert_eq!(host.inputs(&session).await.len(), 1);
    }
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_no_workflow_could_work_is_followed_by_a_fresh_start() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.show_qr(&session, "2@planted-qr").await;
    // Somebody waits for a code that will not come.
    let asked = FakeCall::RequestPairingCode("5511999990001".into());
    let mut waiting = Box::pin(host.sessions.command(&session, request_code()));
    tokio::select! {
        _ = &mut waiting => panic!("there is no code yet"),
        () = host.engine.wait_for(&session, &asked, 1) => {}
    }
    host.workflow.go_wrong(traps());
    host.say(&session, EngineReport::Authenticated).await;
    let answer = within(waiting).await;
    assert!(matches!(answer, Err(CommandError::Plugin(_))), "the caller is told why");
    within(host.engine.wait_for(&session, &FakeCall::Stop, 1)).await;
    let snapshot = host.sessions.session(&session).unwrap();
    assert!(snapshot.qr_data_url(host.now()).is_none(), "the page that made it is gone");

    host.clock.advance(Duration::from_secs(30));
    within(host.engine.wait_for(&session, &FakeCall::Start, 2)).await;
    host.link(&session).await;
    let worked = host.inputs(&session).await.iter().map(parsed).any(|i| i == Input::HostStarted);
    assert!(worked);
    host.assert_gapless(std::slice::from_ref(&session)).await;
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_before_the_fresh_start_waits_for_it() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.workflow.go_wrong(traps());
    host.say(&session, EngineReport::Authenticated).await;
    within(host.engine.wait_for(&session, &FakeCall::Stop, 1)).await;
    host.command(&session, Command::Disconnect).await.unwrap();
    let inputs: Vec<Input> = host.inputs(&session).await.iter().map(parsed).collect();
    assert_eq!(inputs[1], Input::HostStarted);
    assert_eq!(inputs[2], Input::Command { id: 3, command: Command::Disconnect });
    host.sessions.stop().await;
}
