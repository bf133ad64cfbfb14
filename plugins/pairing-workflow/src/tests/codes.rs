//! QR codes and pairing codes.

use super::world::{
    OTHER_PHONE, PHONE, SECOND, World, acts, code_for, done, init, refused, replies, standing,
};
use crate::contract::{
    CodeFailure, CodeFailureKind, CodeKind, Command, Effect, EngineEvent, Outcome, Reason,
    RefusalCode, ShownCode, Status,
};

fn qr(sequence: u32, expires_at: u64) -> Option<ShownCode> {
    Some(ShownCode { kind: CodeKind::Qr, sequence, expires_at })
}

#[test]
fn a_rounds_first_qr_code_lives_longer_and_each_is_numbered() {
    let mut world = World::starting();
    let shown = world.engine(EngineEvent::QrMade(true));
    assert_eq!(standing(&shown), (Status::QrReady, None));
    assert_eq!(shown.view.shown, qr(1, world.now + 60 * SECOND));
    world.pass(60 * SECOND);
    let shown = world.engine(EngineEvent::QrMade(false));
    assert_eq!(shown.view.shown, qr(2, world.now + 20 * SECOND));
    assert_eq!(acts(&shown), []);
}

#[test]
fn the_numbers_of_codes_go_on_after_stops_and_restarts() {
    let mut world = World::qr_ready();
    world.restart_host();
    assert_eq!(world.engine(EngineEvent::QrMade(true)).view.shown.unwrap().sequence, 2);
    world.command(Command::Disconnect);
    world.command(init());
    assert_eq!(world.engine(EngineEvent::QrMade(true)).view.shown.unwrap().sequence, 3);
}

#[test]
fn a_round_that_ended_unseen_is_followed_by_another() {
    let mut world = World::qr_ready();
    let renewing = world.engine(EngineEvent::QrExpired);
    assert_eq!(acts(&renewing), [Effect::RefreshQr]);
    assert_eq!(standing(&renewing), (Status::QrReady, None));
    assert_eq!(renewing.view.shown, None);
    assert_eq!(world.engine(EngineEvent::QrMade(true)).view.shown.unwrap().sequence, 2);
}

#[test]
fn after_the_last_unseen_round_the_session_parks_and_the_engine_stops() {
    let mut world = World::starting();
    for round in 1..=4 {
        for code in 0..6 {
            let shown = world.engine(EngineEvent::QrMade(code == 0));
            assert_eq!(shown.view.status, Status::QrReady);
        }
        let ended = world.engine(EngineEvent::QrExpired);
        if round < 4 {
            assert_eq!(acts(&ended), [Effect::RefreshQr]);
        } else {
            assert_eq!(acts(&ended), [Effect::StopEngine]);
            assert_eq!(standing(&ended), (Status::Disconnected, Some(Reason::Parked)));
            assert_eq!(ended.view.shown, None);
            assert_eq!(ended.wake_up_at, None);
        }
    }
}

#[test]
fn a_page_that_reloads_for_ever_and_never_ends_a_round_parks_too() {
    let mut world = World::starting();
    let codes = (1..).find(|_| {
        let shown = world.engine(EngineEvent::QrMade(true));
        shown.view.reason == Some(Reason::Parked)
    });
    assert_eq!(codes, Some(4 * 6 + 1));
}

#[test]
fn one_call_resumes_a_parked_session() {
    for command in [init(), Command::Reconnect, Command::RefreshQr(false)] {
        let mut world = World::parked();
        let resumed = world.command(command);
        assert_eq!(acts(&resumed), [Effect::StartEngine]);
        assert_eq!(standing(&resumed), (Status::Connecting, Some(Reason::Starting)));
        done(&resumed);
        // And has all its rounds again.
        world.engine(EngineEvent::QrMade(true));
        assert_eq!(acts(&world.engine(EngineEvent::QrExpired)), [Effect::RefreshQr]);
    }
}

#[test]
fn who_asks_for_something_is_there_so_rounds_count_anew() {
    for command in [Command::RefreshQr(false), init()] {
        let mut world = World::qr_ready();
        for _ in 0..3 {
            world.engine(EngineEvent::QrExpired);
            world.engine(EngineEvent::QrMade(true));
        }
        done(&world.command(command));
        assert_eq!(acts(&world.engine(EngineEvent::QrExpired)), [Effect::RefreshQr]);
    }
}

#[test]
fn a_pairing_code_is_asked_for_only_while_qr_ready() {
    for (situation, mut world) in World::all() {
        let status = world.state().view().status;
        let linked = world.state().view().linked;
        let asks_already =
            situation == "code asked for" || situation == "unlinking, then pairing by code";
        let answer = world.command(code_for(PHONE, false));
        let asked = acts(&answer).contains(&Effect::RequestPairingCode(PHONE.into()));
        if asks_already {
            continue;
        }
        assert_eq!(asked, status == Status::QrReady, "{situation}");
        if !asked {
            let expected = match situation {
                "logging out"
                | "connecting to log out"
                | "deleting"
                | "refusing a wrong number" => RefusalCode::SessionNotReady,
                _ if linked => RefusalCode::AlreadyLinked,
                _ => RefusalCode::SessionNotReady,
            };
            assert_eq!(refused(&answer), expected, "{situation}");
        }
    }
}

#[test]
fn the_reply_comes_with_the_code_and_the_status_stays() {
    let mut world = World::qr_ready();
    let id = world.next_id();
    let asked = world.command(code_for(PHONE, false));
    assert_eq!(replies(&asked), []);
    assert_eq!(asked.effects, [Effect::RequestPairingCode(PHONE.into())]);
    assert_eq!(standing(&asked), (Status::QrReady, None));
    assert_eq!(asked.view.shown, None, "the page can't serve both");

    let made = world.pass(SECOND).engine(EngineEvent::CodeMade);
    assert_eq!(replies(&made), [(id, Outcome::CodeMade)]);
    assert_eq!(standing(&made), (Status::QrReady, None));
    let code = ShownCode {
        kind: CodeKind::PairingCode,
        sequence: 2,
        expires_at: world.now + 195 * SECOND,
    };
    assert_eq!(made.view.shown, Some(code));
}

#[test]
fn two_who_ask_for_the_same_number_get_the_same_code() {
    let mut world = World::code_asked();
    let second = world.next_id();
    let joined = world.command(code_for(PHONE, false));
    assert_eq!(joined.effects, []);
    let made = world.engine(EngineEvent::CodeMade);
    let ids: Vec<u64> = replies(&made).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [second - 1, second]);
}

#[test]
fn callers_without_number_do_not_pile_up() {
    let mut world = World::code_asked();
    let refusals =
        (0..100).filter(|_| !replies(&world.command(code_for(PHONE, false))).is_empty()).count();
    assert_eq!(refusals, 100 - 15);
    assert!(world.engine(EngineEvent::CodeMade).effects.len() <= 64);
}

#[test]
fn a_code_for_another_number_has_to_wait() {
    let mut world = World::code_asked();
    assert_eq!(refused(&world.command(code_for(OTHER_PHONE, false))), RefusalCode::SessionNotReady);
    // Once the first is there, the next may be asked for.
    world.engine(EngineEvent::CodeMade);
    let next = world.command(code_for(OTHER_PHONE, false));
    assert_eq!(next.effects, [Effect::RequestPairingCode(OTHER_PHONE.into())]);
}

#[test]
fn refreshing_goes_back_from_a_code_to_a_qr_code() {
    let mut world = World::code_shown();
    let refreshed = world.command(Command::RefreshQr(false));
    assert_eq!(acts(&refreshed), [Effect::RefreshQr]);
    assert_eq!(refreshed.view.shown, None);
    assert_eq!(standing(&refreshed), (Status::QrReady, None));
    done(&refreshed);
    let shown = world.engine(EngineEvent::QrMade(true)).view.shown.unwrap();
    assert_eq!((shown.kind, shown.sequence), (CodeKind::Qr, 3));
}

#[test]
fn refreshing_overtakes_a_code_that_is_being_made() {
    let mut world = World::code_asked();
    let (asked, refresh) = (world.next_id() - 1, world.next_id());
    let refreshed = world.command(Command::RefreshQr(false));
    match &replies(&refreshed)[..] {
        [(first, Outcome::Refused(refusal)), (second, Outcome::Done(_))] => {
            assert_eq!((*first, *second), (asked, refresh));
            assert_eq!(refusal.code, RefusalCode::SessionNotReady);
        }
        other => panic!("{other:?}"),
    }
    // The page made it all the same: nobody wants it any more.
    let late = world.engine(EngineEvent::CodeMade);
    assert_eq!((late.view.shown, late.effects), (None, Vec::new()));
}

#[test]
fn a_pairing_code_outlives_the_pages_qr_codes() {
    for mut world in [World::code_asked(), World::code_shown()] {
        let before = world.state();
        assert_eq!(world.engine(EngineEvent::QrExpired).effects, []);
        assert_eq!(world.state(), before);
    }
}

#[test]
fn an_expired_pairing_code_gives_way_to_a_qr_code() {
    let mut world = World::code_shown();
    assert_eq!(world.wake_up_at(), world.state().view().shown.map(|shown| shown.expires_at));
    let expired = world.wake();
    assert_eq!(expired.effects, [Effect::RefreshQr]);
    assert_eq!(expired.view.shown, None);
    assert_eq!(standing(&expired), (Status::QrReady, None));
}

#[test]
fn unused_pairing_codes_park_the_session_too() {
    let mut world = World::qr_ready();
    for _ in 0..3 {
        world.engine(EngineEvent::QrExpired);
        world.engine(EngineEvent::QrMade(true));
    }
    // Asking counts anew; then nobody is seen for four rounds.
    world.command(code_for(PHONE, false));
    world.engine(EngineEvent::CodeMade);
    assert_eq!(world.wake().effects, [Effect::RefreshQr]);
    for _ in 0..2 {
        world.engine(EngineEvent::QrMade(true));
        world.engine(EngineEvent::QrExpired);
    }
    world.engine(EngineEvent::QrMade(true));
    assert_eq!(world.engine(EngineEvent::QrExpired).view.reason, Some(Reason::Parked));
}

#[test]
fn a_qr_code_of_a_page_that_left_code_mode_is_shown() {
    let mut world = World::code_shown();
    let shown = world.engine(EngineEvent::QrMade(true)).view.shown.unwrap();
    assert_eq!(shown.kind, CodeKind::Qr);
}

#[test]
fn whatsapps_refusals_reach_the_caller_typed_and_pairing_goes_on() {
    let kinds = [
        (CodeFailureKind::RateLimited, RefusalCode::RateLimited),
        (CodeFailureKind::PhoneRefused, RefusalCode::PhoneInvalid),
        (CodeFailureKind::Refused, RefusalCode::CodeRefused),
        (CodeFailureKind::Timeout, RefusalCode::CodeTimeout),
        (CodeFailureKind::PasskeyRequired, RefusalCode::PasskeyRequired),
        (CodeFailureKind::Interrupted, RefusalCode::EngineUnavailable),
        (CodeFailureKind::Other, RefusalCode::EngineUnavailable),
    ];
    for (kind, code) in kinds {
        let mut world = World::code_asked();
        let failure = CodeFailure { kind, message: "it said no".into() };
        let failed = world.engine(EngineEvent::CodeFailed(failure));
        assert_eq!(refused(&failed), code, "{kind:?}");
        assert_eq!(standing(&failed), (Status::QrReady, None));
        assert_eq!(world.engine(EngineEvent::QrMade(true)).view.shown.unwrap().kind, CodeKind::Qr);
    }
}

#[test]
fn a_request_that_nobody_answers_ends_in_a_timeout_and_a_qr_code() {
    let mut world = World::code_asked();
    let asked_at = world.now;
    let overdue = world.wake();
    assert_eq!(world.now, asked_at + 60 * SECOND);
    assert_eq!(refused(&overdue), RefusalCode::CodeTimeout);
    assert_eq!(acts(&overdue), [Effect::RefreshQr]);
}

#[test]
fn who_waits_for_a_code_is_told_what_came_between() {
    let cases = [
        (EngineEvent::Authenticated, RefusalCode::SessionNotReady),
        (EngineEvent::PasskeyRequired, RefusalCode::PasskeyRequired),
        (EngineEvent::ClientOutdated, RefusalCode::ClientOutdated),
        (EngineEvent::Banned("x".into()), RefusalCode::SessionNotReady),
        (EngineEvent::Conflict, RefusalCode::SessionNotReady),
        (EngineEvent::LoggedOut(false), RefusalCode::SessionNotReady),
        (EngineEvent::Stopped, RefusalCode::EngineUnavailable),
        (super::world::crash(), RefusalCode::EngineUnavailable),
    ];
    for (event, code) in cases {
        let mut world = World::code_asked();
        let name = format!("{event:?}");
        assert_eq!(refused(&world.engine(event)), code, "{name}");
    }
}

#[test]
fn a_page_that_stops_making_codes_is_restarted() {
    let mut world = World::qr_ready();
    let shown = world.state().view().shown.unwrap();
    assert_eq!(world.wake_up_at(), Some(shown.expires_at + 90 * SECOND));
    let stuck = world.wake();
    assert_eq!(acts(&stuck), [Effect::StopEngine]);
    assert_eq!(stuck.view.status, Status::Connecting);
    assert_eq!(acts(&world.wake()), [Effect::StartEngine]);
}
