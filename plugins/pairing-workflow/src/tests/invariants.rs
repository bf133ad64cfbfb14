//! What holds after any sequence of inputs. A model of the host runs beside the
//! workflow: it knows whether an engine runs, who waits for a reply, and whether a
//! link may be lost.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::world::{OTHER_PHONE, PHONE, World, account, code_for, failure, init, init_expecting};
use crate::{
    contract::{
        CodeFailure, CodeFailureKind, Command, CommandId, Effect, EngineEvent, EngineFailureKind,
        EventData, Input, Reason, Status, Transition,
    },
    state::{Phase, State, Then},
};

#[derive(Debug, Clone)]
enum Told {
    Command(Command),
    Engine(EngineEvent),
    WakeUp,
    HostStarted,
    Pass(u64),
    Watched(bool),
    ReconnectsByItself(bool),
}

fn told() -> impl Strategy<Value = Told> {
    let command = prop_oneof![
        Just(init()),
        any::<bool>().prop_map(|confirm| init_expecting(OTHER_PHONE, confirm)),
        any::<bool>().prop_map(|confirm| init_expecting(PHONE, confirm)),
        any::<bool>().prop_map(|confirm| code_for(PHONE, confirm)),
        any::<bool>().prop_map(|confirm| code_for(OTHER_PHONE, confirm)),
        any::<bool>().prop_map(Command::RefreshQr),
        Just(Command::Disconnect),
        Just(Command::Reconnect),
        any::<bool>().prop_map(Command::Logout),
        prop::bool::weighted(0.1).prop_map(Command::Delete),
    ];
    let code_failure = prop::sample::select(vec![
        CodeFailureKind::RateLimited,
        CodeFailureKind::PasskeyRequired,
        CodeFailureKind::Interrupted,
    ]);
    let engine_failure = prop::sample::select(vec![
        EngineFailureKind::LaunchFailed,
        EngineFailureKind::PageChanged,
        EngineFailureKind::Other,
    ]);
    let engine = prop_oneof![
        4 => any::<bool>().prop_map(EngineEvent::QrMade),
        3 => Just(EngineEvent::CodeMade),
        3 => Just(EngineEvent::Authenticated),
        3 => Just(EngineEvent::Ready(account())),
        1 => Just(EngineEvent::Started),
        1 => any::<u8>().prop_map(EngineEvent::Loading),
        1 => Just(EngineEvent::QrExpired),
        1 => code_failure.prop_map(|kind| {
            EngineEvent::CodeFailed(CodeFailure { kind, message: "no".into() })
        }),
        1 => Just(EngineEvent::ConnectionLost),
        1 => any::<bool>().prop_map(EngineEvent::LoggedOut),
        1 => Just(EngineEvent::Conflict),
        1 => Just(EngineEvent::Banned("x".into())),
        1 => Just(EngineEvent::PasskeyRequired),
        1 => any::<bool>().prop_map(EngineEvent::Probe),
        1 => Just(EngineEvent::Stopped),
        2 => engine_failure.prop_map(|kind| EngineEvent::Failed(failure(kind))),
    ];
    prop_oneof![
        5 => command.prop_map(Told::Command),
        10 => engine.prop_map(Told::Engine),
        2 => Just(Told::WakeUp),
        1 => Just(Told::HostStarted),
        1 => (0..120_000_u64).prop_map(Told::Pass),
        1 => any::<bool>().prop_map(Told::Watched),
        1 => prop::bool::weighted(0.7).prop_map(Told::ReconnectsByItself),
    ]
}

/// What the host knows.
#[derive(Default)]
struct Host {
    engine_runs: bool,
    waiting: BTreeSet<CommandId>,
    is_deleted: bool,
}

impl Host {
    fn carry_out(&mut self, transition: &Transition) {
        for effect in &transition.effects {
            assert!(!self.is_deleted, "nothing comes after a deletion: {:?}", transition.effects);
            match effect {
                Effect::StartEngine => self.engine_runs = true,
                Effect::StopEngine | Effect::WipeProfile => self.engine_runs = false,
                Effect::RefreshQr | Effect::RequestPairingCode(_) | Effect::LogOut => {
                    assert!(self.engine_runs, "{effect:?} goes to an engine that runs");
                }
                Effect::Reply(reply) => {
                    assert!(self.waiting.remove(&reply.id), "{reply:?} has somebody who waits");
                }
                Effect::DeleteSession => {
                    self.engine_runs = false;
                    self.is_deleted = true;
                }
            }
        }
    }
}

/// Replies that the state still owes.
fn owed(state: &State) -> BTreeSet<CommandId> {
    let mut ids = Vec::new();
    match &state.phase {
        Phase::Pairing(pairing) => {
            ids.extend(pairing.asked.iter().flat_map(|asked| asked.replies.clone()));
        }
        Phase::Unlinking(unlinking) => {
            ids.extend(unlinking.replies.clone());
            if let Then::Pair { asked: Some(asked) } = &unlinking.then {
                ids.extend(asked.replies.clone());
            }
        }
        _ => {}
    }
    ids.into_iter().collect()
}

fn check(before: &State, after: &State, input: &Input, transition: &Transition) {
    let view = &transition.view;
    assert!(view.account.is_none() || view.linked, "an account belongs to a link: {view:?}");
    assert!(view.shown.is_none() || view.status == Status::QrReady, "{view:?}");
    assert!(view.status != Status::Connected || view.account.is_some(), "{view:?}");
    assert!(transition.effects.len() <= 64);
    assert!(after.sequence >= before.sequence);
    if let Some(shown) = view.shown {
        assert_eq!(shown.sequence, after.sequence, "only the latest code is shown");
    }
    let has_deadline = transition.wake_up_at.is_some();
    let may_rest = matches!(view.status, Status::Disconnected | Status::Connected)
        || view.reason == Some(Reason::Reconnecting);
    assert!(has_deadline || may_rest, "every wait has an end: {view:?}");
    if view.status == Status::Disconnected {
        assert_eq!(transition.wake_up_at, None, "what rests is not woken");
    }
    // A link ends only when the page says so, or somebody confirmed its end.
    if before.is_linked() && !view.linked {
        let page_says_so = matches!(
            input,
            Input::Engine(
                EngineEvent::LoggedOut(_) | EngineEvent::QrMade(_) | EngineEvent::QrExpired
            )
        );
        assert!(
            page_says_so || matches!(before.phase, Phase::Unlinking(_)),
            "{before:?} {input:?}"
        );
    }
    // A profile goes only once the page has said that nothing is linked any more:
    // never for a failure, a conflict, a refusal or a deadline.
    if transition.effects.contains(&Effect::WipeProfile) {
        let is_gone = match input {
            Input::Engine(EngineEvent::LoggedOut(_)) => true,
            // A page that offers to be linked, while a confirmed logout is under way.
            Input::Engine(EngineEvent::QrMade(_) | EngineEvent::QrExpired) => {
                matches!(before.phase, Phase::Unlinking(_))
            }
            _ => false,
        };
        assert!(is_gone, "{before:?} {input:?}");
    }
    // A number that was not expected is linked, if at all, to be given up.
    assert!(after.wrong.is_none() || (after.is_linked() && view.account.is_none()), "{after:?}");
    if view.reason == Some(Reason::Conflict) {
        let is_kept =
            matches!(before.phase, Phase::Pairing(_)) || view.linked == before.is_linked();
        assert!(is_kept, "a conflict costs no link");
    }
    assert!(after.takeovers.len() <= 3);
    let told_of_end = transition
        .events
        .iter()
        .filter(|event| matches!(event, EventData::SessionDisconnected(_)))
        .count();
    assert!(told_of_end <= 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn whatever_happens_the_rules_hold(sequence in prop::collection::vec(told(), 1..60), seed in any::<u64>()) {
        let mut world = World::new();
        world.seed = seed;
        let mut host = Host::default();
        for told in sequence {
            let before = world.state();
            let (input, transition) = match told {
                Told::Pass(duration) => {
                    world.pass(duration);
                    continue;
                }
                Told::Watched(watched) => {
                    world.watched(watched);
                    continue;
                }
                Told::ReconnectsByItself(on) => {
                    world.reconnects_by_itself(on);
                    continue;
                }
                Told::WakeUp => {
                    let Some(at) = world.wake_up_at() else { continue };
                    world.now = world.now.max(at);
                    (Input::WakeUp, world.tell(Input::WakeUp))
                }
                Told::HostStarted => {
                    host = Host::default();
                    (Input::HostStarted, world.restart_host())
                }
                Told::Command(command) => {
                    host.waiting.insert(world.next_id());
                    let id = world.next_id();
                    let input = Input::Command(crate::bindings::exports::pairing_console::workflow::machine::CommandInput { id, command: command.clone() });
                    (input, world.command(command))
                }
                // The host drops what an ended engine says.
                Told::Engine(_) if !host.engine_runs => continue,
                Told::Engine(event) => {
                    if matches!(event, EngineEvent::Failed(_) | EngineEvent::Stopped) {
                        host.engine_runs = false;
                    }
                    (Input::Engine(event.clone()), world.engine(event))
                }
            };
            host.carry_out(&transition);
            let after = world.state();
            check(&before, &after, &input, &transition);
            prop_assert_eq!(owed(&after), host.waiting.clone(), "each command gets one reply");
            if host.is_deleted {
                return Ok(());
            }
            prop_assert_eq!(host.engine_runs, after.has_engine(), "{:?}", after);
        }
    }

    #[test]
    fn the_same_arguments_give_the_same_answer(sequence in prop::collection::vec(told(), 1..30), seed in any::<u64>()) {
        let run = || {
            let mut world = World::new();
            world.seed = seed;
            let tell = |told: &Told| match told.clone() {
                Told::Command(command) => Some(world.command(command)),
                Told::Engine(event) => Some(world.engine(event)),
                Told::WakeUp => Some(world.tell(Input::WakeUp)),
                Told::HostStarted => Some(world.restart_host()),
                Told::Pass(duration) => {
                    world.pass(duration);
                    None
                }
                Told::Watched(watched) => {
                    world.watched(watched);
                    None
                }
                Told::ReconnectsByItself(on) => {
                    world.reconnects_by_itself(on);
                    None
                }
            };
            sequence.iter().map(tell).collect::<Vec<_>>()
        };
        prop_assert!(run() == run());
    }
}
