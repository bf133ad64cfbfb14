//! What the workflow decides.

use pairing_core::{
    clock::Timestamp,
    session::{ShownCode, View},
    workflow::{Effect, Transition},
};

use crate::bindings::machine as wit;

pub(crate) fn transition(transition: wit::Transition) -> Transition {
    Transition {
        state: transition.state,
        view: view(transition.view),
        events: transition.events.into_iter().map(Into::into).collect(),
        effects: transition.effects.into_iter().map(effect).collect(),
        wake_up_at: transition.wake_up_at.map(Timestamp),
    }
}

fn view(view: wit::View) -> View {
    let shown = |code: wit::ShownCode| ShownCode {
        kind: code.kind.into(),
        sequence: code.sequence,
        expires_at: Timestamp(code.expires_at),
    };
    View {
        status: view.status.into(),
        reason: view.reason.map(Into::into),
        detail: view.detail.map(Into::into),
        account: view.account.map(Into::into),
        linked: view.linked,
        expected_phone_number: view.expected_phone_number,
        shown: view.shown.map(shown),
    }
}

fn effect(effect: wit::Effect) -> Effect {
    match effect {
        wit::Effect::StartEngine => Effect::StartEngine,
        wit::Effect::StopEngine => Effect::StopEngine,
        wit::Effect::RefreshQr => Effect::RefreshQr,
        wit::Effect::RequestPairingCode(phone_number) => {
            Effect::RequestPairingCode { phone_number }
        }
        wit::Effect::LogOut => Effect::LogOut,
        wit::Effect::WipeProfile => Effect::WipeProfile,
        wit::Effect::Reply(reply) => Effect::Reply { id: reply.id, outcome: reply.outcome.into() },
        wit::Effect::DeleteSession => Effect::DeleteSession,
    }
}
