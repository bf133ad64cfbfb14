//! A link: made, connected, lost, gone.

use super::Step;
use crate::{
    contract::{Account, Effect, EngineFailure, EventData, OtherEvent, Reason, Refusal},
    failure, messages, phone,
    state::{
        Linked, LinkedStage, Pairing, PairingStage, Phase, Then, Unlinking, UnlinkingStage, Why,
    },
};

impl Step<'_> {
    pub(super) fn authenticated(&mut self) {
        let link_deadline = self.link_deadline();
        let is_known = self.state.account.is_some();
        match &mut self.state.phase {
            // A link of old synchronises too; it is not linked anew.
            Phase::Linked(Linked { stage: LinkedStage::Starting { deadline, .. }, .. })
                if is_known =>
            {
                *deadline = link_deadline;
            }
            Phase::Pairing(_)
            | Phase::Linked(Linked { stage: LinkedStage::Starting { .. }, .. }) => {
                self.refuse_code(&messages::overtaken("a phone was linked"));
                self.state.phase = Phase::Linking { percent: None, deadline: link_deadline };
            }
            _ => {}
        }
    }

    pub(super) fn ready(&mut self, account: Account) {
        self.refuse_code(&messages::overtaken("a phone was linked"));
        let is_new = self.state.account.is_none();
        if let Some(expected) = &self.state.expected
            && is_new
            && !phone::is_same_number(expected, &account.phone_number)
        {
            let (expected, tail) = (phone::tail(expected), phone::tail(&account.phone_number));
            let (alert, tail) = (wrong_number(expected, tail), tail.to_owned());
            if self.state.wrong.as_ref() != Some(&tail) {
                self.events.push(alert);
                self.state.wrong = Some(tail.clone());
            }
            return self.ask_to_unlink(Then::Refuse { tail });
        }
        self.state.wrong = None;
        self.state.account = Some(account);
        let stage = LinkedStage::Online { degraded: false };
        self.state.phase = Phase::Linked(Linked { stage, attempt: 0 });
    }

    pub(super) fn connection_lost(&mut self) {
        if let Phase::Linked(linked) = &mut self.state.phase
            && let LinkedStage::Online { .. } = linked.stage
        {
            linked.stage = LinkedStage::Lost { percent: None };
        }
    }

    pub(super) fn probed(&mut self, answers: bool) {
        if let Phase::Linked(linked) = &mut self.state.phase
            && let LinkedStage::Online { degraded } = &mut linked.stage
        {
            *degraded = !answers;
        }
    }

    /// The page says that the link is no more, and has emptied its storage.
    pub(super) fn logged_out(&mut self, by_us: bool) {
        self.refuse_code(&messages::overtaken("the link ended"));
        self.act(Effect::StopEngine);
        self.act(Effect::WipeProfile);
        let why = match by_us {
            true => Why::of(Reason::LoggedOut),
            false => Why::told(Reason::UnlinkedFromPhone, messages::UNLINKED),
        };
        self.rest(false, why);
    }

    /// WhatsApp says no, and trying again would make it worse. The link, if there
    /// is one, is kept: the cause may pass.
    pub(super) fn refused(&mut self, why: Why, refusal: &Refusal) {
        self.refuse_code(refusal);
        self.act(Effect::StopEngine);
        self.rest(self.state.is_linked(), why);
    }

    /// The engine has failed, and does not run any more.
    pub(super) fn failed(&mut self, engine_failure: EngineFailure) {
        let max_restarts = self.context.settings.max_pairing_restarts;
        match &mut self.state.phase {
            Phase::Pairing(pairing) => {
                pairing.restarts += 1;
                let gives_up = pairing.restarts > max_restarts;
                let waits_for_page = pairing.asked.as_ref().is_some_and(|it| it.deadline.is_some());
                if !gives_up {
                    // Somebody stands in front of it, and it is tried a few times
                    // only: the delay need not grow.
                    let waiting = failure::waiting(engine_failure.clone(), 1, self.context);
                    pairing.stage = PairingStage::Waiting(waiting);
                }
                if gives_up || waits_for_page {
                    self.refuse_code(&messages::engine_unavailable(&engine_failure.message));
                }
                if gives_up {
                    self.rest(false, failure::why(engine_failure));
                }
            }
            Phase::Linking { .. } => self.retry_link(engine_failure, 1),
            Phase::Linked(linked) => {
                let attempt = linked.attempt.saturating_add(1);
                self.retry_link(engine_failure, attempt);
            }
            Phase::Off { .. } | Phase::Unlinking(_) | Phase::Deleted => {}
        }
    }

    /// A link is never given up for a failure of the engine. Where nothing is tried
    /// again by itself it rests, but for one that is not finished, or must not be.
    pub(super) fn retry_link(&mut self, failure: EngineFailure, attempt: u32) {
        if self.state.account.is_some() && !self.reconnects_by_itself() {
            let message = Some(messages::rests_after(&failure.message));
            return self.rest(true, Why { message, ..failure::why(failure) });
        }
        let stage = LinkedStage::Waiting(failure::waiting(failure, attempt, self.context));
        self.state.phase = Phase::Linked(Linked { stage, attempt });
    }

    /// The page offers to be linked. If we thought that it was linking, that has
    /// failed; if that it was linked, the link is gone. None: there is no pairing.
    pub(super) fn pairing_again(&mut self) -> Option<&mut Pairing> {
        let is_known = self.state.account.is_some();
        let boot = self.boot_deadline();
        match self.state.phase {
            Phase::Pairing(_) => {}
            Phase::Linked(_) if is_known => {
                // The profile is kept: nobody confirmed that it may go.
                self.act(Effect::StopEngine);
                self.rest(false, Why::told(Reason::UnlinkedFromPhone, messages::LINK_GONE));
            }
            Phase::Linking { .. } | Phase::Linked(_) if self.state.wrong.is_some() => {
                self.act(Effect::StopEngine);
                let tail = self.state.wrong.take().unwrap_or_default();
                self.rest(false, self.wrong_number_is_gone(&tail));
            }
            Phase::Linking { .. } | Phase::Linked(_) => {
                let stage = PairingStage::Ready { shown: None, deadline: boot };
                let pairing = Pairing { stage, rounds: 0, codes: 0, restarts: 0, asked: None };
                self.state.phase = Phase::Pairing(pairing);
            }
            Phase::Off { .. } | Phase::Unlinking(_) | Phase::Deleted => {}
        }
        match &mut self.state.phase {
            Phase::Pairing(pairing) => Some(pairing),
            _ => None,
        }
    }

    /// The page is connected and can tell the server.
    fn ask_to_unlink(&mut self, then: Then) {
        self.act(Effect::LogOut);
        let attempt = match &self.state.phase {
            Phase::Linked(linked) => linked.attempt,
            _ => 0,
        };
        let stage = UnlinkingStage::Asked { deadline: self.log_out_deadline(), was_online: false };
        let unlinking = Unlinking { stage, then, replies: Vec::new(), was_running: true, attempt };
        self.state.phase = Phase::Unlinking(unlinking);
    }

    pub(super) fn wrong_number_is_gone(&self, tail: &str) -> Why {
        let expected = self.state.expected.as_deref().map(phone::tail).unwrap_or_default();
        Why::told(Reason::Other, messages::wrong_number(expected, tail))
    }
}

/// For whoever watches over many sessions. Numbers are told by their ends only.
fn wrong_number(expected_tail: &str, tail: &str) -> EventData {
    let message = messages::wrong_number_alert(expected_tail, tail);
    let fields = [
        ("code", "wrong_number"),
        ("message", &message),
        ("expected", expected_tail),
        ("linked", tail),
    ];
    EventData::Other(OtherEvent {
        kind: "alert".into(),
        fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    })
}
