//! Whether a page lives, decided from when it was asked and when it gave a sign
//! of life. Pure: times in, acts out; no browser, no clock. `heartbeat.rs` drives it.
//!
//! ```text
//!          two questions in a row unanswered          patience of the step is over
//!   well ────────────────────────────────────► down ──────────────────────────────► next step … given up
//!    ▲                                          │
//!    └────────────── any sign of life ──────────┘
//! ```
//!
//! Only time in which the host itself was awake counts, so that a host that was
//! starved or frozen does not take its own sleep for the page's.

use std::time::Duration;

use pairing_core::evidence::RepairStep;

/// The longest time between two ticks.
const TICK: Duration = Duration::from_secs(1);

/// A tick that comes so much later than was asked for: the host slept meanwhile.
const LATE: Duration = Duration::from_millis(100);

/// After a sleep what the page had said is let in before it is judged.
const GRACE: Duration = Duration::from_millis(250);

/// So many questions in a row are missed before a linked page counts as dead.
const MISSES: u32 = 2;

/// The same for one that is not linked, or begins: it is not repaired but given up,
/// and on a machine that is busy with many starts it may well be starved.
const MISSES_UNREADY: u32 = 6;

/// How long what may take. A page is told as dead `every + 2 * answer` after its
/// last sign of life, and has recovered or is given up `agent + reload` later.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// From a sign of life to the next question.
    pub(crate) every: Duration,
    /// From a question to its answer.
    pub(crate) answer: Duration,
    /// From a new agent to a sign of life.
    pub(crate) agent: Duration,
    /// From a reload to a sign of life.
    pub(crate) reload: Duration,
    /// A page that is dead again so soon after it recovered needs a rougher step.
    pub(crate) relapse: Duration,
}

/// What kind of page it is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// There is none yet; how long that may take is for others to mind.
    Absent,
    /// Nothing is linked, or it has not come so far yet: nothing is repaired.
    Unready,
    /// It is linked.
    Linked,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Ask the page.
    Ask,
    /// It does not answer: repair it. After `Restart` there is nothing more to do here.
    Repair(RepairStep),
    /// It was dead and lives.
    Recovered,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Well { misses: u32, question: Question },
    Down { step: RepairStep, until: Duration, ask_at: Duration },
    GivenUp,
}

#[derive(Debug, Clone, Copy)]
enum Question {
    /// To be asked then.
    Due(Duration),
    /// Unanswered so far; missed then.
    Open(Duration),
}

/// One page's watch. All times are from any common start.
#[derive(Debug)]
pub(crate) struct Liveness {
    patience: Patience,
    page: Page,
    state: State,
    /// When this was last called, and how soon it wanted to be called again.
    called: Duration,
    planned: Duration,
    /// The last call came late, so that nothing was judged.
    has_grace: bool,
    /// Time awake: what all else here is measured by.
    awake: Duration,
    /// The last repair that helped, and when it had.
    helped: Option<(RepairStep, Duration)>,
}

impl Liveness {
    pub(crate) fn new(now: Duration, patience: Patience) -> Self {
        let question = Question::Due(patience.every);
        Self {
            patience,
            page: Page::Absent,
            state: State::Well { misses: 0, question },
            called: now,
            planned: Duration::ZERO,
            has_grace: false,
            awake: Duration::ZERO,
            helped: None,
        }
    }

    /// How long after the last call the next tick is wanted.
    pub(crate) fn next_tick(&mut self) -> Duration {
        let due = match self.state {
            _ if self.has_grace => self.awake + GRACE,
            State::Well { question: Question::Due(at) | Question::Open(at), .. } => at,
            State::Down { until, ask_at, .. } => until.min(ask_at),
            State::GivenUp => self.awake + TICK,
        };
        self.planned = due.saturating_sub(self.awake).min(TICK);
        self.planned
    }

    pub(crate) fn is_down(&self) -> bool {
        matches!(self.state, State::Down { .. })
    }

    /// It is another kind of page now.
    pub(crate) fn becomes(&mut self, now: Duration, page: Page) {
        self.wake(now);
        self.page = page;
    }

    /// A sign of life: an answer, however late, or anything that the page says by itself.
    pub(crate) fn lives(&mut self, now: Duration) -> Option<Act> {
        self.wake(now);
        self.has_grace = false;
        let question = Question::Due(self.awake + self.patience.every);
        let before = std::mem::replace(&mut self.state, State::Well { misses: 0, question });
        match before {
            State::Well { .. } => None,
            State::Down { step, .. } => {
                self.helped = Some((step, self.awake));
                Some(Act::Recovered)
            }
            State::GivenUp => {
                self.state = State::GivenUp;
                None
            }
        }
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Duration) -> Option<Act> {
        if self.wake(now) {
            return None;
        }
        match (self.state, self.page) {
            (State::GivenUp, _) => None,
            (State::Well { .. }, Page::Absent) => {
                let question = Question::Due(self.awake + self.patience.every);
                self.state = State::Well { misses: 0, question };
                None
            }
            (State::Well { misses, question: Question::Due(at) }, _) if self.awake >= at => {
                Some(self.ask(misses))
            }
            (State::Well { misses, question: Question::Open(until) }, page)
                if self.awake >= until =>
            {
                let (limit, step) = match page {
                    Page::Linked => (MISSES, self.first_step()),
                    _ => (MISSES_UNREADY, RepairStep::Restart),
                };
                let misses = misses + 1;
                Some(if misses < limit { self.ask(misses) } else { self.begin(step) })
            }
            (State::Down { step, until, .. }, _) if self.awake >= until => {
                Some(self.begin(next_step(step)))
            }
            (State::Down { step, until, ask_at }, _) if self.awake >= ask_at => {
                let ask_at = self.awake + self.patience.every;
                self.state = State::Down { step, until, ask_at };
                Some(Act::Ask)
            }
            _ => None,
        }
    }

    fn ask(&mut self, misses: u32) -> Act {
        let question = Question::Open(self.awake + self.patience.answer);
        self.state = State::Well { misses, question };
        Act::Ask
    }

    fn begin(&mut self, step: RepairStep) -> Act {
        let patience = match step {
            RepairStep::Agent => Some(self.patience.agent),
            RepairStep::Reload => Some(self.patience.reload),
            RepairStep::Restart => None,
        };
        self.state = match patience {
            // Soon after the step, for a repaired page does not speak by itself.
            Some(patience) => State::Down {
                step,
                until: self.awake + patience,
                ask_at: self.awake + self.patience.every / 4,
            },
            None => State::GivenUp,
        };
        Act::Repair(step)
    }

    fn first_step(&self) -> RepairStep {
        match self.helped {
            Some((step, at)) if self.awake - at < self.patience.relapse => next_step(step),
            _ => RepairStep::Agent,
        }
    }

    /// Adds the time since the last call, but not what goes beyond the plan: the host
    /// slept in it. True if it did, and nothing is to be judged; a host that always
    /// sleeps is believed every second time, or it would never notice anything.
    fn wake(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.called);
        self.called = self.called.max(now);
        let longest = self.planned + LATE;
        self.awake += passed.min(longest);
        self.has_grace = passed > longest && !self.has_grace;
        self.has_grace
    }
}

fn next_step(step: RepairStep) -> RepairStep {
    match step {
        RepairStep::Agent => RepairStep::Reload,
        RepairStep::Reload | RepairStep::Restart => RepairStep::Restart,
    }
}

#[cfg(test)]
mod tests;
