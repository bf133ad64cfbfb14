//! QR codes and pairing codes: shown, renewed, given up.

use super::{Step, commands::CODE_DEADLINE};
use crate::{
    contract::{
        CodeFailure, CodeKind, Effect, EngineFailureKind, Outcome, Reason, Reply, ShownCode,
        Timestamp,
    },
    failure, messages,
    state::{Pairing, PairingStage, Phase, Why},
};

/// The page makes so many QR codes a round. It counts when the page loads itself
/// anew again and again, and so never ends a round.
const CODES_PER_ROUND: u32 = 6;

impl Pairing {
    /// Codes are not made in vain.
    pub(super) fn somebody_is_there(&mut self) {
        (self.rounds, self.codes, self.restarts) = (0, 0, 0);
    }

    fn has_asked_the_page(&self) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.deadline.is_some())
    }

    fn shows(&self, kind: CodeKind) -> bool {
        matches!(&self.stage, PairingStage::Ready { shown: Some(shown), .. } if shown.kind == kind)
    }
}

impl Step<'_> {
    pub(super) fn qr_made(&mut self, begins_round: bool) {
        let settings = &self.context.settings;
        let max_codes = settings.max_qr_rounds.max(1).saturating_mul(CODES_PER_ROUND);
        let lifetime =
            if begins_round { settings.first_qr_lifetime } else { settings.next_qr_lifetime };
        let expires_at = self.later(lifetime);
        if self.pairing_again().is_none() {
            return;
        }
        if self.is_in_vain() {
            return self.park(messages::PARKED_UNSEEN);
        }
        let Phase::Pairing(pairing) = &mut self.state.phase else { return };
        pairing.codes += 1;
        if pairing.codes > max_codes {
            return self.park(messages::PARKED);
        }
        if let Some(asked) = &mut pairing.asked
            && asked.deadline.is_none()
        {
            let phone_number = asked.phone_number.clone();
            return self.ask_for_code(phone_number);
        }
        self.show(CodeKind::Qr, expires_at);
    }

    pub(super) fn qr_expired(&mut self) {
        let Some(pairing) = self.pairing_again() else { return };
        // A pairing code outlives the page's QR codes.
        if pairing.has_asked_the_page() || pairing.shows(CodeKind::PairingCode) {
            return;
        }
        self.end_round();
    }

    pub(super) fn code_made(&mut self) {
        let expires_at = self.later(self.context.settings.pairing_code_lifetime);
        let Phase::Pairing(pairing) = &mut self.state.phase else { return };
        if !pairing.has_asked_the_page() {
            return;
        }
        let Some(asked) = pairing.asked.take() else { return };
        self.show(CodeKind::PairingCode, expires_at);
        for id in asked.replies {
            self.act(Effect::Reply(Reply { id, outcome: Outcome::CodeMade }));
        }
    }

    /// The page makes a new QR code by itself afterwards.
    pub(super) fn code_failed(&mut self, failure: &CodeFailure) {
        let boot = self.boot_deadline();
        if let Phase::Pairing(pairing) = &mut self.state.phase
            && pairing.has_asked_the_page()
        {
            if let PairingStage::Ready { shown: None, deadline } = &mut pairing.stage {
                *deadline = boot;
            }
            self.refuse_code(&messages::code_failed(failure));
        }
    }

    /// The page did not even say that it failed.
    pub(super) fn code_overdue(&mut self) {
        self.refuse_code(&messages::no_code_in_time());
        self.renew_qr();
    }

    /// What was shown is of no use any more.
    pub(super) fn code_expired(&mut self) {
        match &self.state.phase {
            Phase::Pairing(pairing) if pairing.shows(CodeKind::PairingCode) => self.end_round(),
            _ => {
                let stuck = messages::NO_CODE_IN_TIME;
                self.act(Effect::StopEngine);
                self.failed(failure::noticed(EngineFailureKind::Deadline, "showing codes", stuck));
            }
        }
    }

    /// Has the page make a QR code; until it comes none is shown.
    pub(super) fn renew_qr(&mut self) {
        let boot = self.boot_deadline();
        if let Phase::Pairing(pairing) = &mut self.state.phase {
            match &mut pairing.stage {
                PairingStage::Ready { shown, deadline } => (*shown, *deadline) = (None, boot),
                PairingStage::Starting { deadline, .. } => *deadline = boot,
                PairingStage::Waiting(_) => return,
            }
            self.act(Effect::RefreshQr);
        }
    }

    /// Codes were made and nobody used one.
    fn end_round(&mut self) {
        let max_rounds = self.context.settings.max_qr_rounds;
        if self.is_in_vain() {
            return self.park(messages::PARKED_UNSEEN);
        }
        let Phase::Pairing(pairing) = &mut self.state.phase else { return };
        pairing.rounds += 1;
        if pairing.rounds >= max_rounds { self.park(messages::PARKED) } else { self.renew_qr() }
    }

    /// Nobody would see another code. The first one is made in any case: who asks
    /// for it may look a little later.
    pub(super) fn is_in_vain(&self) -> bool {
        let Phase::Pairing(pairing) = &self.state.phase else { return false };
        let has_shown = pairing.codes > 0 || pairing.shows(CodeKind::PairingCode);
        has_shown && pairing.asked.is_none() && !self.is_watched()
    }

    pub(super) fn park(&mut self, why: &str) {
        self.refuse_code(&messages::overtaken("nobody used a code in time"));
        if self.state.has_engine() {
            self.act(Effect::StopEngine);
        }
        self.rest(false, Why::told(Reason::Parked, why));
    }

    fn ask_for_code(&mut self, phone_number: String) {
        let (boot, code) = (self.boot_deadline(), self.later(CODE_DEADLINE));
        if let Phase::Pairing(pairing) = &mut self.state.phase {
            pairing.stage = PairingStage::Ready { shown: None, deadline: boot.max(code) };
            if let Some(asked) = &mut pairing.asked {
                asked.deadline = Some(code);
            }
            self.act(Effect::RequestPairingCode(phone_number));
        }
    }

    fn show(&mut self, kind: CodeKind, expires_at: Timestamp) {
        // A QR code is followed by another; if none comes, the page got stuck.
        let deadline = match kind {
            CodeKind::Qr => expires_at.saturating_add(self.context.settings.boot_deadline),
            CodeKind::PairingCode => expires_at,
        };
        if let Phase::Pairing(pairing) = &mut self.state.phase {
            self.state.sequence += 1;
            let shown = Some(ShownCode { kind, sequence: self.state.sequence, expires_at });
            pairing.stage = PairingStage::Ready { shown, deadline };
        }
    }
}
