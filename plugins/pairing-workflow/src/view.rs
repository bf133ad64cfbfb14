//! What the world sees. It follows from the state alone.

use crate::{
    contract::{Detail, Reason, Status, View},
    messages,
    state::{
        Linked, LinkedStage, Pairing, PairingStage, Phase, State, Unlinking, UnlinkingStage,
        Waiting, Why,
    },
};

/// Status, reason and detail.
type Standing = (Status, Option<Reason>, Option<Detail>);

impl State {
    pub(crate) fn view(&self) -> View {
        let (status, reason, detail) = self.standing();
        let shown = match &self.phase {
            Phase::Pairing(Pairing { stage: PairingStage::Ready { shown, .. }, .. }) => *shown,
            _ => None,
        };
        View {
            status,
            reason,
            detail,
            account: self.account.clone(),
            linked: self.is_linked(),
            expected_phone_number: self.expected.clone(),
            shown,
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        match &self.phase {
            Phase::Off { why, .. } => (Status::Disconnected, Some(why.reason), off(why)),
            Phase::Pairing(pairing) => of_pairing(pairing),
            Phase::Linking { percent, .. } => {
                let reason = percent.map(|_| Reason::Loading);
                (Status::Authenticated, reason, loading(*percent, None))
            }
            Phase::Linked(linked) => of_linked(linked),
            Phase::Unlinking(unlinking) => of_unlinking(unlinking),
            Phase::Deleted => (Status::Disconnected, Some(Reason::Stopped), None),
        }
    }
}

fn of_pairing(pairing: &Pairing) -> Standing {
    let attempt = Some(pairing.restarts).filter(|restarts| *restarts > 0);
    match &pairing.stage {
        PairingStage::Starting { percent, .. } => starting(*percent, attempt),
        PairingStage::Waiting(wait) => {
            (Status::Connecting, Some(Reason::Starting), Some(waiting(wait, attempt)))
        }
        PairingStage::Ready { .. } => (Status::QrReady, None, None),
    }
}

fn of_linked(linked: &Linked) -> Standing {
    let attempt = Some(linked.attempt).filter(|attempt| *attempt > 0);
    match &linked.stage {
        LinkedStage::Starting { percent, .. } => match attempt {
            None => starting(*percent, None),
            Some(_) => (Status::Connecting, Some(Reason::Reconnecting), loading(*percent, attempt)),
        },
        LinkedStage::Waiting(wait) => {
            let reason = if wait.conflict { Reason::Conflict } else { Reason::Reconnecting };
            (Status::Connecting, Some(reason), Some(waiting(wait, attempt)))
        }
        LinkedStage::Online { degraded: false } => (Status::Connected, None, None),
        LinkedStage::Online { degraded: true } => (Status::Connected, Some(Reason::Degraded), None),
        LinkedStage::Lost { percent } => {
            (Status::Connecting, Some(Reason::Reconnecting), loading(*percent, None))
        }
    }
}

fn of_unlinking(unlinking: &Unlinking) -> Standing {
    let detail = Some(Detail { message: Some(messages::UNLINKING.into()), ..no_detail() });
    match unlinking.stage {
        UnlinkingStage::Connecting { .. } => (Status::Connecting, Some(Reason::Other), detail),
        UnlinkingStage::Asked { was_online: true, .. } => (Status::Connected, None, detail),
        UnlinkingStage::Asked { was_online: false, .. } => {
            (Status::Authenticated, Some(Reason::Other), detail)
        }
    }
}

fn starting(percent: Option<u8>, attempt: Option<u32>) -> Standing {
    let reason = if percent.is_some() { Reason::Loading } else { Reason::Starting };
    (Status::Connecting, Some(reason), loading(percent, attempt))
}

fn loading(percent: Option<u8>, attempt: Option<u32>) -> Option<Detail> {
    (percent.is_some() || attempt.is_some()).then(|| Detail { percent, attempt, ..no_detail() })
}

fn waiting(waiting: &Waiting, attempt: Option<u32>) -> Detail {
    Detail {
        attempt,
        next_try_at: Some(waiting.at),
        message: Some(waiting.message.clone()),
        step: Some(waiting.step.clone()),
        ..no_detail()
    }
}

fn off(why: &Why) -> Option<Detail> {
    let Why { message, step, .. } = why.clone();
    (message.is_some() || step.is_some()).then(|| Detail { message, step, ..no_detail() })
}

fn no_detail() -> Detail {
    Detail { percent: None, attempt: None, next_try_at: None, message: None, step: None }
}
