//! A restart of the host: what ran goes on, what rested rests.

use super::world::{World, account, acts, code_for, crash, init_expecting, replies, standing};
use crate::contract::{Command, Effect, EngineEvent, Reason, Status};

#[test]
fn a_linked_session_connects_again() {
    for mut world in [
        World::online(),
        World::degraded(),
        World::lost(),
        World::link_waits(),
        World::link_starts(),
    ] {
        let begun = world.restart_host();
        assert_eq!(begun.effects, [Effect::StartEngine]);
        assert_eq!(standing(&begun), (Status::Connecting, Some(Reason::Starting)));
        assert_eq!((begun.view.account, begun.view.linked), (Some(account()), true));
        assert_eq!(begun.view.detail, None, "attempts count anew");
        let ready = world.engine(EngineEvent::Ready(account()));
        assert_eq!(standing(&ready), (Status::Connected, None));
    }
}

#[test]
fn without_automatic_reconnection_a_link_rests_after_a_restart() {
    for mut world in [World::online(), World::lost(), World::link_waits(), World::used_elsewhere()]
    {
        let begun = world.reconnects_by_itself(false).restart_host();
        assert_eq!(begun.effects, []);
        assert_eq!(standing(&begun), (Status::Disconnected, Some(Reason::Stopped)));
        assert!(begun.view.linked && begun.view.account.is_some());
        assert!(begun.view.detail.unwrap().message.unwrap().contains("reconnect the session"));
        assert_eq!(acts(&world.command(Command::Reconnect)), [Effect::StartEngine]);
    }
    // What somebody confirmed is finished all the same, and so is a pairing.
    for mut world in [World::logging_out(), World::qr_ready(), World::linking()] {
        let begun = world.reconnects_by_itself(false).restart_host();
        assert_eq!(begun.effects, [Effect::StartEngine]);
    }
}

#[test]
fn a_session_that_was_pairing_starts_again_without_a_code() {
    for mut world in [
        World::starting(),
        World::qr_ready(),
        World::code_asked(),
        World::code_shown(),
        World::pairing_waits(),
    ] {
        let begun = world.restart_host();
        assert_eq!(begun.effects, [Effect::StartEngine], "nobody waits for a reply any more");
        assert_eq!(standing(&begun), (Status::Connecting, Some(Reason::Starting)));
        assert_eq!(begun.view.shown, None);
        assert_eq!(standing(&world.engine(EngineEvent::QrMade(true))), (Status::QrReady, None));
    }
}

#[test]
fn a_session_that_was_linking_looks_whether_it_is_linked() {
    let mut world = World::linking();
    let begun = world.restart_host();
    assert_eq!(begun.effects, [Effect::StartEngine]);
    assert!(begun.view.linked);
    let mut unfinished = world.clone();
    assert_eq!(standing(&unfinished.engine(EngineEvent::QrMade(true))), (Status::QrReady, None));
    world.engine(EngineEvent::Authenticated);
    assert_eq!(standing(&world.engine(EngineEvent::Ready(account()))), (Status::Connected, None));
}

#[test]
fn what_rested_stays_at_rest() {
    let mut resting = vec![World::new(), World::parked(), World::stopped_linked()];
    for event in [
        EngineEvent::LoggedOut(false),
        EngineEvent::ClientOutdated,
        EngineEvent::Banned("x".into()),
        EngineEvent::PasskeyRequired,
    ] {
        let mut world = World::online();
        world.engine(event);
        resting.push(world);
    }
    let mut logged_out = World::logging_out();
    logged_out.engine(EngineEvent::LoggedOut(true));
    resting.push(logged_out);
    for mut world in resting {
        let before = world.state();
        let started = world.restart_host();
        assert_eq!((started.effects, started.events), (Vec::new(), Vec::new()));
        assert_eq!(world.state(), before);
    }
}

#[test]
fn a_confirmed_logout_is_finished_after_a_restart() {
    for mut world in [World::logging_out(), World::connecting_to_log_out()] {
        assert_eq!(world.restart_host().effects, [Effect::StartEngine]);
        assert_eq!(world.engine(EngineEvent::Ready(account())).effects, [Effect::LogOut]);
        let gone = world.engine(EngineEvent::LoggedOut(true));
        assert_eq!(replies(&gone), [], "who asked is gone");
        assert_eq!(standing(&gone), (Status::Disconnected, Some(Reason::LoggedOut)));
    }
}

#[test]
fn a_confirmed_deletion_is_finished_after_a_restart() {
    let mut world = World::deleting();
    world.restart_host();
    // It had been unlinked before the host died.
    let gone = world.engine(EngineEvent::QrMade(true));
    assert_eq!(acts(&gone), [Effect::DeleteSession]);
}

#[test]
fn restarts_of_the_host_are_not_failures_of_the_engine() {
    let mut world = World::qr_ready();
    for _ in 0..50 {
        world.restart_host();
        world.engine(EngineEvent::QrMade(true));
    }
    assert_eq!(world.state().view().status, Status::QrReady);
    assert_eq!(world.engine(crash()).view.detail.unwrap().attempt, Some(1));
}

#[test]
fn a_code_request_dies_with_the_host() {
    let mut world = World::unlinking_to_pair();
    world.restart_host();
    world.engine(EngineEvent::QrMade(true));
    let ready = world.engine(EngineEvent::QrMade(true));
    assert_eq!(ready.effects, []);
    assert_eq!(standing(&ready), (Status::QrReady, None));
}

#[test]
fn what_was_expected_outlives_a_restart() {
    let mut world = World::new();
    world.command(init_expecting("5511999990002", false));
    world.restart_host();
    assert_eq!(world.engine(EngineEvent::Ready(account())).effects, [Effect::LogOut]);
    let mut world = World::qr_ready();
    world.command(code_for("5511999990002", false));
    world.restart_host();
    assert_eq!(world.command(Command::Disconnect).effects.len(), 2);
}
