//! The link is used elsewhere. It is not lost, and whoever uses it there may be
//! right: so it is taken back late, seldom, and not for ever.

use super::Step;
use crate::{
    contract::{Duration, Effect, Reason},
    messages,
    state::{Linked, LinkedStage, Phase, Waiting, Why},
};

/// Up to half as much again is added by chance, so that two hosts with one link do
/// not take it from each other in step.
const WAIT: Duration = 30_000;
const HOUR: Duration = 3_600_000;
/// In any hour. What a person asks for is not counted.
const MAX_TAKEOVERS: usize = 2;

impl Step<'_> {
    pub(super) fn used_elsewhere(&mut self) {
        let why = Why::told(Reason::Conflict, messages::CONFLICT);
        if !matches!(self.state.phase, Phase::Linking { .. } | Phase::Linked(_)) {
            // No link of ours is at stake.
            return self.refused(why, &messages::overtaken("WhatsApp Web was opened elsewhere"));
        }
        self.act(Effect::StopEngine);
        self.wait_to_take_over(why);
    }

    /// The engine is stopped already.
    pub(super) fn wait_to_take_over(&mut self, why: Why) {
        let now = self.context.now;
        self.state.takeovers.retain(|at| now.abs_diff(*at) < HOUR);
        let may_take_over =
            self.reconnects_by_itself() && self.state.takeovers.len() < MAX_TAKEOVERS;
        let wait = match may_take_over {
            true => WAIT + self.context.seed % (WAIT / 2 + 1),
            // A link that must not be is given up some day.
            false if self.state.wrong.is_some() => self.context.settings.max_retry_delay.max(WAIT),
            false => return self.rest(true, why),
        };
        let waiting = Waiting {
            at: self.later(wait),
            message: messages::CONFLICT_WAITS.into(),
            step: "used elsewhere".into(),
            conflict: true,
        };
        let stage = LinkedStage::Waiting(waiting);
        self.state.phase = Phase::Linked(Linked { stage, attempt: 0 });
    }

    pub(super) fn take_over(&mut self) {
        let now = self.context.now;
        self.state.takeovers.push(now);
        self.start_linked(0);
    }
}
