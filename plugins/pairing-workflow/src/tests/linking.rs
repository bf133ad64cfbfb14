//! From the scan to a link, and a link's life.

use super::world::{
    OTHER_PHONE, PHONE, SECOND, World, account, acts, crash, init, init_expecting, standing,
};
use crate::{
    contract::{Account, Command, Effect, EngineEvent, EventData, Reason, Status},
    state::Phase,
};

#[test]
fn a_scan_is_authenticated_then_loads_then_is_connected() {
    let mut world = World::qr_ready();
    let scanned = world.engine(EngineEvent::Authenticated);
    assert_eq!(standing(&scanned), (Status::Authenticated, None));
    assert_eq!((scanned.view.shown, scanned.view.linked), (None, true));
    let loading = world.engine(EngineEvent::Loading(30));
    assert_eq!(standing(&loading), (Status::Authenticated, Some(Reason::Loading)));
    assert_eq!(loading.view.detail.unwrap().percent, Some(30));
    let ready = world.engine(EngineEvent::Ready(account()));
    assert_eq!(standing(&ready), (Status::Connected, None));
    assert_eq!((ready.view.account, ready.view.detail), (Some(account()), None));
    assert_eq!(ready.effects, []);
    assert_eq!(ready.wake_up_at, None);
}

#[test]
fn a_session_may_be_ready_at_once() {
    let mut world = World::starting();
    assert_eq!(standing(&world.engine(EngineEvent::Ready(account()))), (Status::Connected, None));
}

#[test]
fn a_page_that_falls_back_to_a_qr_code_while_linking_shows_it() {
    let mut world = World::linking();
    let shown = world.engine(EngineEvent::QrMade(true));
    assert_eq!(standing(&shown), (Status::QrReady, None));
    assert_eq!(shown.view.shown.unwrap().sequence, 2);
    assert!(!shown.view.linked);
    assert_eq!(shown.effects, []);

    let mut world = World::linking();
    let idle = world.engine(EngineEvent::QrExpired);
    assert_eq!((standing(&idle).0, acts(&idle)), (Status::QrReady, vec![Effect::RefreshQr]));
}

#[test]
fn a_crash_while_linking_keeps_the_link_that_may_be_there() {
    let mut world = World::linking();
    let crashed = world.engine(crash());
    assert_eq!(standing(&crashed), (Status::Connecting, Some(Reason::Reconnecting)));
    assert!(crashed.view.linked);
    assert_eq!(acts(&world.wake()), [Effect::StartEngine]);
    // The phone had not finished, so the page offers to be linked.
    let mut unfinished = world.clone();
    assert_eq!(standing(&unfinished.engine(EngineEvent::QrMade(true))), (Status::QrReady, None));
    // It had.
    world.engine(EngineEvent::Authenticated);
    assert_eq!(standing(&world.engine(EngineEvent::Ready(account()))), (Status::Connected, None));
}

#[test]
fn synchronising_has_a_deadline_that_progress_moves() {
    let mut world = World::linking();
    assert_eq!(world.wake_up_at(), Some(world.now + 180 * SECOND));
    world.pass(100 * SECOND).engine(EngineEvent::Loading(10));
    assert_eq!(world.wake_up_at(), Some(world.now + 180 * SECOND));
    let overdue = world.wake();
    assert_eq!(acts(&overdue), [Effect::StopEngine]);
    assert_eq!(standing(&overdue), (Status::Connecting, Some(Reason::Reconnecting)));
    assert!(overdue.view.linked);
}

#[test]
fn progress_is_told_in_steps() {
    let mut world = World::linking();
    let told: Vec<u8> = (0..=100)
        .filter(|percent| !world.engine(EngineEvent::Loading(*percent)).events.is_empty())
        .collect();
    assert_eq!(told.len(), 21);
    assert_eq!((told[0], told[1], told[20]), (0, 5, 100));
    let beyond = world.engine(EngineEvent::Loading(200));
    assert_eq!(beyond.view.detail.unwrap().percent, Some(100));
}

#[test]
fn a_wrong_number_is_logged_out_and_reported() {
    let mut world = World::new();
    world.command(init_expecting(OTHER_PHONE, false));
    world.engine(EngineEvent::QrMade(true));
    world.engine(EngineEvent::Authenticated);
    let refusing = world.engine(EngineEvent::Ready(account()));
    assert_eq!(refusing.effects, [Effect::LogOut]);
    assert_eq!(standing(&refusing), (Status::Authenticated, Some(Reason::Other)));
    assert_eq!(refusing.view.account, None);
    let [EventData::Other(alert)] = &refusing.events[..] else { panic!("{:?}", refusing.events) };
    let field = |name: &str| {
        let field = alert.fields.iter().find(|(key, _)| key == name);
        field.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    assert_eq!((alert.kind.as_str(), field("code")), ("alert", "wrong_number"));
    assert_eq!((field("expected"), field("linked")), ("78", "01"));
    assert!(field("message").contains("being unlinked"));

    let gone = world.engine(EngineEvent::LoggedOut(true));
    assert_eq!(acts(&gone), [Effect::StopEngine, Effect::WipeProfile]);
    assert_eq!(standing(&gone), (Status::Disconnected, Some(Reason::Other)));
    let message = gone.view.detail.unwrap().message.unwrap();
    assert!(message.contains("…01") && message.contains("…78"), "{message}");
    assert!(!message.contains(PHONE) && !message.contains(OTHER_PHONE), "{message}");
    assert!(!gone.view.linked);
}

#[test]
fn a_wrong_number_that_can_not_be_logged_out_now_is_logged_out_later() {
    let mut world = World::refusing_number();
    let mut delays = Vec::new();
    for _ in 0..30 {
        let failed = world.engine(crash());
        assert_eq!((failed.view.linked, failed.view.account), (true, None), "not in use, not lost");
        delays.push((failed.wake_up_at.unwrap() - world.now) / SECOND);
        assert_eq!(acts(&world.wake()), [Effect::StartEngine]);
        let again = world.engine(EngineEvent::Ready(account()));
        assert_eq!(again.effects, [Effect::LogOut]);
        assert_eq!(again.events, [], "it is reported once");
    }
    assert_eq!(delays[..10], [2, 4, 8, 16, 32, 64, 128, 256, 512, 600]);
    assert!(delays[10..].iter().all(|delay| *delay == 600));
    let gone = world.engine(EngineEvent::LoggedOut(true));
    assert_eq!(standing(&gone), (Status::Disconnected, Some(Reason::Other)));
    assert_eq!(world.state().wrong, None);
}

#[test]
fn a_wrong_number_is_unlinked_whatever_comes_between() {
    type Between = fn(&mut World);
    let between: [(&str, Between); 5] = [
        ("the host starts anew", |world| {
            world.restart_host();
        }),
        ("nothing is reconnected by itself", |world| {
            world.reconnects_by_itself(false);
            world.engine(crash());
            world.wake();
        }),
        ("it is used elsewhere", |world| {
            for _ in 0..5 {
                world.engine(EngineEvent::Conflict);
                world.wake();
            }
        }),
        ("somebody stops it and starts it again", |world| {
            world.engine(crash());
            world.command(Command::Disconnect);
            world.command(Command::Reconnect);
        }),
        ("whatsapp says no, and somebody tries again", |world| {
            world.engine(EngineEvent::Banned("x".into()));
            world.command(init());
        }),
    ];
    for (name, between) in between {
        let mut world = World::refusing_number();
        between(&mut world);
        let ready = world.engine(EngineEvent::Ready(account()));
        assert_eq!(ready.effects, [Effect::LogOut], "{name}");
        assert_ne!(ready.view.status, Status::Connected, "{name}");
    }
}

#[test]
fn a_wrong_number_that_the_phone_itself_removed_is_gone() {
    let mut world = World::refusing_number();
    world.engine(crash());
    world.wake();
    let gone = world.engine(EngineEvent::QrMade(true));
    assert_eq!(acts(&gone), [Effect::StopEngine]);
    assert_eq!(
        (standing(&gone), gone.view.linked),
        ((Status::Disconnected, Some(Reason::Other)), false)
    );
    // The next phone gets its chance.
    world.command(init());
    assert_eq!(standing(&world.engine(EngineEvent::QrMade(true))), (Status::QrReady, None));
}

#[test]
fn old_and_new_forms_of_a_number_are_the_same_phone() {
    for (expected, linked) in [
        ("5511999990001", "551199990001"),
        ("551199990001", "5511999990001"),
        ("525512345678", "5215512345678"),
        ("541123456789", "5491123456789"),
    ] {
        let mut world = World::new();
        world.command(init_expecting(expected, false));
        world.engine(EngineEvent::QrMade(true));
        let account = Account { phone_number: linked.into(), name: None };
        let ready = world.engine(EngineEvent::Ready(account));
        assert_eq!(standing(&ready), (Status::Connected, None), "{expected} {linked}");
    }
}

#[test]
fn a_lost_connection_is_waited_for_without_an_end() {
    let mut world = World::online();
    let lost = world.engine(EngineEvent::ConnectionLost);
    assert_eq!(standing(&lost), (Status::Connecting, Some(Reason::Reconnecting)));
    assert_eq!(lost.view.account, Some(account()));
    assert_eq!((lost.effects, lost.wake_up_at), (Vec::new(), None));
    let back = world.pass(24 * 3600 * SECOND).engine(EngineEvent::Ready(account()));
    assert_eq!(standing(&back), (Status::Connected, None));
}

#[test]
fn a_link_that_does_not_answer_is_degraded_until_it_does() {
    let mut world = World::online();
    let silent = world.engine(EngineEvent::Probe(false));
    assert_eq!(standing(&silent), (Status::Connected, Some(Reason::Degraded)));
    assert_eq!((silent.effects, silent.events), (Vec::new(), Vec::new()));
    assert_eq!(standing(&world.engine(EngineEvent::Probe(true))), (Status::Connected, None));
}

#[test]
fn an_account_that_changes_its_name_is_shown_with_it() {
    let mut world = World::online();
    let renamed = Account { name: Some("Ana Maria".into()), ..account() };
    let told = world.engine(EngineEvent::Ready(renamed.clone()));
    assert_eq!(told.view.account, Some(renamed));
    assert_eq!(told.events, [], "it was connected before");
}

#[test]
fn an_unlinked_phone_ends_the_session_and_its_profile() {
    for mut world in
        [World::online(), World::lost(), World::degraded(), World::link_starts(), World::linking()]
    {
        let gone = world.engine(EngineEvent::LoggedOut(false));
        assert_eq!(acts(&gone), [Effect::StopEngine, Effect::WipeProfile]);
        assert_eq!(standing(&gone), (Status::Disconnected, Some(Reason::UnlinkedFromPhone)));
        assert_eq!((gone.view.account, gone.view.linked), (None, false));
        assert_eq!(gone.wake_up_at, None);
    }
}

#[test]
fn a_known_link_whose_page_offers_a_code_is_gone_but_its_profile_is_kept() {
    for event in [EngineEvent::QrMade(true), EngineEvent::QrExpired] {
        for mut world in [World::link_starts(), World::online(), World::lost()] {
            let gone = world.engine(event.clone());
            assert_eq!(acts(&gone), [Effect::StopEngine]);
            assert_eq!(standing(&gone), (Status::Disconnected, Some(Reason::UnlinkedFromPhone)));
            assert_eq!((gone.view.account, gone.view.linked, gone.view.shown), (None, false, None));
        }
    }
}

#[test]
fn what_whatsapp_refuses_stops_the_engine_and_keeps_the_link() {
    let ends = [
        (EngineEvent::ClientOutdated, Reason::ClientOutdated),
        (EngineEvent::Banned("TOS_BLOCK".into()), Reason::Banned),
        (EngineEvent::PasskeyRequired, Reason::PasskeyRequired),
    ];
    for (event, reason) in ends {
        for (mut world, linked) in [
            (World::qr_ready(), false),
            (World::linking(), true),
            (World::online(), true),
            (World::lost(), true),
            (World::link_starts(), true),
        ] {
            let account_before = world.state().account;
            let ended = world.engine(event.clone());
            assert_eq!(ended.effects, [Effect::StopEngine], "{reason:?}");
            assert_eq!(standing(&ended), (Status::Disconnected, Some(reason)));
            assert_eq!((ended.view.linked, ended.view.account.clone()), (linked, account_before));
            assert!(ended.view.detail.unwrap().message.unwrap().ends_with('.'));
            assert_eq!(ended.wake_up_at, None);
        }
    }
}

#[test]
fn a_link_of_old_that_synchronises_is_not_linked_anew() {
    let mut world = World::link_starts();
    let again = world.engine(EngineEvent::Authenticated);
    assert_eq!(again.view.status, Status::Connecting);
    assert!(matches!(world.state().phase, Phase::Linked(_)));
    assert_eq!(world.wake_up_at(), Some(world.now + 180 * SECOND));
}
