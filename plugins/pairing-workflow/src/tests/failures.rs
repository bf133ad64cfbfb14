//! Engines that fail: a pairing gives up after some, a link never does.

use super::world::{SECOND, World, account, acts, crash, failure, init, standing};
use crate::contract::{Command, Effect, EngineEvent, EngineFailureKind, Reason, Status};

#[test]
fn a_pairing_restarts_its_engine_a_few_times_and_then_ends_with_the_reason() {
    let kinds = [
        (EngineFailureKind::LaunchFailed, Reason::EngineCrashed),
        (EngineFailureKind::BrowserExited, Reason::EngineCrashed),
        (EngineFailureKind::PageCrashed, Reason::EngineCrashed),
        (EngineFailureKind::PageChanged, Reason::PageChanged),
        (EngineFailureKind::Deadline, Reason::PageChanged),
        (EngineFailureKind::NavigationFailed, Reason::Other),
        (EngineFailureKind::Other, Reason::Other),
    ];
    for (kind, reason) in kinds {
        let mut world = World::starting();
        for attempt in 1..=3 {
            let failed = world.engine(EngineEvent::Failed(failure(kind)));
            assert_eq!(standing(&failed), (Status::Connecting, Some(Reason::Starting)));
            let detail = failed.view.detail.unwrap();
            assert_eq!((detail.attempt, detail.next_try_at), (Some(attempt), world.wake_up_at()));
            assert_eq!(detail.message.as_deref(), Some("it broke"));
            assert_eq!(failed.effects, []);
            let again = world.wake();
            assert_eq!(again.effects, [Effect::StartEngine]);
            assert_eq!(again.view.detail.unwrap().attempt, Some(attempt));
        }
        let ended = world.engine(EngineEvent::Failed(failure(kind)));
        assert_eq!(standing(&ended), (Status::Disconnected, Some(reason)), "{kind:?}");
        let detail = ended.view.detail.unwrap();
        assert_eq!(detail.message.as_deref(), Some("it broke"));
        assert_eq!(detail.step.as_deref(), Some("loading the page"));
        assert_eq!((ended.effects, ended.wake_up_at), (Vec::new(), None));
    }
}

#[test]
fn the_delays_of_a_pairing_do_not_grow() {
    let mut world = World::starting();
    for _ in 0..3 {
        world.engine(crash());
        assert_eq!(world.wake_up_at(), Some(world.now + 2 * SECOND), "somebody waits for it");
        world.wake();
    }
}

#[test]
fn without_automatic_reconnection_a_link_rests_and_says_so() {
    let mut world = World::online();
    let failed = world.reconnects_by_itself(false).engine(crash());
    assert_eq!(standing(&failed), (Status::Disconnected, Some(Reason::EngineCrashed)));
    assert!(failed.view.linked && failed.view.account.is_some());
    let detail = failed.view.detail.unwrap();
    assert!(detail.message.unwrap().contains("Automatic reconnection is turned off"));
    assert_eq!(detail.step.as_deref(), Some("loading the page"));
    assert_eq!((failed.effects, failed.wake_up_at), (Vec::new(), None));
    // One call is enough.
    assert_eq!(acts(&world.command(Command::Reconnect)), [Effect::StartEngine]);
    assert_eq!(standing(&world.engine(EngineEvent::Ready(account()))), (Status::Connected, None));

    // What the page restores by itself is no reconnection of ours.
    let lost = world.engine(EngineEvent::ConnectionLost);
    assert_eq!(standing(&lost), (Status::Connecting, Some(Reason::Reconnecting)));
    // Nor is a link that is being made.
    let mut world = World::linking();
    assert!(world.reconnects_by_itself(false).engine(crash()).wake_up_at.is_some());
}

#[test]
fn showing_a_code_in_between_does_not_renew_a_pairings_restarts() {
    let mut world = World::starting();
    for _ in 0..3 {
        world.engine(EngineEvent::QrMade(true));
        world.engine(crash());
        world.wake();
    }
    world.engine(EngineEvent::QrMade(true));
    assert_eq!(
        standing(&world.engine(crash())),
        (Status::Disconnected, Some(Reason::EngineCrashed))
    );
}

#[test]
fn a_new_init_has_all_restarts_again() {
    let mut world = World::starting();
    for _ in 0..4 {
        world.engine(crash());
        if world.wake_up_at().is_some() {
            world.wake();
        }
    }
    assert_eq!(world.state().view().reason, Some(Reason::EngineCrashed));
    world.command(init());
    assert_eq!(world.engine(crash()).view.status, Status::Connecting);
}

#[test]
fn a_link_is_tried_for_ever_with_growing_delays() {
    let mut world = World::online();
    let mut delays = Vec::new();
    for attempt in 1..=40 {
        let failed = world.engine(crash());
        assert_eq!(standing(&failed), (Status::Connecting, Some(Reason::Reconnecting)));
        let detail = failed.view.detail.unwrap();
        assert_eq!(detail.attempt, Some(attempt));
        assert_eq!(detail.next_try_at, failed.wake_up_at);
        assert!(failed.view.linked && failed.view.account.is_some());
        delays.push((failed.wake_up_at.unwrap() - world.now) / SECOND);
        assert_eq!(acts(&world.wake()), [Effect::StartEngine]);
    }
    assert_eq!(delays[..10], [2, 4, 8, 16, 32, 64, 128, 256, 512, 600]);
    assert!(delays[10..].iter().all(|delay| *delay == 600));
}

#[test]
fn chance_spreads_the_attempts_of_many_sessions() {
    let tries: std::collections::BTreeSet<u64> = (0..50)
        .map(|seed| {
            let mut world = World::online();
            world.seed = seed * 7_919;
            world.engine(crash()).wake_up_at.unwrap() - world.now
        })
        .collect();
    assert!(tries.len() > 30, "{tries:?}");
    assert!(tries.iter().all(|delay| (SECOND..=2 * SECOND).contains(delay)), "{tries:?}");
}

#[test]
fn attempts_count_anew_once_the_link_is_connected() {
    let mut world = World::online();
    for _ in 0..5 {
        world.engine(crash());
        world.wake();
    }
    let connected = world.engine(EngineEvent::Ready(account()));
    assert_eq!((standing(&connected), connected.view.detail), ((Status::Connected, None), None));
    assert_eq!(world.engine(crash()).view.detail.unwrap().attempt, Some(1));
}

#[test]
fn an_engine_that_stops_by_itself_has_failed() {
    let mut world = World::online();
    assert_eq!(
        standing(&world.engine(EngineEvent::Stopped)),
        (Status::Connecting, Some(Reason::Reconnecting))
    );
    let mut world = World::qr_ready();
    assert_eq!(
        standing(&world.engine(EngineEvent::Stopped)),
        (Status::Connecting, Some(Reason::Starting))
    );
}

#[test]
fn an_engine_that_shows_nothing_in_time_is_stopped_and_tried_again() {
    let mut world = World::starting();
    assert_eq!(world.wake_up_at(), Some(world.now + 90 * SECOND));
    // It waited for its turn; only from its start the time runs.
    world.pass(50 * SECOND).engine(EngineEvent::Started);
    assert_eq!(world.wake_up_at(), Some(world.now + 90 * SECOND));
    let overdue = world.wake();
    assert_eq!(overdue.effects, [Effect::StopEngine]);
    assert_eq!(standing(&overdue), (Status::Connecting, Some(Reason::Starting)));
    for _ in 0..3 {
        assert_eq!(world.wake().effects, [Effect::StartEngine]);
        world.wake();
    }
    let view = world.state().view();
    assert_eq!((view.status, view.reason), (Status::Disconnected, Some(Reason::PageChanged)));
}

#[test]
fn a_link_that_does_not_connect_in_time_is_tried_again() {
    let mut world = World::link_starts();
    let overdue = world.wake();
    assert_eq!(overdue.effects, [Effect::StopEngine]);
    assert_eq!(standing(&overdue), (Status::Connecting, Some(Reason::Reconnecting)));
    assert_eq!(overdue.view.detail.unwrap().attempt, Some(2));
}

#[test]
fn being_woken_too_early_changes_nothing() {
    for (situation, mut world) in World::all() {
        let before = world.state();
        let woken = world.tell(crate::contract::Input::WakeUp);
        assert_eq!((woken.effects, world.state()), (Vec::new(), before), "{situation}");
    }
}

#[test]
fn what_an_ended_engine_still_says_is_not_listened_to() {
    for mut world in
        [World::pairing_waits(), World::link_waits(), World::parked(), World::stopped_linked()]
    {
        for event in [
            EngineEvent::QrMade(true),
            EngineEvent::Ready(account()),
            EngineEvent::LoggedOut(false),
            EngineEvent::Stopped,
            crash(),
        ] {
            let before = world.state();
            assert_eq!(world.engine(event).effects, []);
            assert_eq!(world.state(), before);
        }
    }
}
