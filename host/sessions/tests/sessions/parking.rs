//! What a plugin fails at is kept with the reason, and all else goes on.

use pairing_core::{
    command::Command,
    event::Cursor,
    fakes::{FakeCall, WorkflowFault},
    id::SessionName,
    plugin::{PluginError, Slot},
    workflow::{Context, EngineReport, Input},
};
use pairing_sessions::CommandError;

use crate::host::{Host, everything, name, trap, within};

fn traps() -> [WorkflowFault; 1] {
    [WorkflowFault::Fail(trap(Slot::Workflow))]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_input_says_why() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.workflow.go_wrong(traps());
    host.say(&session, EngineReport::Authenticated).await;
    within(host.engine.wait_for(&session, &FakeCall::Stop, 1)).await;

    let parked = host.store.parked(Slot::Workflow).await.remove(0);
    assert_eq!((parked.session, parked.what.as_str()), (session, "engine:authenticated"));
    assert_eq!(parked.reason, trap(Slot::Workflow).to_string());
    assert_eq!(parked.at, host.now());
    let input: Input = serde_json::from_str(&parked.input.unwrap()).unwrap();
    assert_eq!(input, Input::Engine(EngineReport::Authenticated));
    let context: Context = serde_json::from_str(&parked.context.unwrap()).unwrap();
    assert_eq!(context.input_number, 2);
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_the_workflow_fails_at_is_parked_alone() {
    let host = Host::start().await;
    let (session, other) = (name("sales"), name("other"));
    host.init(&session).await;
    host.init(&other).await;
    host.workflow.go_wrong(traps());
    host.command(&session, Command::Reconnect).await.err().unwrap();
    let parked = host.store.parked(Slot::Workflow).await;
    assert_eq!(parked.len(), 1);
    assert_eq!((&parked[0].session, parked[0].what.as_str()), (&session, "command:reconnect"));
    host.command(&other, Command::Reconnect).await.unwrap();
    host.command(&session, Command::Reconnect).await.unwrap();
    host.assert_gapless(&[session, other]).await;
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_parked_holds_nothing_up() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.store.refuse_parking();
    host.workflow.go_wrong(traps());
    let answer = host.command(&session, Command::Reconnect).await;
    assert!(matches!(answer, Err(CommandError::Plugin(PluginError::Trapped { .. }))));

    let mut subscription = host.subscribe(100);
    host.fan_out.go_wrong([trap(Slot::FanOut)]);
    load(&host, &session, 2).await;
    assert_eq!(within(subscription.next()).await.unwrap().id, Some(Cursor(3)));
    host.sessions.stop().await;
}

async fn load(host: &Host, session: &SessionName, percents: u8) {
    for percent in 0..percents {
        host.say(session, EngineReport::Loading { percent }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_can_not_be_routed_is_parked_and_the_next_ones_arrive() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    let mut subscription = host.subscribe(100);
    host.fan_out.poison(Cursor(3));
    load(&host, &session, 4).await;
    for place in [2, 4, 5] {
        let event = within(subscription.next()).await.unwrap();
        assert_eq!(event.id, Some(Cursor(place)));
    }
    let parked = host.store.parked(Slot::FanOut).await;
    assert_eq!(parked.len(), 1);
    assert_eq!((&parked[0].session, parked[0].what.as_str()), (&session, "event 3"));
    assert!(parked[0].reason.contains("trapped"), "{}", parked[0].reason);
    assert_eq!((&parked[0].input, &parked[0].context), (&None, &None));
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resuming_reader_gets_past_a_parked_event() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    load(&host, &session, 4).await;
    host.link(&session).await;
    host.fan_out.poison(Cursor(3));
    let journal: Vec<Cursor> = host.journal().await.iter().map(|event| event.id).collect();
    // The first meets the failure; those that follow do not even ask.
    for _ in 0..3 {
        let mut read = Vec::new();
        let mut after = Cursor(0);
        loop {
            let page = host.sessions.events().page(&everything(), after, 2).await.unwrap();
            read.extend(page.deliveries.iter().map(|event| event.id.unwrap()));
            after = page.next;
            if page.at_end {
                break;
            }
        }
        assert!(read.iter().eq(journal.iter().filter(|place| **place != Cursor(3))), "{read:?}");
    }
    assert_eq!(host.store.parked(Slot::FanOut).await.len(), 1);
    host.sessions.stop().await;
}
