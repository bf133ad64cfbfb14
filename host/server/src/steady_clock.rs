//! The host's time: the machine's clock at the start, and from then on what has
//! passed since. Somebody who sets the machine's clock while the host runs must not
//! make deadlines pass at once, or never: sessions would be dropped by it. Only
//! what tokens say of time is held against the machine's clock itself.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use nix::time::{ClockId, clock_gettime};
use pairing_core::clock::{Clock, SystemClock, Timestamp};
use tokio_util::sync::CancellationToken;

/// Differences up to this are taken over little by little; larger ones are not a
/// clock's drift but somebody's doing, and are told.
const DRIFT: Duration = Duration::from_secs(5 * 60);
/// Of the time that passes, the share by which this clock may be wrong meanwhile.
const SLEW: i64 = 20;
/// Longest wait without a look: while the machine sleeps no timer runs.
const LOOK: Duration = Duration::from_secs(10);
/// Between comparisons with the machine's clock, for the log.
const COMPARE_EVERY: Duration = Duration::from_secs(60);

/// A clock that never jumps, and goes on while the machine sleeps.
#[derive(Debug)]
pub struct SteadyClock(Mutex<Reading>);

/// What the clock showed when it was last looked at, in microseconds.
#[derive(Debug, Clone, Copy)]
struct Reading {
    shown: i64,
    since_boot: i64,
}

impl Reading {
    /// What it shows now, given how long the machine runs and what its clock says.
    fn go_on(self, since_boot: i64, wall: i64) -> Self {
        let passed = (since_boot - self.since_boot).max(0);
        let shown = self.shown + passed;
        let wrong_by = wall - shown;
        let drift = i64::try_from(DRIFT.as_micros()).unwrap_or(i64::MAX);
        let most = if wrong_by.abs() <= drift { passed / SLEW } else { 0 };
        Self { shown: shown + wrong_by.clamp(-most, most), since_boot }
    }
}

impl SteadyClock {
    /// A clock that shows what the machine's clock says now.
    pub fn start() -> Self {
        Self(Mutex::new(Reading { shown: wall(), since_boot: since_boot() }))
    }

    /// Says so in the log when somebody has set the machine's clock.
    pub async fn compare(&self, stopping: CancellationToken) {
        let mut told = Duration::ZERO;
        loop {
            let shown = self.now();
            let wall = SystemClock.now();
            let apart = shown.since(wall).max(wall.since(shown));
            if apart > DRIFT && apart.abs_diff(told) > DRIFT {
                told = apart;
                tracing::warn!(
                    machine = %wall, host = %shown,
                    "the machine's clock was set by much; tokens follow it, sessions and events keep the host's time until it is started again"
                );
            }
            tokio::select! {
                () = tokio::time::sleep(COMPARE_EVERY) => {}
                () = stopping.cancelled() => return,
            }
        }
    }
}

#[async_trait]
impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *reading = reading.go_on(since_boot(), wall());
        Timestamp(u64::try_from(reading.shown / 1000).unwrap_or(0))
    }

    async fn sleep_until(&self, time: Timestamp) {
        loop {
            let left = time.since(self.now());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LOOK)).await;
        }
    }
}

fn wall() -> i64 {
    i64::try_from(SystemClock.now().0).unwrap_or(i64::MAX / 1000).saturating_mul(1000)
}

/// Microseconds; counts on while the machine sleeps.
fn since_boot() -> i64 {
    // The kernel has this clock since 2.6.39.
    clock_gettime(ClockId::CLOCK_BOOTTIME)
        .map_or(0, |time| time.tv_sec() * 1_000_000 + time.tv_nsec() / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;
    const START: Reading = Reading { shown: 1_790_000_000 * SECOND, since_boot: 100 * SECOND };

    /// Shows what it shows after each second of a minute, with a machine's clock
    /// that is set by `step` at its start.
    fn a_minute(step: i64) -> Vec<i64> {
        let mut reading = START;
        (1..=60)
            .map(|second| {
                let wall = START.shown + second * SECOND + step;
                reading = reading.go_on(START.since_boot + second * SECOND, wall);
                reading.shown - START.shown
            })
            .collect()
    }

    #[test]
    fn a_set_clock_moves_nothing() {
        let hour = 3600 * SECOND;
        for step in [hour, -hour, 24 * hour, -24 * hour, -START.shown, 30 * 365 * 24 * hour] {
            let shown = a_minute(step);
            assert_eq!(shown.last(), Some(&(60 * SECOND)), "by {step}");
        }
    }

    #[test]
    fn drift_is_taken_over_without_a_jump() {
        for step in [2 * SECOND, -2 * SECOND] {
            let shown = a_minute(step);
            let mut before = 0;
            for now in &shown {
                let passed = now - before;
                assert!((SECOND - SECOND / 20..=SECOND + SECOND / 20).contains(&passed));
                before = *now;
            }
            assert_eq!(shown.last(), Some(&(60 * SECOND + step)));
        }
    }

    #[test]
    fn a_machine_that_slept_has_slept() {
        let hour = 3600 * SECOND;
        let woken = START.go_on(START.since_boot + 8 * hour, START.shown + 8 * hour);
        assert_eq!(woken.shown, START.shown + 8 * hour);
    }

    #[tokio::test]
    async fn it_waits_until_the_time_has_come() {
        let clock = SteadyClock::start();
        let time = clock.now().after(Duration::from_millis(20));
        clock.sleep_until(time).await;
        assert!(clock.now() >= time);
    }
}
