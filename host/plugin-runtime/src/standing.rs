//! How a version does: its breaker, its last calls, and whether it is worse than
//! the version before it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use pairing_core::{
    id::SessionName,
    plugin::{PluginDigest, PluginError, Slot},
};

use crate::{
    breaker::{Breaker, Turn},
    health::{BreakerState, Health},
};

/// So many of the last calls are compared.
const LAST: usize = 200;
/// Fewer calls say nothing about the rate of errors,
const ENOUGH: usize = 20;
/// and fewer nothing about the slowest of them.
const ENOUGH_FOR_P99: usize = 100;
/// A rate of errors that is higher by this is worse.
const WORSE_BY: f64 = 0.05;
/// A p99 below this is never too slow, however fast the version before was.
const FAST_ENOUGH: Duration = Duration::from_millis(5);

/// What the host must do about a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alarm {
    /// It does worse than the version before it: go back to that one.
    Worse {
        /// How, for people.
        reason: String,
    },
    /// It was quarantined.
    Quarantined {
        /// Why, for people.
        reason: String,
    },
}

/// The rates of a version, to compare another with.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Record {
    errors: f64,
    p99: Option<Duration>,
}

/// What a version must not be worse than.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trial {
    /// It is as good as its name: nothing to compare it with.
    None,
    /// Its first calls are compared with the version before.
    Newcomer(Record),
    /// All its calls are.
    Canary(Record),
}

/// How a version does. Shared by all its calls.
pub(crate) struct Standing {
    slot: Slot,
    digest: PluginDigest,
    inner: Mutex<Inner>,
}

struct Inner {
    breaker: Breaker,
    trial: Trial,
    alarmed: bool,
    calls: u64,
    errors: BTreeMap<&'static str, u64>,
    last_error: Option<String>,
    last: VecDeque<(bool, Duration)>,
}

impl Standing {
    /// `is_proven`: it was active before, so it is known to answer.
    pub(crate) fn new(slot: Slot, digest: PluginDigest, is_proven: bool) -> Self {
        let inner = Inner {
            breaker: Breaker::new(is_proven),
            trial: Trial::None,
            alarmed: false,
            calls: 0,
            errors: BTreeMap::new(),
            last_error: None,
            last: VecDeque::new(),
        };
        Self { slot, digest, inner: Mutex::new(inner) }
    }

    /// From now on it is compared so. A new trial begins with a clean record.
    pub(crate) fn put_on_trial(&self, trial: Trial) {
        let mut inner = self.inner();
        inner.trial = trial;
        inner.alarmed = false;
        if !matches!(trial, Trial::None) {
            inner.last.clear();
        }
    }

    /// Is it still compared with the version before?
    pub(crate) fn is_on_trial(&self) -> bool {
        !matches!(self.inner().trial, Trial::None)
    }

    pub(crate) fn record(&self) -> Record {
        let inner = self.inner();
        Record { errors: error_rate(&inner.last), p99: p99(&inner.last) }
    }

    /// May a call begin?
    pub(crate) fn admit(&self) -> Result<(), PluginError> {
        let mut inner = self.inner();
        let before = inner.breaker.state();
        let admitted = inner.breaker.admit(Instant::now());
        if inner.breaker.state() != before {
            self.tell(inner.breaker.state());
        }
        admitted.map_err(|retry_after| PluginError::Paused { slot: self.slot, retry_after })
    }

    pub(crate) fn answered(&self, time: Duration) {
        let mut inner = self.inner();
        let before = inner.breaker.state();
        inner.breaker.answered();
        inner.count(true, time);
        if inner.breaker.state() != before {
            self.tell(inner.breaker.state());
        }
        if let Trial::Newcomer(_) = inner.trial
            && inner.last.len() >= LAST
        {
            inner.trial = Trial::None;
        }
    }

    /// A call failed. What to do about it, told once.
    pub(crate) fn failed(
        &self,
        session: &SessionName,
        kind: &'static str,
        error: &PluginError,
        time: Duration,
    ) {
        let mut inner = self.inner();
        inner.count(false, time);
        *inner.errors.entry(kind).or_default() += 1;
        inner.last_error = Some(told(kind, error));
        match inner.breaker.failed(session, Instant::now()) {
            Turn::Goes => {}
            Turn::Opened | Turn::Quarantined => self.tell(inner.breaker.state()),
        }
    }

    /// What to do about it, if anything, told once.
    pub(crate) fn alarm(&self) -> Option<Alarm> {
        let mut inner = self.inner();
        if inner.alarmed {
            return None;
        }
        let last = || inner.last_error.clone().unwrap_or_default();
        let state = inner.breaker.state();
        let alarm = match inner.trial {
            Trial::Newcomer(before) | Trial::Canary(before) => {
                let reason = if state == BreakerState::Closed {
                    inner.worse_than(before)
                } else {
                    Some(format!("it failed again and again; the last time: {}", last()))
                };
                reason.map(|reason| Alarm::Worse { reason })
            }
            Trial::None if state == BreakerState::Quarantined => {
                let reason = format!("it failed again and again; the last time: {}", last());
                Some(Alarm::Quarantined { reason })
            }
            Trial::None => None,
        };
        inner.alarmed = alarm.is_some();
        alarm
    }

    pub(crate) fn health(&self) -> Health {
        let inner = self.inner();
        Health {
            breaker: inner.breaker.state(),
            calls: inner.calls,
            errors: inner.errors.clone(),
            p99: p99(&inner.last),
            last_error: inner.last_error.clone(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its breaker among the metrics.
    pub(crate) fn show(&self) {
        self.set_gauge(self.inner().breaker.state());
    }

    /// The same once it serves nobody any more: nobody is to be woken because of it.
    pub(crate) fn show_left(&self) {
        self.set_gauge(BreakerState::Closed);
    }

    fn tell(&self, state: BreakerState) {
        self.set_gauge(state);
        if state != BreakerState::Closed {
            tracing::warn!(plugin = self.slot.as_str(), digest = %self.digest, breaker = state.as_str(), "the plugin's breaker");
        }
    }

    fn set_gauge(&self, state: BreakerState) {
        let value = match state {
            BreakerState::Closed => 0.0,
            BreakerState::HalfOpen => 1.0,
            BreakerState::Open => 2.0,
            BreakerState::Quarantined => 3.0,
        };
        let digest = metrics::SharedString::from_shared(self.digest.0.clone());
        metrics::gauge!("plugin_breaker_state", "plugin" => self.slot.label(), "digest" => digest)
            .set(value);
    }
}

impl Inner {
    fn count(&mut self, answered: bool, time: Duration) {
        self.calls += 1;
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back((answered, time));
    }

    fn worse_than(&self, before: Record) -> Option<String> {
        let percent = |rate: f64| (rate * 100.0).round();
        let errors = error_rate(&self.last);
        if self.last.len() >= ENOUGH && errors > before.errors + WORSE_BY {
            return Some(format!(
                "{} % of its last {} calls failed, and {} % of those of the version before; the \
                 last time: {}",
                percent(errors),
                self.last.len(),
                percent(before.errors),
                self.last_error.as_deref().unwrap_or_default(),
            ));
        }
        // Sorting at every call would cost more than the call's other bookkeeping.
        if self.last.len() < ENOUGH_FOR_P99 || !self.calls.is_multiple_of(20) {
            return None;
        }
        let (now, before) = (p99(&self.last)?, before.p99?);
        if now > FAST_ENOUGH && now > before * 2 {
            return Some(format!(
                "it needs {now:.1?} of processor time for the slowest hundredth of its calls, and \
                 the version before {before:.1?}"
            ));
        }
        None
    }
}

/// What a guest says may hold a phone number, so of a refusal there is the kind
/// alone.
fn told(kind: &'static str, error: &PluginError) -> String {
    match error {
        PluginError::Refused { .. } => kind.to_owned(),
        error => error.to_string(),
    }
}

fn error_rate(last: &VecDeque<(bool, Duration)>) -> f64 {
    let failures = last.iter().filter(|(answered, _)| !answered).count();
    failures as f64 / last.len().max(1) as f64
}

fn p99(last: &VecDeque<(bool, Duration)>) -> Option<Duration> {
    let mut times: Vec<_> = last.iter().map(|(_, time)| *time).collect();
    times.sort_unstable();
    times.get(times.len().checked_sub(1)? * 99 / 100).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn standing() -> Standing {
        Standing::new(Slot::Workflow, PluginDigest("0".repeat(64).into()), true)
    }

    fn trap() -> PluginError {
        PluginError::Trapped { slot: Slot::Workflow, message: "unreachable".into() }
    }

    /// `failures` of `calls`, spread evenly, each by another session.
    fn play(standing: &Standing, calls: usize, failures: usize, time: Duration) {
        for call in 0..calls {
            if failures > 0 && call % (calls / failures) == 0 {
                let session = format!("session-{call}").parse().unwrap();
                standing.failed(&session, "trapped", &trap(), time);
            } else {
                standing.answered(time);
            }
        }
    }

    fn old(failures: usize) -> Record {
        let standing = standing();
        play(&standing, 100, failures, MS);
        standing.record()
    }

    #[test]
    fn a_newcomer_that_fails_more_often_is_worse_after_twenty_calls() {
        let new = standing();
        new.put_on_trial(Trial::Newcomer(old(0)));
        play(&new, 19, 2, MS);
        assert_eq!(new.alarm(), None, "too few calls");
        new.answered(MS);
        let Some(Alarm::Worse { reason }) = new.alarm() else { panic!("worse") };
        assert!(reason.starts_with("15 % of its last 20 calls failed, and 0 %"), "{reason}");
        assert_eq!(new.alarm(), None, "told once");
    }

    #[test]
    fn one_that_fails_as_often_is_not() {
        let new = standing();
        new.put_on_trial(Trial::Canary(old(10)));
        play(&new, 100, 10, MS);
        assert_eq!(new.alarm(), None);
    }

    #[test]
    fn one_that_is_twice_as_slow_is_worse_unless_it_is_fast_all_the_same() {
        for (time, is_worse) in [(3 * MS, false), (11 * MS, true)] {
            let new = standing();
            new.put_on_trial(Trial::Canary(old(0)));
            play(&new, 100, 0, time);
            assert_eq!(new.alarm().is_some(), is_worse, "{time:?}");
        }
    }

    #[test]
    fn one_that_always_fails_is_worse_after_five_calls() {
        let new = standing();
        new.put_on_trial(Trial::Newcomer(old(0)));
        play(&new, 5, 5, MS);
        assert!(matches!(new.alarm(), Some(Alarm::Worse { .. })));
    }

    #[test]
    fn a_newcomer_is_none_any_more_after_two_hundred_calls_but_a_canary_stays_one() {
        let (newcomer, canary) = (standing(), standing());
        newcomer.put_on_trial(Trial::Newcomer(old(0)));
        canary.put_on_trial(Trial::Canary(old(0)));
        play(&newcomer, 200, 0, MS);
        play(&canary, 200, 0, MS);
        assert_eq!((newcomer.is_on_trial(), canary.is_on_trial()), (false, true));
    }

    #[test]
    fn health_says_what_failed_and_never_what_a_guest_said() {
        let standing = standing();
        standing.answered(MS);
        let said = PluginError::Refused { slot: Slot::Workflow, message: "5511999990001".into() };
        standing.failed(&"a".parse().unwrap(), "refused", &said, MS);
        let health = standing.health();
        assert_eq!((health.calls, health.errors["refused"]), (2, 1));
        assert_eq!(health.last_error.as_deref(), Some("refused"));
    }
}
