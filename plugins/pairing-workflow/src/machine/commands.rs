//! What people and programs ask. Each command is answered once: here, or when the
//! engine has done what it takes.

use super::Step;
use crate::{
    bindings::exports::pairing_console::workflow::machine::{CodeRequest, Init},
    contract::{Command, CommandId, Duration, Effect, Reason},
    messages, phone,
    state::{CodeAsked, LinkedStage, PairingStage, Phase, Then, Why},
};

/// The engine ends a request after 30 s; this is for one that does not answer.
pub(super) const CODE_DEADLINE: Duration = 60_000;
/// As many callers may wait for the same thing.
const MAX_WAITING: usize = 16;

impl Step<'_> {
    pub(super) fn command(&mut self, id: CommandId, command: Command) {
        match command {
            Command::Init(init) => self.init(id, init),
            Command::RequestPairingCode(request) => self.request_code(id, request),
            Command::RefreshQr(confirm) => self.refresh_qr(id, confirm),
            Command::Disconnect => self.disconnect(id),
            Command::Reconnect => self.reconnect(id),
            Command::Logout(confirm) => self.log_out(id, confirm),
            Command::Delete(confirm) => self.delete(id, confirm),
        }
    }

    fn init(&mut self, id: CommandId, init: Init) {
        let Init { expected_phone_number: expected, confirm } = init;
        if self.is_unlinking() {
            return self.refuse(id, messages::unlinking());
        }
        let is_other = |expected: &String| {
            let account = self.state.account.as_ref();
            account.is_some_and(|it| !phone::is_same_number(&it.phone_number, expected))
        };
        if self.state.is_linked() && expected.as_ref().is_some_and(is_other) {
            if !confirm {
                return self.refuse(id, messages::linked_to_another());
            }
            self.state.expected = expected;
            self.unlink(Then::Pair { asked: None }, Vec::new());
            return self.done(id, messages::UNLINKING_THEN_PAIRING);
        }
        // A new beginning forgets what an earlier one expected; what is linked or
        // being linked must not be endangered by a change of mind.
        let begins = matches!(self.state.phase, Phase::Off { .. });
        if !self.state.is_linked() && (begins || expected.is_some()) {
            self.state.expected = expected;
        }
        self.resume(id);
    }

    fn reconnect(&mut self, id: CommandId) {
        if let Phase::Linked(linked) = &self.state.phase
            && matches!(
                linked.stage,
                LinkedStage::Online { degraded: true } | LinkedStage::Lost { .. }
            )
        {
            // Somebody sees that the page does not heal itself.
            self.start_linked(0);
            return self.done(id, messages::RECONNECTING);
        }
        self.resume(id);
    }

    /// Starts what rests or waits, and says what runs already.
    fn resume(&mut self, id: CommandId) {
        let message = match &mut self.state.phase {
            Phase::Off { linked: true, .. } => {
                self.start_linked(0);
                messages::RECONNECTING
            }
            Phase::Off { linked: false, .. } | Phase::Deleted => {
                self.start_pairing(None);
                messages::STARTING
            }
            Phase::Pairing(pairing) => match pairing.stage {
                PairingStage::Starting { .. } => messages::STARTS_ALREADY,
                PairingStage::Waiting(_) => {
                    let asked = pairing.asked.take();
                    self.start_pairing(asked);
                    messages::STARTING
                }
                PairingStage::Ready { .. } => {
                    pairing.somebody_is_there();
                    messages::SHOWS_ALREADY
                }
            },
            Phase::Linking { .. } => messages::LINKS_ALREADY,
            Phase::Linked(linked) => match linked.stage {
                LinkedStage::Starting { .. } | LinkedStage::Lost { .. } => {
                    messages::RECONNECTS_ALREADY
                }
                LinkedStage::Waiting(_) => {
                    self.start_linked(0);
                    messages::RECONNECTING
                }
                LinkedStage::Online { .. } => messages::CONNECTED_ALREADY,
            },
            Phase::Unlinking(_) => return self.refuse(id, messages::unlinking()),
        };
        self.done(id, message);
    }

    fn request_code(&mut self, id: CommandId, request: CodeRequest) {
        let CodeRequest { phone_number, confirm } = request;
        let (boot, code) = (self.boot_deadline(), self.later(CODE_DEADLINE));
        match &mut self.state.phase {
            Phase::Pairing(pairing) => {
                if let Some(asked) = &mut pairing.asked {
                    if asked.phone_number != phone_number {
                        self.refuse(id, messages::code_for_another());
                    } else if asked.replies.len() >= MAX_WAITING {
                        self.refuse(id, messages::too_many_wait());
                    } else {
                        asked.replies.push(id);
                    }
                    return;
                }
                let PairingStage::Ready { shown, deadline } = &mut pairing.stage else {
                    return self.refuse(id, messages::not_qr_ready());
                };
                // The page gives up its QR code for the other way of linking.
                *shown = None;
                *deadline = boot.max(code);
                pairing.asked = Some(CodeAsked {
                    phone_number: phone_number.clone(),
                    replies: vec![id],
                    deadline: Some(code),
                });
                pairing.somebody_is_there();
                self.act(Effect::RequestPairingCode(phone_number));
            }
            Phase::Off { linked: false, .. } | Phase::Deleted => {
                self.refuse(id, messages::not_qr_ready());
            }
            Phase::Unlinking(_) => self.refuse(id, messages::unlinking()),
            Phase::Off { linked: true, .. } | Phase::Linking { .. } | Phase::Linked(_) => {
                if !confirm {
                    return self.refuse(id, messages::needs_confirmation("a pairing code"));
                }
                let asked = Some(CodeAsked { phone_number, replies: vec![id], deadline: None });
                self.unlink(Then::Pair { asked }, Vec::new());
            }
        }
    }

    fn refresh_qr(&mut self, id: CommandId, confirm: bool) {
        if let Phase::Pairing(pairing) = &mut self.state.phase
            && let PairingStage::Ready { .. } = pairing.stage
        {
            pairing.somebody_is_there();
            self.refuse_code(&messages::overtaken("a QR code was asked for"));
            self.renew_qr();
            return self.done(id, messages::NEW_QR);
        }
        if !self.state.is_linked() || self.is_unlinking() {
            return self.resume(id);
        }
        if !confirm {
            return self.refuse(id, messages::needs_confirmation("a new QR code"));
        }
        self.unlink(Then::Pair { asked: None }, Vec::new());
        self.done(id, messages::UNLINKING_THEN_PAIRING);
    }

    fn disconnect(&mut self, id: CommandId) {
        let message = match self.state.phase {
            Phase::Off { .. } | Phase::Deleted => return self.done(id, messages::STOPPED_ALREADY),
            Phase::Unlinking(_) => return self.refuse(id, messages::unlinking()),
            Phase::Pairing(_) => messages::STOPPED_UNLINKED,
            Phase::Linking { .. } | Phase::Linked(_) => messages::STOPPED,
        };
        self.refuse_code(&messages::overtaken("the session was stopped"));
        self.act(Effect::StopEngine);
        self.rest(self.state.is_linked(), Why::of(Reason::Stopped));
        self.done(id, message);
    }

    fn log_out(&mut self, id: CommandId, confirm: bool) {
        if !self.state.is_linked() {
            return self.done(id, messages::NOTHING_LINKED);
        }
        if !confirm {
            return self.refuse(id, messages::needs_confirmation("logging out"));
        }
        match &mut self.state.phase {
            Phase::Unlinking(unlinking) => {
                let is_same = matches!(unlinking.then, Then::Stop | Then::Delete);
                if is_same && unlinking.replies.len() < MAX_WAITING {
                    unlinking.replies.push(id);
                } else {
                    self.refuse(id, messages::unlinking());
                }
            }
            _ => self.unlink(Then::Stop, vec![id]),
        }
    }

    fn delete(&mut self, id: CommandId, confirm: bool) {
        if !self.state.is_linked() {
            self.refuse_code(&messages::overtaken("the session was removed"));
            self.done(id, messages::DELETED);
            return self.remove();
        }
        if !confirm {
            return self.refuse(id, messages::needs_confirmation("removing it"));
        }
        match &mut self.state.phase {
            Phase::Unlinking(unlinking) => {
                if unlinking.replies.len() >= MAX_WAITING {
                    return self.refuse(id, messages::too_many_wait());
                }
                unlinking.replies.push(id);
                let then = std::mem::replace(&mut unlinking.then, Then::Delete);
                if let Then::Pair { asked: Some(asked) } = then {
                    let why = messages::overtaken("the session is being removed");
                    self.refuse_all(asked.replies, &why);
                }
            }
            _ => self.unlink(Then::Delete, vec![id]),
        }
    }

    fn is_unlinking(&self) -> bool {
        matches!(self.state.phase, Phase::Unlinking(_))
    }
}
