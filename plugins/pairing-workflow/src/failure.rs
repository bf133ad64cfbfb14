//! What follows when the engine fails.

use crate::{
    contract::{Context, Duration, EngineFailure, EngineFailureKind, Reason, Settings},
    state::{Waiting, Why},
};

/// The reason that a session ends with when the engine failed too often.
pub(crate) fn reason(kind: EngineFailureKind) -> Reason {
    match kind {
        EngineFailureKind::LaunchFailed
        | EngineFailureKind::BrowserExited
        | EngineFailureKind::PageCrashed => Reason::EngineCrashed,
        EngineFailureKind::PageChanged | EngineFailureKind::Deadline => Reason::PageChanged,
        EngineFailureKind::NavigationFailed | EngineFailureKind::Other => Reason::Other,
    }
}

/// A failure that we noticed, not the engine.
pub(crate) fn noticed(kind: EngineFailureKind, step: &str, message: &str) -> EngineFailure {
    EngineFailure { kind, step: step.into(), message: message.into() }
}

pub(crate) fn why(failure: EngineFailure) -> Why {
    Why { reason: reason(failure.kind), message: Some(failure.message), step: Some(failure.step) }
}

/// Waits before the `attempt`th attempt, counted from 1.
pub(crate) fn waiting(failure: EngineFailure, attempt: u32, context: &Context) -> Waiting {
    let delay = delay(attempt, &context.settings, context.seed);
    let EngineFailure { step, message, .. } = failure;
    Waiting { at: context.now.saturating_add(delay), message, step, conflict: false }
}

/// Doubles with each attempt up to the limit. Up to half of it is taken off by
/// chance, so that many sessions that failed together do not start together.
fn delay(attempt: u32, settings: &Settings, seed: u64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(32);
    let whole = settings.first_retry_delay.saturating_mul(1 << doublings);
    let whole = whole.min(settings.max_retry_delay);
    whole - seed % (whole / 2 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::settings;

    #[test]
    fn delays_double_up_to_the_limit() {
        let settings = Settings { first_retry_delay: 1_000, max_retry_delay: 10_000, ..settings() };
        let longest: Vec<Duration> = (1..=6).map(|attempt| delay(attempt, &settings, 0)).collect();
        assert_eq!(longest, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
        assert_eq!(delay(u32::MAX, &settings, 0), 10_000);
    }

    #[test]
    fn chance_takes_off_up_to_a_half() {
        let settings = Settings { first_retry_delay: 1_000, max_retry_delay: 10_000, ..settings() };
        let delays: Vec<Duration> = (0..2_000).map(|seed| delay(1, &settings, seed)).collect();
        assert_eq!(delays.iter().min(), Some(&500));
        assert_eq!(delays.iter().max(), Some(&1_000));
    }

    #[test]
    fn a_delay_of_nothing_is_no_error() {
        let settings = Settings { first_retry_delay: 0, max_retry_delay: 0, ..settings() };
        assert_eq!(delay(9, &settings, u64::MAX), 0);
    }
}
