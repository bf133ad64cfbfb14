//! A session in a test: it is told things, and time moves by hand.

use crate::{
    Workflow,
    bindings::exports::pairing_console::workflow::machine::{CodeRequest, CommandInput, Init},
    contract::{
        Account, Command, CommandId, Context, Effect, EngineEvent, EngineFailure,
        EngineFailureKind, Guest as _, Input, Outcome, Reason, RefusalCode, Settings, Status,
        Timestamp, Transition,
    },
    state::State,
};

pub(crate) const SECOND: u64 = 1_000;
pub(crate) const START: Timestamp = 1_790_000_000_000;
pub(crate) const PHONE: &str = "5511999990001";
pub(crate) const OTHER_PHONE: &str = "4915112345678";

pub(crate) fn settings() -> Settings {
    Settings {
        first_qr_lifetime: 60 * SECOND,
        next_qr_lifetime: 20 * SECOND,
        pairing_code_lifetime: 195 * SECOND,
        max_qr_rounds: 4,
        boot_deadline: 90 * SECOND,
        link_deadline: 180 * SECOND,
        first_retry_delay: 2 * SECOND,
        max_retry_delay: 600 * SECOND,
        max_pairing_restarts: 3,
        extra: Vec::new(),
    }
}

pub(crate) fn account() -> Account {
    Account { phone_number: PHONE.into(), name: Some("Ana".into()) }
}

pub(crate) fn failure(kind: EngineFailureKind) -> EngineFailure {
    EngineFailure { kind, step: "loading the page".into(), message: "it broke".into() }
}

pub(crate) fn crash() -> EngineEvent {
    EngineEvent::Failed(failure(EngineFailureKind::BrowserExited))
}

pub(crate) fn init() -> Command {
    Command::Init(Init { expected_phone_number: None, confirm: false })
}

pub(crate) fn init_expecting(number: &str, confirm: bool) -> Command {
    Command::Init(Init { expected_phone_number: Some(number.into()), confirm })
}

pub(crate) fn code_for(number: &str, confirm: bool) -> Command {
    Command::RequestPairingCode(CodeRequest { phone_number: number.into(), confirm })
}

#[derive(Clone)]
pub(crate) struct World {
    state: Option<Vec<u8>>,
    pub(crate) settings: Settings,
    pub(crate) now: Timestamp,
    /// Zero takes nothing off a delay.
    pub(crate) seed: u64,
    /// What the host says about who looks.
    pub(crate) extra: Vec<(String, String)>,
    input_number: u64,
    wake_up_at: Option<Timestamp>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            state: None,
            settings: settings(),
            now: START,
            seed: 0,
            extra: Vec::new(),
            input_number: 0,
            wake_up_at: None,
        }
    }

    pub(crate) fn tell(&mut self, input: Input) -> Transition {
        self.input_number += 1;
        let context = Context {
            session_name: "pairing-console".into(),
            now: self.now,
            seed: self.seed,
            input_number: self.input_number,
            settings: self.settings.clone(),
            extra: self.extra.clone(),
        };
        let transition = Workflow::handle(self.state.clone(), input, context).unwrap();
        self.state = Some(transition.state.clone());
        self.wake_up_at = transition.wake_up_at;
        transition
    }

    /// As in the host, a command is named by its input number.
    pub(crate) fn command(&mut self, command: Command) -> Transition {
        let id = self.next_id();
        self.tell(Input::Command(CommandInput { id, command }))
    }

    pub(crate) fn watched(&mut self, watched: bool) -> &mut Self {
        self.extra = vec![("watched".into(), watched.to_string())];
        self
    }

    /// As the operator has set it.
    pub(crate) fn reconnects_by_itself(&mut self, on: bool) -> &mut Self {
        self.settings.extra = vec![("auto-reconnect".into(), on.to_string())];
        self
    }

    pub(crate) fn next_id(&self) -> CommandId {
        self.input_number + 1
    }

    pub(crate) fn engine(&mut self, event: EngineEvent) -> Transition {
        self.tell(Input::Engine(event))
    }

    /// Waits for the time that the session asked for, and wakes it.
    pub(crate) fn wake(&mut self) -> Transition {
        self.now = self.wake_up_at.expect("the session wants to be woken");
        self.tell(Input::WakeUp)
    }

    pub(crate) fn pass(&mut self, duration: u64) -> &mut Self {
        self.now += duration;
        self
    }

    pub(crate) fn restart_host(&mut self) -> Transition {
        self.tell(Input::HostStarted)
    }

    pub(crate) fn state(&self) -> State {
        self.state.as_deref().map_or_else(State::new, |bytes| State::read(bytes).unwrap())
    }

    pub(crate) fn wake_up_at(&self) -> Option<Timestamp> {
        self.wake_up_at
    }
}

/// How commands ended in this step, by their ids.
pub(crate) fn replies(transition: &Transition) -> Vec<(CommandId, Outcome)> {
    let reply = |effect: &Effect| match effect {
        Effect::Reply(reply) => Some((reply.id, reply.outcome.clone())),
        _ => None,
    };
    transition.effects.iter().filter_map(reply).collect()
}

/// What else is to be done.
pub(crate) fn acts(transition: &Transition) -> Vec<Effect> {
    let is_act = |effect: &&Effect| !matches!(effect, Effect::Reply(_));
    transition.effects.iter().filter(is_act).cloned().collect()
}

pub(crate) fn standing(transition: &Transition) -> (Status, Option<Reason>) {
    (transition.view.status, transition.view.reason)
}

/// The sentence of the only reply, which must be good.
pub(crate) fn done(transition: &Transition) -> String {
    match &replies(transition)[..] {
        [(_, Outcome::Done(message))] => message.clone(),
        other => panic!("not done: {other:?}"),
    }
}

/// The code of the only reply, which must be a refusal with help in it.
pub(crate) fn refused(transition: &Transition) -> RefusalCode {
    match &replies(transition)[..] {
        [(_, Outcome::Refused(refusal))] => {
            assert!(refusal.message.ends_with('.'), "{}", refusal.message);
            refusal.code
        }
        other => panic!("not refused: {other:?}"),
    }
}
