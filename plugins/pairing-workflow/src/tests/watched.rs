//! Codes are made for somebody who sees them.

use super::world::{PHONE, SECOND, World, acts, code_for, crash, done, init, standing};
use crate::contract::{Command, Effect, EngineEvent, Reason, Status, Transition};

fn assert_parked(transition: &Transition, why: &str) {
    assert_eq!(standing(transition), (Status::Disconnected, Some(Reason::Parked)));
    let message = transition.view.detail.clone().unwrap().message.unwrap();
    assert!(message.contains(why), "{message}");
    assert_eq!((transition.view.shown, transition.wake_up_at), (None, None));
}

#[test]
fn the_first_code_is_made_whoever_looks_and_the_next_one_is_not() {
    let mut world = World::new();
    world.watched(false).command(init());
    let first = world.engine(EngineEvent::QrMade(true));
    assert_eq!(standing(&first), (Status::QrReady, None));
    assert!(first.view.shown.is_some());
    let next = world.pass(60 * SECOND).engine(EngineEvent::QrMade(false));
    assert_eq!(acts(&next), [Effect::StopEngine]);
    assert_parked(&next, "Nobody is looking");
}

#[test]
fn codes_go_on_as_long_as_somebody_looks_but_not_beyond_the_bounded_rounds() {
    let mut world = World::starting();
    world.watched(true);
    for _ in 0..4 {
        for code in 0..6 {
            assert_eq!(world.engine(EngineEvent::QrMade(code == 0)).view.status, Status::QrReady);
        }
        world.engine(EngineEvent::QrExpired);
    }
    let state = world.state();
    let message = state.view().detail.unwrap().message.unwrap();
    assert!(message.contains("Nobody used a code"), "{message}");
}

#[test]
fn each_event_of_a_code_parks_when_nobody_looks() {
    let mut expired = World::qr_ready();
    assert_parked(&expired.watched(false).engine(EngineEvent::QrExpired), "Nobody is looking");
    let mut code = World::code_shown();
    assert_parked(&code.watched(false).wake(), "Nobody is looking");
    let mut crashed = World::qr_ready();
    assert_eq!(crashed.watched(false).engine(crash()).view.status, Status::Connecting);
    let parked = crashed.wake();
    assert_parked(&parked, "Nobody is looking");
    assert_eq!(acts(&parked), [], "no engine runs");
}

#[test]
fn a_pairing_that_never_showed_a_code_is_tried_again_whoever_looks() {
    let mut world = World::starting();
    world.watched(false).engine(crash());
    assert_eq!(acts(&world.wake()), [Effect::StartEngine]);
    // A page that was idle from the start makes its first code, too.
    assert_eq!(acts(&world.engine(EngineEvent::QrExpired)), [Effect::RefreshQr]);
    assert!(world.engine(EngineEvent::QrMade(true)).view.shown.is_some());
}

#[test]
fn who_waits_for_a_pairing_code_is_there() {
    let mut world = World::qr_ready();
    world.command(code_for(PHONE, false));
    world.watched(false);
    assert_eq!(world.engine(EngineEvent::QrExpired).view.status, Status::QrReady);
    let made = world.engine(EngineEvent::CodeMade);
    assert!(made.view.shown.is_some());
    // It stays for its whole life.
    assert_eq!(world.engine(EngineEvent::QrExpired).view.shown, made.view.shown);
}

#[test]
fn one_call_resumes_and_its_first_code_is_made() {
    for command in [init(), Command::Reconnect, Command::RefreshQr(false)] {
        let mut world = World::qr_ready();
        world.watched(false).engine(EngineEvent::QrMade(false));
        let resumed = world.command(command);
        assert_eq!(acts(&resumed), [Effect::StartEngine]);
        done(&resumed);
        assert!(world.engine(EngineEvent::QrMade(true)).view.shown.is_some());
    }
}

#[test]
fn a_link_does_not_mind_whether_anybody_looks() {
    for (situation, mut world) in World::all() {
        let linked = world.state().is_linked();
        let (watched, unwatched) = {
            let mut other = world.clone();
            (world.watched(true).engine(crash()), other.watched(false).engine(crash()))
        };
        if linked {
            assert_eq!(watched, unwatched, "{situation}");
        }
    }
}

#[test]
fn a_host_that_does_not_count_parks_nobody_for_that() {
    let mut world = World::qr_ready();
    world.extra.clear();
    assert_eq!(world.engine(EngineEvent::QrMade(false)).view.status, Status::QrReady);
}
