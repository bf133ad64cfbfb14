//! What the engine reports, sorted to where it is decided.

use super::Step;
use crate::{
    contract::{EngineEvent, EngineFailureKind, EventData, Reason},
    failure, messages,
    state::{Linked, LinkedStage, Pairing, PairingStage, Phase, State, Why},
};

/// Progress is told in steps of so many percent: each is written down three times.
const STEP: u8 = 5;

impl State {
    /// Does an engine run that was started for this phase?
    pub(crate) fn has_engine(&self) -> bool {
        match &self.phase {
            Phase::Off { .. } | Phase::Deleted => false,
            Phase::Pairing(pairing) => !matches!(pairing.stage, PairingStage::Waiting(_)),
            Phase::Linked(linked) => !matches!(linked.stage, LinkedStage::Waiting(_)),
            Phase::Linking { .. } | Phase::Unlinking(_) => true,
        }
    }
}

impl Step<'_> {
    pub(super) fn engine(&mut self, event: EngineEvent) {
        if !self.state.has_engine() {
            // Of one that has ended; the host drops these already.
            return;
        }
        if let Phase::Unlinking(_) = self.state.phase {
            return self.engine_while_unlinking(event);
        }
        match event {
            EngineEvent::Started => self.started(),
            EngineEvent::Loading(percent) => self.loading(percent.min(100)),
            EngineEvent::QrMade(begins_round) => self.qr_made(begins_round),
            EngineEvent::QrExpired => self.qr_expired(),
            EngineEvent::CodeMade => self.code_made(),
            EngineEvent::CodeFailed(failure) => self.code_failed(&failure),
            EngineEvent::Authenticated => self.authenticated(),
            EngineEvent::Ready(account) => self.ready(account),
            EngineEvent::ConnectionLost => self.connection_lost(),
            EngineEvent::LoggedOut(by_us) => self.logged_out(by_us),
            EngineEvent::Conflict => self.used_elsewhere(),
            EngineEvent::ClientOutdated => {
                let why = Why::told(Reason::ClientOutdated, messages::OUTDATED);
                self.refused(why, &messages::client_outdated());
            }
            EngineEvent::Banned(word) => {
                let why = Why::told(Reason::Banned, messages::banned(&word));
                self.refused(
                    why,
                    &messages::overtaken("WhatsApp refuses the account or the network"),
                );
            }
            EngineEvent::PasskeyRequired => {
                let why = Why::told(Reason::PasskeyRequired, messages::PASSKEY);
                self.refused(why, &messages::passkey_required());
            }
            EngineEvent::Probe(answers) => self.probed(answers),
            EngineEvent::Stopped => {
                let (kind, why) = (EngineFailureKind::Other, messages::STOPPED_BY_ITSELF);
                self.failed(failure::noticed(kind, "running", why));
            }
            EngineEvent::Failed(failure) => self.failed(failure),
        }
    }

    /// Many that start at once wait for each other; only now the time runs.
    fn started(&mut self) {
        let boot = self.boot_deadline();
        match &mut self.state.phase {
            Phase::Pairing(Pairing { stage: PairingStage::Starting { deadline, .. }, .. })
            | Phase::Linked(Linked { stage: LinkedStage::Starting { deadline, .. }, .. }) => {
                *deadline = boot;
            }
            _ => {}
        }
    }

    /// A page that progresses may take longer.
    fn loading(&mut self, now: u8) {
        let (boot, link) = (self.boot_deadline(), self.link_deadline());
        let told = match &mut self.state.phase {
            Phase::Pairing(Pairing {
                stage: PairingStage::Starting { percent, deadline }, ..
            }) => {
                *deadline = boot;
                percent
            }
            Phase::Linking { percent, deadline }
            | Phase::Linked(Linked {
                stage: LinkedStage::Starting { percent, deadline }, ..
            }) => {
                *deadline = link;
                percent
            }
            Phase::Linked(Linked { stage: LinkedStage::Lost { percent }, .. }) => percent,
            _ => return,
        };
        let is_news = match *told {
            None => true,
            Some(before) => before.abs_diff(now) >= STEP || (now == 100 && before < 100),
        };
        if is_news {
            *told = Some(now);
            self.events.push(EventData::Loading(now));
        }
    }
}
