//! Plugins that are busy or paused have tried nothing: nothing is lost, nothing
//! is done twice, and a link stays.

use std::sync::Arc;

use pairing_core::{
    command::Command,
    event::Cursor,
    fakes::{FakeCall, FakeFanOut, FakeRenderer, FakeWorkflow, WorkflowFault},
    plugin::{PluginError, Slot},
    session::Status,
    workflow::EngineReport,
};
use pairing_sessions::{CommandError, CommandReply, EventsError};

use crate::host::{Decides, Host, PAUSE, everything, name, paused, trap, until, within};

const BUSY: PluginError = PluginError::Busy { slot: Slot::Workflow };

fn fails(error: PluginError, times: usize) -> Vec<WorkflowFault> {
    vec![WorkflowFault::Fail(error); times]
}

fn is_paused(answer: Result<CommandReply, CommandError>) -> bool {
    matches!(answer, Err(CommandError::Plugin(PluginError::Paused { .. })))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_workflow_loses_no_report_and_keeps_the_link() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.link(&session).await;
    let calls = host.engine.calls(&session);
    host.workflow.go_wrong(fails(paused(Slot::Workflow), 3));
    for percent in [10, 20, 30] {
        host.say(&session, EngineReport::Loading { percent }).await;
    }
    until(|| host.workflow.faults_left() == 2).await;
    for _ in 0..3 {
        assert!(is_paused(host.command(&session, Command::Disconnect).await));
    }
    assert_eq!(host.workflow.faults_left(), 2, "it was called during its pause");
    assert_eq!(host.sessions.session(&session).unwrap().view.status, Status::Connected);

    host.advance_until(PAUSE, async || host.loaded(&session).await.len() == 3).await;
    assert_eq!(host.loaded(&session).await, [10, 20, 30]);
    assert_eq!(host.inputs(&session).await.len(), 2 + 3);
    assert_eq!(host.engine.calls(&session), calls, "the engine was not left alone");
    assert!(host.sessions.session(&session).unwrap().view.linked);
    assert_eq!(host.store.parked(Slot::Workflow).await, []);
    host.assert_gapless(&[session]).await;
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_starts_with_a_quarantined_workflow_takes_its_sessions_up_later() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.link(&session).await;
    let quarantined = PluginError::Paused { slot: Slot::Workflow, retry_after: None };
    let workflow = Arc::new(FakeWorkflow::default());
    workflow.go_wrong(fails(quarantined, 3));
    let plugins = Decides {
        workflow: workflow.clone(),
        renderer: Arc::new(FakeRenderer::default()),
        fan_out: Arc::new(FakeFanOut::default()),
    };
    let host = host.restart_with(plugins).await;
    until(|| workflow.faults_left() == 2).await;
    assert!(is_paused(host.command(&session, Command::Logout { confirm: true }).await));
    assert_eq!(host.engine.calls(&session), []);
    let snapshot = host.sessions.session(&session).unwrap();
    assert_eq!((snapshot.view.status, snapshot.view.linked), (Status::Connected, true));

    let is_started = async || host.engine.calls(&session) == [FakeCall::Start];
    host.advance_until(PAUSE, is_started).await;
    host.link(&session).await;
    host.assert_gapless(&[session]).await;
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_to_a_paused_workflow_is_answered_at_once() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.workflow.go_wrong(fails(paused(Slot::Workflow), 1));
    assert!(is_paused(host.command(&session, Command::Disconnect).await));
    assert_eq!(host.inputs(&session).await.len(), 1);
    assert_eq!(host.store.parked(Slot::Workflow).await, []);
    host.command(&session, Command::Disconnect).await.unwrap();
    host.assert_gapless(&[session]).await;
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_before_a_fresh_start_does_not_wait_for_a_paused_workflow() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.workflow.go_wrong(fails(trap(Slot::Workflow), 1));
    host.workflow.go_wrong(fails(paused(Slot::Workflow), 1));
    host.say(&session, EngineReport::Authenticated).await;
    within(host.engine.wait_for(&session, &FakeCall::Stop, 1)).await;
    assert!(is_paused(host.command(&session, Command::Disconnect).await));
    host.advance_until(PAUSE, async || host.engine.calls(&session).len() == 3).await;
    assert_eq!(host.engine.calls(&session).last(), Some(&FakeCall::Start));
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_workflow_is_asked_again() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.workflow.go_wrong(fails(BUSY, 3));
    host.link(&session).await;
    host.workflow.go_wrong(fails(BUSY, 3));
    host.command(&session, Command::Disconnect).await.unwrap();
    assert_eq!(host.workflow.faults_left(), 0);
    assert_eq!(host.inputs(&session).await.len(), 3);
    assert_eq!(host.store.parked(Slot::Workflow).await, []);
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_hears_that_the_workflow_stays_busy() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.workflow.go_wrong(fails(BUSY, 1_000));
    let answer = host.command(&session, Command::Disconnect).await;
    assert!(matches!(answer, Err(CommandError::Plugin(BUSY))));
    assert!(host.workflow.faults_left() < 1_000 - 3, "it was asked more than once");
    assert_eq!(host.inputs(&session).await.len(), 1);
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_fan_out_keeps_its_subscribers_and_serves_them_later() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    let mut subscription = host.subscribe(100);
    host.fan_out.go_wrong(vec![paused(Slot::FanOut); 3]);
    for percent in [10, 20, 30] {
        host.say(&session, EngineReport::Loading { percent }).await;
    }
    host.link(&session).await;
    until(|| host.fan_out.faults_left() == 2).await;
    let page = host.sessions.events().page(&everything(), Cursor(0), 10).await;
    assert!(matches!(page, Err(EventsError::Plugin(PluginError::Paused { .. }))));

    host.advance_until(PAUSE, async || host.fan_out.faults_left() == 0).await;
    let newest = host.journal().await.last().unwrap().id;
    host.advance_until(PAUSE, async || host.sessions.events().head() == newest).await;
    for place in 2..=newest.0 {
        let event = within(subscription.next()).await.unwrap();
        assert_eq!(event.id, Some(Cursor(place)));
    }
    assert_eq!(host.store.parked(Slot::FanOut).await, []);
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_fan_out_is_asked_again() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    let mut subscription = host.subscribe(100);
    host.fan_out.go_wrong(vec![PluginError::Busy { slot: Slot::FanOut }; 3]);
    host.say(&session, EngineReport::Loading { percent: 10 }).await;
    assert_eq!(within(subscription.next()).await.unwrap().name, "loading");
    assert_eq!(host.fan_out.faults_left(), 0);
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_stops_although_its_plugins_are_paused() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    let _subscription = host.subscribe(100);
    host.fan_out.go_wrong([paused(Slot::FanOut)]);
    host.say(&session, EngineReport::Loading { percent: 10 }).await;
    until(|| host.fan_out.faults_left() == 0).await;
    host.workflow.go_wrong(fails(paused(Slot::Workflow), 1));
    host.say(&session, EngineReport::Loading { percent: 20 }).await;
    until(|| host.workflow.faults_left() == 0).await;
    within(host.sessions.stop()).await;
}
