//! What the clock brings, and the host's start.

use super::Step;
use crate::{
    contract::{Effect, EngineFailureKind, Reason},
    failure, messages,
    state::{LinkedStage, PairingStage, Phase, Why},
};

impl Step<'_> {
    /// No engine runs, no code is alive, nobody waits for a reply. What was under
    /// way begins anew; what rested goes on resting.
    pub(super) fn host_started(&mut self) {
        match &self.state.phase {
            Phase::Off { .. } | Phase::Deleted => {}
            Phase::Pairing(_) => self.start_pairing(None),
            Phase::Linked(_) if self.state.account.is_some() && !self.reconnects_by_itself() => {
                self.rest(true, Why::told(Reason::Stopped, messages::NOT_BY_ITSELF));
            }
            Phase::Linked(linked) if linked.is_used_elsewhere() => {}
            Phase::Linking { .. } | Phase::Linked(_) => self.start_linked(0),
            Phase::Unlinking(_) => self.unlink_again(),
        }
    }

    pub(super) fn wake_up(&mut self) {
        let now = self.context.now;
        if self.state.wake_up_at().is_none_or(|wake_up_at| now < wake_up_at) {
            return;
        }
        match &mut self.state.phase {
            Phase::Off { .. } | Phase::Deleted => {}
            Phase::Pairing(pairing) => {
                let code_deadline = pairing.asked.as_ref().and_then(|asked| asked.deadline);
                if code_deadline.is_some_and(|deadline| deadline <= now) {
                    return self.code_overdue();
                }
                match pairing.stage {
                    PairingStage::Starting { .. } => self.overdue(messages::NO_CODE_IN_TIME),
                    PairingStage::Waiting(_) => self.start_pairing_again(),
                    PairingStage::Ready { .. } => self.code_expired(),
                }
            }
            Phase::Linking { .. } => self.overdue(messages::NO_SYNC_IN_TIME),
            Phase::Linked(linked) => match linked.stage {
                LinkedStage::Starting { .. } => self.overdue(messages::NO_CONNECTION_IN_TIME),
                LinkedStage::Waiting(_) if linked.is_used_elsewhere() => self.take_over(),
                LinkedStage::Waiting(_) => {
                    let attempt = linked.attempt;
                    self.start_linked(attempt);
                }
                LinkedStage::Online { .. } | LinkedStage::Lost { .. } => {}
            },
            Phase::Unlinking(_) => self.unlinking_overdue(),
        }
    }

    /// Unlike a start that somebody asked for, this counts on.
    fn start_pairing_again(&mut self) {
        let deadline = self.boot_deadline();
        if self.is_in_vain() {
            return self.park(messages::PARKED_UNSEEN);
        }
        if let Phase::Pairing(pairing) = &mut self.state.phase {
            pairing.stage = PairingStage::Starting { percent: None, deadline };
            self.act(Effect::StartEngine);
        }
    }

    fn overdue(&mut self, message: &str) {
        self.act(Effect::StopEngine);
        self.failed(failure::noticed(EngineFailureKind::Deadline, "starting", message));
    }
}
