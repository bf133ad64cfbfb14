//! The whole table: every situation with every input. Each line says where the
//! session then stands, what is done, what is told, and when it wakes up.
//!
//! It is a picture to be read in review; the rules themselves are asserted beside
//! it, each in a story of its own.

use std::fmt::{Debug, Write as _};

use super::world::{OTHER_PHONE, PHONE, World, account, code_for, failure, init, init_expecting};
use crate::contract::{
    Account, CodeFailure, CodeFailureKind, CodeKind, Command, Effect, EngineEvent,
    EngineFailureKind, EventData, Outcome, Transition,
};

enum Told {
    Command(Command),
    Engine(EngineEvent),
    WakeUp,
    HostStarted,
}

/// Every input, with its name.
fn inputs() -> Vec<(&'static str, Told)> {
    use Told::{Command as C, Engine as E};
    let code_failure =
        |kind| E(EngineEvent::CodeFailed(CodeFailure { kind, message: "it said no".into() }));
    let failed = |kind| E(EngineEvent::Failed(failure(kind)));
    let other = Account { phone_number: OTHER_PHONE.into(), name: None };
    vec![
        ("host-started", Told::HostStarted),
        ("wake-up", Told::WakeUp),
        ("init", C(init())),
        ("init, another number", C(init_expecting(OTHER_PHONE, false))),
        ("init, another number, confirmed", C(init_expecting(OTHER_PHONE, true))),
        ("request-pairing-code", C(code_for(PHONE, false))),
        ("request-pairing-code, confirmed", C(code_for(PHONE, true))),
        ("refresh-qr", C(Command::RefreshQr(false))),
        ("refresh-qr, confirmed", C(Command::RefreshQr(true))),
        ("disconnect", C(Command::Disconnect)),
        ("reconnect", C(Command::Reconnect)),
        ("logout", C(Command::Logout(false))),
        ("logout, confirmed", C(Command::Logout(true))),
        ("delete", C(Command::Delete(false))),
        ("delete, confirmed", C(Command::Delete(true))),
        ("started", E(EngineEvent::Started)),
        ("loading 42", E(EngineEvent::Loading(42))),
        ("qr-made, first", E(EngineEvent::QrMade(true))),
        ("qr-made, next", E(EngineEvent::QrMade(false))),
        ("qr-expired", E(EngineEvent::QrExpired)),
        ("code-made", E(EngineEvent::CodeMade)),
        ("code-failed, rate", code_failure(CodeFailureKind::RateLimited)),
        ("code-failed, interrupted", code_failure(CodeFailureKind::Interrupted)),
        ("authenticated", E(EngineEvent::Authenticated)),
        ("ready", E(EngineEvent::Ready(account()))),
        ("ready, another number", E(EngineEvent::Ready(other))),
        ("connection-lost", E(EngineEvent::ConnectionLost)),
        ("logged-out by the phone", E(EngineEvent::LoggedOut(false))),
        ("logged-out by us", E(EngineEvent::LoggedOut(true))),
        ("conflict", E(EngineEvent::Conflict)),
        ("client-outdated", E(EngineEvent::ClientOutdated)),
        ("banned", E(EngineEvent::Banned("TOS_BLOCK".into()))),
        ("passkey-required", E(EngineEvent::PasskeyRequired)),
        ("probe failed", E(EngineEvent::Probe(false))),
        ("probe answered", E(EngineEvent::Probe(true))),
        ("stopped", E(EngineEvent::Stopped)),
        ("failed, browser", failed(EngineFailureKind::BrowserExited)),
        ("failed, page", failed(EngineFailureKind::PageChanged)),
    ]
}

fn tell(world: &mut World, told: Told) -> Transition {
    match told {
        Told::Command(command) => world.command(command),
        Told::Engine(event) => world.engine(event),
        // Whoever does not want to be woken is woken all the same.
        Told::WakeUp if world.wake_up_at().is_none() => {
            world.pass(1);
            world.tell(crate::contract::Input::WakeUp)
        }
        Told::WakeUp => world.wake(),
        Told::HostStarted => world.restart_host(),
    }
}

#[test]
fn every_situation_with_every_input() {
    let mut table = String::new();
    for (situation, world) in World::all() {
        let standing = world.state().view();
        writeln!(table, "{situation}: {}", word(standing.status)).unwrap();
        let mut without_effect = Vec::new();
        for (name, told) in inputs() {
            let mut world = world.clone();
            let before = (world.state(), world.wake_up_at());
            let transition = tell(&mut world, told);
            let is_unmoved = before == (world.state(), world.wake_up_at());
            if is_unmoved && transition.effects.is_empty() && transition.events.is_empty() {
                without_effect.push(name);
                continue;
            }
            writeln!(table, "    {name:<32} {}", line(&transition, is_unmoved, world.now)).unwrap();
        }
        writeln!(table, "    nothing: {}\n", without_effect.join(", ")).unwrap();
    }
    insta::assert_snapshot!(table);
}

fn line(transition: &Transition, is_unmoved: bool, now: u64) -> String {
    let view = &transition.view;
    let mut line = match view.reason {
        _ if is_unmoved => "(stays)".to_owned(),
        Some(reason) => format!("{}/{}", word(view.status), word(reason)),
        None => word(view.status),
    };
    let detail = view.detail.as_ref();
    for (name, value) in [
        ("%", detail.and_then(|detail| detail.percent).map(u64::from)),
        ("attempt", detail.and_then(|detail| detail.attempt).map(u64::from)),
    ] {
        if let Some(value) = value {
            write!(line, " {name} {value}").unwrap();
        }
    }
    if !is_unmoved && let Some(shown) = view.shown {
        let kind = match shown.kind {
            CodeKind::Qr => "QR",
            CodeKind::PairingCode => "code",
        };
        write!(line, " {kind} #{} {} s", shown.sequence, (shown.expires_at - now) / 1000).unwrap();
    }
    let effects: Vec<String> = transition.effects.iter().map(effect).collect();
    let events: Vec<String> = transition.events.iter().map(event).collect();
    for part in [effects, events] {
        if !part.is_empty() {
            write!(line, " | {}", part.join(", ")).unwrap();
        }
    }
    if let Some(at) = transition.wake_up_at.filter(|_| !is_unmoved) {
        write!(line, " | wakes in {} s", at.saturating_sub(now) / 1000).unwrap();
    }
    line
}

/// A case's own name.
fn word(case: impl Debug) -> String {
    let text = format!("{case:?}");
    text.rsplit("::").next().unwrap_or_default().to_owned()
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::StartEngine => "start".into(),
        Effect::StopEngine => "stop".into(),
        Effect::RefreshQr => "refresh-qr".into(),
        Effect::RequestPairingCode(_) => "request-code".into(),
        Effect::LogOut => "log-out".into(),
        Effect::WipeProfile => "wipe".into(),
        Effect::DeleteSession => "delete-session".into(),
        Effect::Reply(reply) => match &reply.outcome {
            Outcome::Done(_) => "done".into(),
            Outcome::CodeMade => "code-made".into(),
            Outcome::Refused(refusal) => format!("refused {}", word(refusal.code)),
        },
    }
}

fn event(event: &EventData) -> String {
    match event {
        EventData::Loading(percent) => format!("loading {percent}"),
        EventData::SessionConnected(_) => "connected".into(),
        EventData::SessionDisconnected(reason) => format!("disconnected {}", word(reason)),
        EventData::SessionDeleted => "deleted".into(),
        other => format!("{other:?}"),
    }
}
