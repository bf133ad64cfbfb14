//! Events beyond those that follow from the view.

use super::world::{World, account, crash};
use crate::contract::{Command, EngineEvent, EventData, Reason};

#[test]
fn connecting_is_told_each_time_with_the_account() {
    let mut world = World::linking();
    let connected = [EventData::SessionConnected(account())];
    assert_eq!(world.engine(EngineEvent::Ready(account())).events, connected);
    world.engine(EngineEvent::ConnectionLost);
    assert_eq!(world.engine(EngineEvent::Ready(account())).events, connected);
    assert_eq!(world.engine(EngineEvent::Ready(account())).events, [], "it was connected already");
}

#[test]
fn leaving_connected_is_told_with_the_reason() {
    for (event, reason) in [
        (EngineEvent::ConnectionLost, Reason::Reconnecting),
        (crash(), Reason::Reconnecting),
        (EngineEvent::LoggedOut(false), Reason::UnlinkedFromPhone),
        (EngineEvent::Conflict, Reason::Conflict),
        (EngineEvent::Banned("x".into()), Reason::Banned),
    ] {
        let mut world = World::online();
        assert_eq!(world.engine(event).events, [EventData::SessionDisconnected(reason)]);
    }
    let mut world = World::online();
    let stopped = world.command(Command::Disconnect);
    assert_eq!(stopped.events, [EventData::SessionDisconnected(Reason::Stopped)]);
}

#[test]
fn ending_is_told_once_with_the_reason() {
    let mut world = World::lost();
    let gone = world.engine(EngineEvent::LoggedOut(false));
    assert_eq!(gone.events, [EventData::SessionDisconnected(Reason::UnlinkedFromPhone)]);
    let mut world = World::code_shown();
    world.command(Command::Disconnect);
    assert_eq!(world.command(Command::Disconnect).events, []);
}

#[test]
fn degraded_is_still_connected() {
    let mut world = World::online();
    assert_eq!(world.engine(EngineEvent::Probe(false)).events, []);
    assert_eq!(world.engine(EngineEvent::Probe(true)).events, []);
}

#[test]
fn a_removed_session_says_so_last() {
    let mut world = World::deleting();
    let gone = world.engine(EngineEvent::LoggedOut(true));
    assert_eq!(
        gone.events,
        [EventData::SessionDisconnected(Reason::Stopped), EventData::SessionDeleted]
    );
}
