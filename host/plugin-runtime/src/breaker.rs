//! May a version be called? After failures it rests, longer each time; when that
//! happens too often it is not called any more.

use std::{
    collections::{HashSet, VecDeque},
    time::{Duration, Instant},
};

use pairing_core::id::SessionName;

use crate::health::BreakerState;

/// So many failures in a row open the breaker.
const IN_A_ROW: usize = 5;
/// Or more than half of so many calls.
const WINDOW: usize = 20;
/// First and longest rest; it doubles in between.
const REST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// So many openings within this time are the end.
const OPENINGS: usize = 3;
const OPENINGS_WITHIN: Duration = Duration::from_secs(600);

/// What a failure led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing.
    Goes,
    /// The version rests.
    Opened,
    /// The version is not called any more.
    Quarantined,
}

/// Counts failures. Told the time, so that tests need not wait.
#[derive(Debug)]
pub(crate) struct Breaker {
    state: State,
    /// It has answered before, so one session that fails alone proves nothing.
    is_proven: bool,
    /// Sessions that failed since the last answer.
    failing: HashSet<SessionName>,
    in_a_row: usize,
    /// True: answered.
    window: VecDeque<bool>,
    rest: Duration,
    openings: VecDeque<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open {
        until: Instant,
    },
    /// A call is on its way that tells how it is; another is let through if that
    /// one does not come back.
    HalfOpen {
        until: Instant,
    },
    Quarantined,
}

impl Breaker {
    pub(crate) fn new(is_proven: bool) -> Self {
        Self {
            state: State::Closed,
            is_proven,
            failing: HashSet::new(),
            in_a_row: 0,
            window: VecDeque::with_capacity(WINDOW),
            rest: REST.0,
            openings: VecDeque::new(),
        }
    }

    pub(crate) fn state(&self) -> BreakerState {
        match self.state {
            State::Closed => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
            State::Quarantined => BreakerState::Quarantined,
        }
    }

    /// May a call begin? Else after which time; none means never.
    pub(crate) fn admit(&mut self, now: Instant) -> Result<(), Option<Duration>> {
        match self.state {
            State::Closed => Ok(()),
            State::Quarantined => Err(None),
            State::Open { until } | State::HalfOpen { until } if now < until => {
                Err(Some(until - now))
            }
            State::Open { .. } | State::HalfOpen { .. } => {
                self.state = State::HalfOpen { until: now + REST.0 };
                Ok(())
            }
        }
    }

    pub(crate) fn answered(&mut self) {
        self.is_proven = true;
        self.failing.clear();
        self.in_a_row = 0;
        self.remember(true);
        if self.state() == BreakerState::HalfOpen {
            self.state = State::Closed;
            self.rest = REST.0;
            self.window.clear();
        }
    }

    /// A session whose call fails again and again counts once: it is parked alone,
    /// and must not take the plugin from all others. Unless nobody ever got an
    /// answer.
    pub(crate) fn failed(&mut self, session: &SessionName, now: Instant) -> Turn {
        let was_trying = self.state() == BreakerState::HalfOpen;
        let is_news = self.failing.insert(session.clone()) || !self.is_proven;
        if !is_news && !was_trying {
            return Turn::Goes;
        }
        self.in_a_row += 1;
        self.remember(false);
        let failures = self.window.iter().filter(|answered| !**answered).count();
        let too_many = self.window.len() == WINDOW && failures * 2 > WINDOW;
        match self.state {
            State::Quarantined | State::Open { .. } => Turn::Goes,
            State::Closed if self.in_a_row < IN_A_ROW && !too_many => Turn::Goes,
            State::Closed | State::HalfOpen { .. } => self.open(now),
        }
    }

    fn open(&mut self, now: Instant) -> Turn {
        self.openings.retain(|opening| now.duration_since(*opening) < OPENINGS_WITHIN);
        self.openings.push_back(now);
        self.in_a_row = 0;
        self.window.clear();
        if self.openings.len() >= OPENINGS {
            self.state = State::Quarantined;
            return Turn::Quarantined;
        }
        self.state = State::Open { until: now + self.rest };
        self.rest = (self.rest * 2).min(REST.1);
        Turn::Opened
    }

    fn remember(&mut self, answered: bool) {
        if self.window.len() == WINDOW {
            self.window.pop_front();
        }
        self.window.push_back(answered);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: usize) -> SessionName {
        format!("session-{number}").parse().unwrap()
    }

    /// Fails for ever new sessions until something happens; how often it failed.
    fn fail_until_turn(breaker: &mut Breaker, now: Instant) -> (usize, Turn) {
        (1..)
            .map(|count| (count, breaker.failed(&session(count), now)))
            .find(|(_, turn)| *turn != Turn::Goes)
            .unwrap()
    }

    #[test]
    fn five_in_a_row_open_it_for_a_second_then_one_call_tells() {
        let (mut breaker, now) = (Breaker::new(true), Instant::now());
        assert_eq!(fail_until_turn(&mut breaker, now), (5, Turn::Opened));
        assert_eq!(breaker.admit(now), Err(Some(Duration::from_secs(1))));
        let later = now + Duration::from_secs(1);
        assert_eq!(breaker.admit(later), Ok(()));
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        assert!(breaker.admit(later).is_err(), "one call at a time");
        breaker.answered();
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn an_answer_in_between_begins_the_count_anew() {
        let (mut breaker, now) = (Breaker::new(true), Instant::now());
        for number in 0..9 {
            assert_eq!(breaker.failed(&session(number), now), Turn::Goes);
            breaker.answered();
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn more_than_half_of_twenty_open_it() {
        let (mut breaker, now) = (Breaker::new(true), Instant::now());
        let mut turns = Vec::new();
        // Two failures to each answer: never five in a row.
        for number in 0..30 {
            if number % 3 == 2 {
                breaker.answered();
            } else {
                turns.push(breaker.failed(&session(number), now));
            }
            if turns.last() == Some(&Turn::Opened) {
                break;
            }
        }
        assert_eq!(turns.last(), Some(&Turn::Opened));
        assert!((13..=15).contains(&turns.len()), "{}", turns.len());
    }

    #[test]
    fn rests_double_and_the_third_opening_within_ten_minutes_is_the_end() {
        let (mut breaker, mut now) = (Breaker::new(true), Instant::now());
        for rest in [1, 2] {
            assert_eq!(fail_until_turn(&mut breaker, now).1, Turn::Opened);
            assert_eq!(breaker.admit(now), Err(Some(Duration::from_secs(rest))));
            now += Duration::from_secs(rest);
            breaker.admit(now).unwrap();
        }
        assert_eq!(breaker.failed(&session(0), now), Turn::Quarantined);
        assert_eq!(breaker.admit(now + Duration::from_secs(3600)), Err(None));
    }

    #[test]
    fn openings_long_ago_are_forgotten() {
        let (mut breaker, mut now) = (Breaker::new(true), Instant::now());
        for _ in 0..5 {
            assert_eq!(fail_until_turn(&mut breaker, now).1, Turn::Opened);
            now += Duration::from_secs(301);
            breaker.admit(now).unwrap();
            breaker.answered();
        }
    }

    #[test]
    fn one_session_that_fails_for_ever_counts_once() {
        let (mut breaker, now) = (Breaker::new(false), Instant::now());
        breaker.answered();
        for _ in 0..100 {
            assert_eq!(breaker.failed(&session(1), now), Turn::Goes);
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn a_version_that_never_answered_is_judged_by_a_single_session() {
        let (mut breaker, now) = (Breaker::new(false), Instant::now());
        let turns: Vec<_> = (0..5).map(|_| breaker.failed(&session(1), now)).collect();
        assert_eq!(turns.last(), Some(&Turn::Opened));
    }

    #[test]
    fn a_call_that_never_comes_back_does_not_keep_it_half_open() {
        let (mut breaker, now) = (Breaker::new(true), Instant::now());
        fail_until_turn(&mut breaker, now);
        let later = now + Duration::from_secs(2);
        breaker.admit(later).unwrap();
        assert_eq!(breaker.admit(later + Duration::from_secs(1)), Ok(()));
    }
}
