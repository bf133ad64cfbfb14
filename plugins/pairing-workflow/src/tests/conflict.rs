//! A link that is used elsewhere.

use super::world::{SECOND, World, account, acts, done, standing};
use crate::contract::{Command, Effect, EngineEvent, EventData, Reason, Status};

const MINUTE: u64 = 60 * SECOND;

#[test]
fn it_is_taken_back_after_half_a_minute_or_more() {
    for seed in 0..200_u64 {
        let mut world = World::online();
        world.seed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let elsewhere = world.engine(EngineEvent::Conflict);
        assert_eq!(elsewhere.effects, [Effect::StopEngine], "nothing is wiped");
        assert_eq!(standing(&elsewhere), (Status::Connecting, Some(Reason::Conflict)));
        assert_eq!((elsewhere.view.linked, elsewhere.view.account), (true, Some(account())));
        assert_eq!(elsewhere.events, [EventData::SessionDisconnected(Reason::Conflict)]);
        let detail = elsewhere.view.detail.unwrap();
        assert_eq!(detail.next_try_at, elsewhere.wake_up_at);
        assert!(detail.message.unwrap().contains("open elsewhere"));
        let wait = elsewhere.wake_up_at.unwrap() - world.now;
        assert!((30 * SECOND..=45 * SECOND).contains(&wait), "{wait}");
        assert_eq!(acts(&world.wake()), [Effect::StartEngine]);
        let back = world.engine(EngineEvent::Ready(account()));
        assert_eq!(standing(&back), (Status::Connected, None));
    }
}

#[test]
fn two_hosts_with_one_link_do_not_wait_equally_long() {
    let waits: std::collections::BTreeSet<u64> = (0..50)
        .map(|seed| {
            let mut world = World::online();
            world.seed = seed * 7_919;
            world.engine(EngineEvent::Conflict).wake_up_at.unwrap() - world.now
        })
        .collect();
    assert!(waits.len() > 30, "{waits:?}");
}

/// Two that take it from each other for a day.
#[test]
fn it_is_taken_back_twice_an_hour_at_most_and_then_it_rests() {
    let mut world = World::online();
    for _ in 0..2 {
        world.engine(EngineEvent::Conflict);
        world.wake();
        world.engine(EngineEvent::Ready(account()));
    }
    let third = world.engine(EngineEvent::Conflict);
    assert_eq!(third.effects, [Effect::StopEngine]);
    assert_eq!(standing(&third), (Status::Disconnected, Some(Reason::Conflict)));
    assert_eq!((third.view.linked, third.view.account), (true, Some(account())));
    assert_eq!(third.wake_up_at, None);
    assert!(third.view.detail.unwrap().message.unwrap().contains("then reconnect"));

    // A person may at any time, but that earns no new takeovers.
    done(&world.command(Command::Reconnect));
    world.engine(EngineEvent::Ready(account()));
    assert_eq!(world.engine(EngineEvent::Conflict).view.status, Status::Disconnected);
    // An hour later it may be taken back again.
    world.command(Command::Reconnect);
    world.engine(EngineEvent::Ready(account()));
    world.pass(60 * MINUTE);
    assert_eq!(world.engine(EngineEvent::Conflict).view.status, Status::Connecting);
}

#[test]
fn takeovers_spread_over_a_day_are_all_made() {
    let mut world = World::online();
    for _ in 0..40 {
        world.pass(35 * MINUTE);
        assert_eq!(standing(&world.engine(EngineEvent::Conflict)).0, Status::Connecting);
        world.wake();
        world.engine(EngineEvent::Ready(account()));
        assert!(world.state().takeovers.len() <= 2);
    }
}

#[test]
fn a_person_need_not_wait() {
    let mut world = World::used_elsewhere();
    let now = world.command(Command::Reconnect);
    assert_eq!(acts(&now), [Effect::StartEngine]);
    assert!(world.state().takeovers.is_empty(), "what a person asks for is not counted");
}

#[test]
fn a_restart_of_the_host_hastens_nothing() {
    let mut world = World::used_elsewhere();
    let at = world.wake_up_at();
    let begun = world.pass(10 * SECOND).restart_host();
    assert_eq!((begun.effects, begun.wake_up_at), (Vec::new(), at));
    assert_eq!(begun.view.reason, Some(Reason::Conflict));
    world.wake();
    assert_eq!(world.state().takeovers.len(), 1);
}

#[test]
fn it_is_kept_in_every_stage_of_a_link() {
    for mut world in [World::linking(), World::lost(), World::degraded(), World::link_starts()] {
        let elsewhere = world.engine(EngineEvent::Conflict);
        assert_eq!(elsewhere.effects, [Effect::StopEngine]);
        assert_eq!(standing(&elsewhere), (Status::Connecting, Some(Reason::Conflict)));
        assert!(elsewhere.view.linked);
    }
    let mut pairing = World::qr_ready();
    let ended = pairing.engine(EngineEvent::Conflict);
    assert_eq!(standing(&ended), (Status::Disconnected, Some(Reason::Conflict)));
}

#[test]
fn without_automatic_reconnection_it_rests_at_once() {
    let mut world = World::online();
    let ended = world.reconnects_by_itself(false).engine(EngineEvent::Conflict);
    assert_eq!(standing(&ended), (Status::Disconnected, Some(Reason::Conflict)));
    assert!(ended.view.linked);
}
