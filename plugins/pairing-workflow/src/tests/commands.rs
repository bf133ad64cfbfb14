//! What callers are told, and what they can't do by mistake.

use super::world::{
    OTHER_PHONE, PHONE, World, account, acts, code_for, done, init, init_expecting, refused,
    standing,
};
use crate::{
    contract::{Command, Effect, EngineEvent, EventData, Reason, RefusalCode, Status},
    state::{Phase, State},
};

/// Situations in which a link could be lost, but is not being given up.
const LINKED: &[&str] = &[
    "linking",
    "online",
    "degraded",
    "connection lost",
    "link waits to retry",
    "link starts again",
    "used elsewhere",
    "stopped, linked",
];

#[test]
fn the_first_init_starts_the_engine() {
    let mut world = World::new();
    let begun = world.command(init());
    assert_eq!(acts(&begun), [Effect::StartEngine]);
    assert_eq!(standing(&begun), (Status::Connecting, Some(Reason::Starting)));
    assert_eq!(begun.view.detail, None);
    assert!(!begun.view.linked);
    assert!(done(&begun).contains("starting"));
}

#[test]
fn init_of_a_session_that_runs_is_done_and_says_so() {
    for (situation, word) in [
        ("starting", "already"),
        ("QR shown", "already"),
        ("linking", "already"),
        ("online", "linked and connected already"),
        ("degraded", "already"),
        ("connection lost", "linked"),
        ("link starts again", "linked"),
    ] {
        let (_, mut world) = World::all().into_iter().find(|(name, _)| *name == situation).unwrap();
        let phase = std::mem::discriminant(&world.state().phase);
        let again = world.command(init());
        assert_eq!(acts(&again), [], "{situation}");
        assert!(done(&again).contains(word), "{situation}: {}", done(&again));
        assert_eq!(std::mem::discriminant(&world.state().phase), phase, "{situation}");
    }
}

#[test]
fn init_of_a_linked_session_at_rest_connects_it() {
    let mut world = World::stopped_linked();
    let begun = world.command(init());
    assert_eq!(acts(&begun), [Effect::StartEngine]);
    assert_eq!(standing(&begun), (Status::Connecting, Some(Reason::Starting)));
    assert!(begun.view.linked && begun.view.account.is_some());
    assert!(done(&begun).contains("linked"));
}

#[test]
fn nothing_endangers_a_link_unless_it_is_confirmed() {
    for (situation, world) in World::all().into_iter().filter(|(name, _)| LINKED.contains(name)) {
        for command in [
            code_for(PHONE, false),
            Command::RefreshQr(false),
            Command::Logout(false),
            Command::Delete(false),
        ] {
            let mut world = world.clone();
            let (name, before) = (format!("{situation}: {command:?}"), world.state());
            let answer = world.command(command);
            assert_eq!(refused(&answer), RefusalCode::AlreadyLinked, "{name}");
            assert_eq!(acts(&answer), [], "{name}");
            assert_eq!(world.state(), before, "{name}");
        }
    }
}

#[test]
fn confirmed_commands_give_the_link_up_in_order() {
    for (situation, world) in World::all().into_iter().filter(|(name, _)| LINKED.contains(name)) {
        for command in [
            code_for(PHONE, true),
            Command::RefreshQr(true),
            Command::Logout(true),
            Command::Delete(true),
        ] {
            let mut world = world.clone();
            let name = format!("{situation}: {command:?}");
            let answer = world.command(command);
            assert!(
                !acts(&answer).contains(&Effect::WipeProfile),
                "{name}: not before the server knows"
            );
            assert!(answer.view.linked, "{name}");
            assert!(matches!(world.state().phase, Phase::Unlinking(_)), "{name}");
        }
    }
}

#[test]
fn another_expected_number_needs_a_confirmation_on_a_linked_session() {
    let mut world = World::online();
    assert_eq!(
        refused(&world.command(init_expecting(OTHER_PHONE, false))),
        RefusalCode::AlreadyLinked
    );
    assert!(done(&world.command(init_expecting(PHONE, false))).contains("already"));
    let confirmed = world.command(init_expecting(OTHER_PHONE, true));
    assert_eq!(acts(&confirmed), [Effect::LogOut]);
    done(&confirmed);
    assert_eq!(confirmed.view.expected_phone_number.as_deref(), Some(OTHER_PHONE));
}

#[test]
fn a_link_that_is_being_made_is_not_endangered_by_another_expectation() {
    for confirm in [false, true] {
        let mut world = World::linking();
        let answer = world.command(init_expecting(OTHER_PHONE, confirm));
        assert!(done(&answer).contains("already"));
        let ready = world.engine(EngineEvent::Ready(account()));
        assert_eq!(standing(&ready), (Status::Connected, None));
    }
}

#[test]
fn an_expected_number_is_remembered_until_the_next_beginning() {
    let mut world = World::new();
    let begun = world.command(init_expecting(PHONE, false));
    assert_eq!(begun.view.expected_phone_number.as_deref(), Some(PHONE));
    let again = world.command(init());
    assert_eq!(again.view.expected_phone_number.as_deref(), Some(PHONE), "it still runs");
    world.command(Command::Disconnect);
    assert_eq!(world.command(init()).view.expected_phone_number, None, "this begins anew");
}

#[test]
fn disconnecting_keeps_the_link_and_stops_the_engine() {
    for mut world in [World::online(), World::lost(), World::link_waits(), World::linking()] {
        let stopped = world.command(Command::Disconnect);
        assert_eq!(acts(&stopped), [Effect::StopEngine]);
        assert_eq!(standing(&stopped), (Status::Disconnected, Some(Reason::Stopped)));
        assert!(stopped.view.linked);
        done(&stopped);
        assert_eq!(stopped.wake_up_at, None, "nothing starts it again by itself");
    }
}

#[test]
fn disconnecting_ends_pairing() {
    for mut world in
        [World::starting(), World::qr_ready(), World::code_shown(), World::pairing_waits()]
    {
        let stopped = world.command(Command::Disconnect);
        assert_eq!(acts(&stopped), [Effect::StopEngine]);
        assert_eq!(standing(&stopped), (Status::Disconnected, Some(Reason::Stopped)));
        assert!(!stopped.view.linked);
        assert_eq!(stopped.view.shown, None);
    }
}

#[test]
fn disconnecting_what_rests_changes_nothing() {
    let mut world = World::parked();
    let again = world.command(Command::Disconnect);
    done(&again);
    assert_eq!(standing(&again), (Status::Disconnected, Some(Reason::Parked)));
}

#[test]
fn reconnecting_starts_what_rests_or_waits() {
    for mut world in
        [World::stopped_linked(), World::link_waits(), World::parked(), World::pairing_waits()]
    {
        let begun = world.command(Command::Reconnect);
        assert_eq!(acts(&begun), [Effect::StartEngine]);
        assert_eq!(begun.view.status, Status::Connecting);
        assert_eq!(begun.view.detail, None, "attempts count anew");
        done(&begun);
    }
}

#[test]
fn reconnecting_restarts_a_page_that_does_not_heal_itself() {
    for mut world in [World::degraded(), World::lost()] {
        assert_eq!(acts(&world.command(Command::Reconnect)), [Effect::StartEngine]);
    }
    let mut world = World::online();
    let again = world.command(Command::Reconnect);
    assert_eq!(acts(&again), []);
    assert!(done(&again).contains("already"));
}

#[test]
fn logging_out_without_a_link_is_done_and_changes_nothing() {
    for mut world in [World::parked(), World::qr_ready(), World::code_shown()] {
        let before = world.state();
        let answer = world.command(Command::Logout(false));
        assert!(done(&answer).contains("nothing to log out"));
        assert_eq!((acts(&answer), world.state()), (Vec::new(), before));
    }
}

#[test]
fn a_session_without_a_link_is_removed_at_once() {
    for mut world in [World::new(), World::starting(), World::qr_ready(), World::parked()] {
        let removed = world.command(Command::Delete(false));
        done(&removed);
        assert_eq!(removed.effects.last(), Some(&Effect::DeleteSession));
        assert_eq!(removed.events.last(), Some(&EventData::SessionDeleted));
        assert!(!removed.view.linked);
    }
}

#[test]
fn while_a_link_is_given_up_other_commands_are_refused() {
    for world in [World::logging_out(), World::connecting_to_log_out(), World::refusing_number()] {
        for command in [
            init(),
            init_expecting(OTHER_PHONE, true),
            code_for(PHONE, true),
            Command::RefreshQr(true),
            Command::Disconnect,
            Command::Reconnect,
        ] {
            let mut world = world.clone();
            let (name, before) = (format!("{command:?}"), world.state());
            assert_eq!(refused(&world.command(command)), RefusalCode::SessionNotReady, "{name}");
            assert_eq!(world.state(), before, "{name}");
        }
    }
}

#[test]
fn a_new_session_says_that_it_was_never_started() {
    let view = State::new().view();
    assert_eq!((view.status, view.reason), (Status::Disconnected, Some(Reason::NotStarted)));
    let mut world = World::new();
    assert_eq!(
        standing(&world.engine(EngineEvent::Started)),
        (Status::Disconnected, Some(Reason::NotStarted))
    );
}
