//! Giving up a link: the server first, then the profile.

use super::world::{PHONE, SECOND, World, account, acts, crash, done, refused, replies, standing};
use crate::contract::{
    Command, Effect, EngineEvent, EventData, Outcome, Reason, RefusalCode, Status,
};

#[test]
fn logging_out_waits_for_the_page_and_then_wipes_the_profile() {
    let mut world = World::online();
    let id = world.next_id();
    let asked = world.command(Command::Logout(true));
    assert_eq!(asked.effects, [Effect::LogOut], "the reply comes later");
    assert_eq!((asked.view.status, asked.view.linked), (Status::Connected, true));

    let gone = world.engine(EngineEvent::LoggedOut(true));
    assert_eq!(acts(&gone), [Effect::StopEngine, Effect::WipeProfile]);
    assert_eq!(replies(&gone)[0].0, id);
    done(&gone);
    assert_eq!(standing(&gone), (Status::Disconnected, Some(Reason::LoggedOut)));
    assert_eq!((gone.view.account, gone.view.linked), (None, false));
}

#[test]
fn the_phone_may_be_faster() {
    let mut world = World::logging_out();
    let gone = world.engine(EngineEvent::LoggedOut(false));
    done(&gone);
    assert_eq!(standing(&gone), (Status::Disconnected, Some(Reason::LoggedOut)));
}

#[test]
fn what_is_not_connected_is_connected_first() {
    for (mut world, first) in [
        (World::stopped_linked(), vec![Effect::StartEngine]),
        (World::link_waits(), vec![Effect::StartEngine]),
        (World::link_starts(), vec![]),
        (World::lost(), vec![]),
        (World::linking(), vec![]),
    ] {
        let begun = world.command(Command::Logout(true));
        assert_eq!(begun.effects, first);
        assert_eq!(begun.view.status, Status::Connecting);
        assert_eq!(world.engine(EngineEvent::Authenticated).effects, []);
        assert_eq!(world.engine(EngineEvent::Ready(account())).effects, [Effect::LogOut]);
        done(&world.engine(EngineEvent::LoggedOut(true)));
    }
}

#[test]
fn a_page_that_offers_a_code_is_linked_no_more() {
    for event in [EngineEvent::QrMade(true), EngineEvent::QrExpired] {
        let mut world = World::connecting_to_log_out();
        let gone = world.engine(event);
        done(&gone);
        assert_eq!(standing(&gone), (Status::Disconnected, Some(Reason::LoggedOut)));
    }
}

#[test]
fn a_logout_that_fails_keeps_the_link_and_the_profile() {
    let mut world = World::logging_out();
    let failed = world.engine(crash());
    assert_eq!(refused(&failed), RefusalCode::EngineUnavailable);
    assert_eq!(acts(&failed), []);
    assert_eq!(standing(&failed), (Status::Connecting, Some(Reason::Reconnecting)));
    assert!(failed.view.linked && failed.view.account.is_some());
    assert_eq!(acts(&world.wake()), [Effect::StartEngine], "it connects again");
}

#[test]
fn a_session_at_rest_that_can_not_be_logged_out_rests_again() {
    let mut world = World::connecting_to_log_out();
    let failed = world.engine(crash());
    assert_eq!(refused(&failed), RefusalCode::EngineUnavailable);
    assert_eq!(standing(&failed), (Status::Disconnected, Some(Reason::Stopped)));
    assert!(failed.view.linked && failed.view.detail.is_some());
    assert_eq!(failed.wake_up_at, None);
}

#[test]
fn a_page_that_does_not_confirm_in_time_is_given_up() {
    let mut world = World::logging_out();
    let asked_at = world.now;
    let overdue = world.wake();
    assert_eq!(world.now, asked_at + 25 * SECOND);
    assert_eq!(refused(&overdue), RefusalCode::EngineUnavailable);
    assert_eq!(acts(&overdue), [Effect::StopEngine]);
    assert!(overdue.view.linked);
}

#[test]
fn whatsapps_refusal_ends_a_logout_and_keeps_the_link() {
    for (event, reason) in [
        (EngineEvent::Conflict, Reason::Conflict),
        (EngineEvent::ClientOutdated, Reason::ClientOutdated),
        (EngineEvent::Banned("x".into()), Reason::Banned),
        (EngineEvent::PasskeyRequired, Reason::PasskeyRequired),
    ] {
        let mut world = World::logging_out();
        let ended = world.engine(event);
        assert_eq!(refused(&ended), RefusalCode::EngineUnavailable);
        assert_eq!(acts(&ended), [Effect::StopEngine]);
        assert_eq!(standing(&ended), (Status::Disconnected, Some(reason)));
        assert!(ended.view.linked);
    }
}

#[test]
fn several_who_log_out_are_all_answered() {
    let mut world = World::logging_out();
    let second = world.next_id();
    assert_eq!(world.command(Command::Logout(true)).effects, []);
    let third = world.next_id();
    assert_eq!(world.command(Command::Delete(true)).effects, []);
    let gone = world.engine(EngineEvent::LoggedOut(true));
    let ids: Vec<u64> = replies(&gone).iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, [second - 1, second, third]);
    assert_eq!(gone.effects.last(), Some(&Effect::DeleteSession), "the last wish was to remove it");
}

#[test]
fn a_linked_session_is_unlinked_before_it_is_removed() {
    let mut world = World::online();
    assert_eq!(world.command(Command::Delete(true)).effects, [Effect::LogOut]);
    let gone = world.engine(EngineEvent::LoggedOut(true));
    done(&gone);
    assert_eq!(acts(&gone), [Effect::DeleteSession]);
    assert_eq!(gone.events.last(), Some(&EventData::SessionDeleted));
    assert!(!gone.view.linked);
}

#[test]
fn a_session_that_can_not_be_unlinked_is_removed_within_a_minute_and_the_caller_is_told() {
    let mut world = World::stopped_linked();
    let asked_at = world.now;
    world.command(Command::Delete(true));
    // It connects at the last moment, and never confirms.
    world.pass(29 * SECOND).engine(EngineEvent::Ready(account()));
    let removed = world.wake();
    assert!(world.now - asked_at <= 60 * SECOND);
    assert!(done(&removed).contains("remove the device there"));
    assert_eq!(removed.effects.last(), Some(&Effect::DeleteSession));

    for event in
        [crash(), EngineEvent::Conflict, EngineEvent::Banned("x".into()), EngineEvent::Stopped]
    {
        let mut world = World::deleting();
        let removed = world.engine(event);
        assert!(done(&removed).contains("remove the device there"));
        assert_eq!(removed.effects.last(), Some(&Effect::DeleteSession));
    }
}

#[test]
fn a_confirmed_qr_refresh_unlinks_and_pairs_anew() {
    let mut world = World::online();
    let begun = world.command(Command::RefreshQr(true));
    assert_eq!(acts(&begun), [Effect::LogOut]);
    done(&begun);
    let gone = world.engine(EngineEvent::LoggedOut(true));
    assert_eq!(gone.effects, [Effect::StopEngine, Effect::WipeProfile, Effect::StartEngine]);
    assert_eq!(standing(&gone), (Status::Connecting, Some(Reason::Starting)));
    assert!(!gone.view.linked);
    assert_eq!(standing(&world.engine(EngineEvent::QrMade(true))), (Status::QrReady, None));
}

#[test]
fn a_confirmed_code_request_unlinks_and_asks_once_the_page_is_ready() {
    let mut world = World::unlinking_to_pair();
    let id = world.next_id() - 1;
    let gone = world.engine(EngineEvent::LoggedOut(true));
    assert_eq!(gone.effects, [Effect::StopEngine, Effect::WipeProfile, Effect::StartEngine]);
    let ready = world.engine(EngineEvent::QrMade(true));
    assert_eq!(ready.effects, [Effect::RequestPairingCode(PHONE.into())]);
    assert_eq!((ready.view.status, ready.view.shown), (Status::QrReady, None));
    assert_eq!(replies(&world.engine(EngineEvent::CodeMade)), [(id, Outcome::CodeMade)]);
}

#[test]
fn a_code_request_whose_unlinking_fails_is_refused() {
    let mut world = World::unlinking_to_pair();
    assert_eq!(refused(&world.engine(crash())), RefusalCode::EngineUnavailable);
}
