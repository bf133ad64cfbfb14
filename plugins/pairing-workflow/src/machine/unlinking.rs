//! Giving up a link that somebody confirmed to be given up: the page is connected
//! if need be, tells the server, and confirms. Only then the profile goes.
//!
//! A deletion is the exception: its caller wants nothing to be left here, so if
//! the server can't be told within a minute, the session is removed all the same
//! and the reply says so.

use super::Step;
use crate::{
    contract::{
        CommandId, Duration, Effect, EngineEvent, EngineFailure, EngineFailureKind, EventData,
        Reason, Timestamp,
    },
    failure, messages,
    state::{LinkedStage, Phase, Then, Unlinking, UnlinkingStage, Why},
};

/// For connecting; with the next one it stays under a minute.
const CONNECT_DEADLINE: Duration = 30_000;
/// The engine ends its attempt after 20 s; this is for one that does not answer.
const LOG_OUT_DEADLINE: Duration = 25_000;

impl Step<'_> {
    pub(super) fn log_out_deadline(&self) -> Timestamp {
        self.later(LOG_OUT_DEADLINE)
    }

    fn connect_deadline(&self) -> Timestamp {
        self.later(CONNECT_DEADLINE.min(self.context.settings.boot_deadline))
    }

    /// Begins. The session is linked and not yet being unlinked.
    pub(super) fn unlink(&mut self, then: Then, replies: Vec<CommandId>) {
        let stage_before = match &self.state.phase {
            Phase::Linked(linked) => Some(&linked.stage),
            _ => None,
        };
        let is_online = matches!(stage_before, Some(LinkedStage::Online { .. }));
        let was_running = !matches!(self.state.phase, Phase::Off { .. });
        let has_engine = was_running && !matches!(stage_before, Some(LinkedStage::Waiting(_)));
        let stage = if is_online {
            self.act(Effect::LogOut);
            UnlinkingStage::Asked { deadline: self.log_out_deadline(), was_online: true }
        } else {
            if !has_engine {
                self.act(Effect::StartEngine);
            }
            UnlinkingStage::Connecting { deadline: self.connect_deadline() }
        };
        let unlinking = Unlinking { stage, then, replies, was_running, attempt: 0 };
        self.state.phase = Phase::Unlinking(unlinking);
    }

    /// After a restart of the host: the confirmation still holds, but nobody waits
    /// for a reply any more.
    pub(super) fn unlink_again(&mut self) {
        let deadline = self.connect_deadline();
        if let Phase::Unlinking(unlinking) = &mut self.state.phase {
            unlinking.replies.clear();
            if let Then::Pair { asked } = &mut unlinking.then {
                *asked = None;
            }
            unlinking.stage = UnlinkingStage::Connecting { deadline };
            self.act(Effect::StartEngine);
        }
    }

    pub(super) fn engine_while_unlinking(&mut self, event: EngineEvent) {
        match event {
            EngineEvent::Ready(_) => self.tell_the_server(),
            // A page that offers to be linked is linked no more.
            EngineEvent::LoggedOut(_) | EngineEvent::QrMade(_) | EngineEvent::QrExpired => {
                self.unlinked();
            }
            EngineEvent::Conflict if self.state.wrong.is_some() => self.keep_for_later(),
            EngineEvent::Conflict => {
                self.keep_refused(Why::told(Reason::Conflict, messages::CONFLICT));
            }
            EngineEvent::ClientOutdated => {
                self.keep_refused(Why::told(Reason::ClientOutdated, messages::OUTDATED));
            }
            EngineEvent::Banned(word) => {
                self.keep_refused(Why::told(Reason::Banned, messages::banned(&word)));
            }
            EngineEvent::PasskeyRequired => {
                self.keep_refused(Why::told(Reason::PasskeyRequired, messages::PASSKEY));
            }
            EngineEvent::Failed(engine_failure) => self.keep_failed(engine_failure),
            EngineEvent::Stopped => {
                let (kind, why) = (EngineFailureKind::Other, messages::STOPPED_BY_ITSELF);
                self.keep_failed(failure::noticed(kind, "logging out", why));
            }
            EngineEvent::Started
            | EngineEvent::Loading(_)
            | EngineEvent::CodeMade
            | EngineEvent::CodeFailed(_)
            | EngineEvent::Authenticated
            | EngineEvent::ConnectionLost
            | EngineEvent::Probe(_) => {}
        }
    }

    pub(super) fn unlinking_overdue(&mut self) {
        let why = match &self.state.phase {
            Phase::Unlinking(Unlinking { stage: UnlinkingStage::Connecting { .. }, .. }) => {
                messages::NO_CONNECTION_IN_TIME
            }
            _ => messages::NO_LOGOUT_IN_TIME,
        };
        self.act(Effect::StopEngine);
        self.keep_failed(failure::noticed(EngineFailureKind::Deadline, "logging out", why));
    }

    /// Nothing of the session is left.
    pub(super) fn remove(&mut self) {
        (self.state.account, self.state.wrong) = (None, None);
        self.state.phase = Phase::Deleted;
        self.events.push(EventData::SessionDeleted);
        self.act(Effect::DeleteSession);
    }

    fn tell_the_server(&mut self) {
        let deadline = self.log_out_deadline();
        if let Phase::Unlinking(unlinking) = &mut self.state.phase
            && let UnlinkingStage::Connecting { .. } = unlinking.stage
        {
            unlinking.stage = UnlinkingStage::Asked { deadline, was_online: false };
            self.act(Effect::LogOut);
        }
    }

    fn unlinked(&mut self) {
        let Some(Unlinking { then, replies, .. }) = self.take_unlinking() else { return };
        self.state.account = None;
        if let Then::Delete = then {
            self.all_done(replies, messages::DELETED);
            return self.remove();
        }
        self.act(Effect::StopEngine);
        self.act(Effect::WipeProfile);
        self.all_done(replies, messages::LOGGED_OUT);
        match then {
            Then::Pair { asked } => self.start_pairing(asked),
            Then::Refuse { tail } => {
                let why = self.wrong_number_is_gone(&tail);
                self.rest(false, why);
            }
            Then::Stop | Then::Delete => self.rest(false, Why::of(Reason::LoggedOut)),
        }
    }

    /// WhatsApp lets the page do nothing: the link stays, and rests.
    fn keep_refused(&mut self, why: Why) {
        let said = why.message.clone().unwrap_or_default();
        if self.keep(&said) {
            self.act(Effect::StopEngine);
            self.rest(true, why);
        }
    }

    /// A link that must not be is given up later, when it is used here again.
    fn keep_for_later(&mut self) {
        if self.keep(messages::CONFLICT) {
            self.act(Effect::StopEngine);
            self.wait_to_take_over(Why::told(Reason::Conflict, messages::CONFLICT));
        }
    }

    /// The engine does not run any more; the session is again as it was before.
    fn keep_failed(&mut self, engine_failure: EngineFailure) {
        let Phase::Unlinking(Unlinking { was_running, attempt, .. }) = self.state.phase else {
            return;
        };
        if !self.keep(&engine_failure.message) {
            return;
        }
        if was_running {
            self.retry_link(engine_failure, attempt.saturating_add(1));
        } else {
            let message = messages::not_unlinked(&engine_failure.message).message;
            self.rest(true, Why::told(Reason::Stopped, message));
        }
    }

    /// The link could not be given up. False: the session was to be removed, and
    /// is. The caller decides what follows else.
    fn keep(&mut self, why: &str) -> bool {
        let Some(Unlinking { then, replies, .. }) = self.take_unlinking() else { return false };
        let refusal = messages::not_unlinked(why);
        match then {
            Then::Delete => {
                self.all_done(replies, messages::DELETED_UNTOLD);
                self.remove();
                return false;
            }
            Then::Pair { asked: Some(asked) } => self.refuse_all(asked.replies, &refusal),
            Then::Pair { asked: None } | Then::Stop | Then::Refuse { .. } => {}
        }
        self.refuse_all(replies, &refusal);
        true
    }

    /// Leaves the phase to be set by the caller.
    fn take_unlinking(&mut self) -> Option<Unlinking> {
        match std::mem::replace(&mut self.state.phase, Phase::Deleted) {
            Phase::Unlinking(unlinking) => Some(unlinking),
            other => {
                self.state.phase = other;
                None
            }
        }
    }

    fn all_done(&mut self, ids: Vec<CommandId>, message: &str) {
        for id in ids {
            self.done(id, message);
        }
    }
}
