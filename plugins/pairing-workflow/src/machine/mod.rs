//! One step of a session: from a state and an input to the next state, with what
//! is to be done and told.
//!
//! Commands are in `commands`, the engine's reports in `reports` and, sorted by
//! subject, in `codes`, `link` and `unlinking`; what the clock and the host bring
//! is in `time`.

mod codes;
mod commands;
mod conflict;
mod link;
mod reports;
mod time;
mod unlinking;

use crate::{
    contract::{
        CommandId, Context, Duration, Effect, EventData, Input, Outcome, Reason, Refusal, Reply,
        Status, Timestamp, Transition, WorkflowError,
    },
    state::{CodeAsked, Linked, LinkedStage, Pairing, PairingStage, Phase, State, Why},
};

/// Decides. The state may be left as it is; no input is an error.
pub(crate) fn handle(before: State, input: Input, context: &Context) -> Step<'_> {
    let mut step = Step {
        context,
        status_before: before.standing().0,
        state: before,
        effects: Vec::new(),
        events: Vec::new(),
    };
    match input {
        Input::HostStarted => step.host_started(),
        Input::Command(input) => step.command(input.id, input.command),
        Input::Engine(event) => step.engine(event),
        Input::WakeUp => step.wake_up(),
    }
    step
}

/// A step while it is being made.
pub(crate) struct Step<'a> {
    context: &'a Context,
    status_before: Status,
    pub(crate) state: State,
    pub(crate) effects: Vec<Effect>,
    pub(crate) events: Vec<EventData>,
}

impl Step<'_> {
    pub(crate) fn into_transition(mut self) -> Result<Transition, WorkflowError> {
        self.tell_of_connection();
        Ok(Transition {
            state: self.state.write()?,
            view: self.state.view(),
            wake_up_at: self.state.wake_up_at(),
            events: self.events,
            effects: self.effects,
        })
    }

    fn tell_of_connection(&mut self) {
        let (status, reason, _) = self.state.standing();
        let before = self.status_before;
        if status == before {
            return;
        }
        if status == Status::Connected
            && let Some(account) = self.state.account.clone()
        {
            self.events.push(EventData::SessionConnected(account));
        }
        if before == Status::Connected || status == Status::Disconnected {
            let reason = match self.state.phase {
                // Unlinked on purpose, to link another phone.
                Phase::Pairing(_) => Reason::LoggedOut,
                _ => reason.unwrap_or(Reason::Other),
            };
            self.events.push(EventData::SessionDisconnected(reason));
        }
        // Of a deleted session this is the last that is heard.
        self.events.sort_by_key(|event| matches!(event, EventData::SessionDeleted));
    }

    fn later(&self, duration: Duration) -> Timestamp {
        self.context.now.saturating_add(duration)
    }

    fn boot_deadline(&self) -> Timestamp {
        self.later(self.context.settings.boot_deadline)
    }

    fn link_deadline(&self) -> Timestamp {
        self.later(self.context.settings.link_deadline)
    }

    /// Codes are made only for somebody who sees them. A host that does not say
    /// counts nobody, so everybody counts.
    fn is_watched(&self) -> bool {
        says(&self.context.extra, "watched", true)
    }

    /// A link is connected again without anybody asking for it.
    fn reconnects_by_itself(&self) -> bool {
        says(&self.context.settings.extra, "auto-reconnect", true)
    }

    fn act(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    fn done(&mut self, id: CommandId, message: &str) {
        self.act(Effect::Reply(Reply { id, outcome: Outcome::Done(message.into()) }));
    }

    fn refuse(&mut self, id: CommandId, refusal: Refusal) {
        self.act(Effect::Reply(Reply { id, outcome: Outcome::Refused(refusal) }));
    }

    fn refuse_all(&mut self, ids: Vec<CommandId>, refusal: &Refusal) {
        for id in ids {
            self.refuse(id, refusal.clone());
        }
    }

    /// Tells those who wait for a pairing code that none will come.
    fn refuse_code(&mut self, refusal: &Refusal) {
        if let Phase::Pairing(pairing) = &mut self.state.phase
            && let Some(asked) = pairing.asked.take()
        {
            self.refuse_all(asked.replies, refusal);
        }
    }

    fn start_pairing(&mut self, asked: Option<CodeAsked>) {
        self.act(Effect::StartEngine);
        let stage = PairingStage::Starting { percent: None, deadline: self.boot_deadline() };
        let pairing = Pairing { stage, rounds: 0, codes: 0, restarts: 0, asked };
        self.state.wrong = None;
        self.state.phase = Phase::Pairing(pairing);
    }

    fn start_linked(&mut self, attempt: u32) {
        self.act(Effect::StartEngine);
        let stage = LinkedStage::Starting { percent: None, deadline: self.boot_deadline() };
        self.state.phase = Phase::Linked(Linked { stage, attempt });
    }

    /// No engine runs from now on. Stopping it is the caller's part.
    fn rest(&mut self, linked: bool, why: Why) {
        if !linked {
            self.state.account = None;
            self.state.wrong = None;
        }
        self.state.phase = Phase::Off { linked, why };
    }
}

/// An entry that is `true` or `false`.
fn says(extra: &[(String, String)], name: &str, unless_said: bool) -> bool {
    let entry = extra.iter().find(|(key, _)| key == name);
    entry.and_then(|(_, value)| value.parse().ok()).unwrap_or(unless_said)
}
