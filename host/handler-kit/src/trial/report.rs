//! What came of a trial.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::{runtime::Ended, vector::Outcome};

/// So many failures are told whole.
const TOLD: usize = 5;

/// What came of a trial.
#[derive(Debug)]
pub struct Report {
    pub(super) vectors: Vec<VectorReport>,
    pub(super) histories: Option<HistoryReport>,
}

/// What came of one vector.
#[derive(Debug)]
pub(super) struct VectorReport {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) ended: Ended,
    pub(super) mistakes: Vec<String>,
}

/// What came of recorded events.
#[derive(Debug, Default)]
pub(super) struct HistoryReport {
    /// How many ended how.
    outcomes: BTreeMap<&'static str, usize>,
    /// Events that the handler does not get.
    pub(super) others: usize,
    failures: Vec<String>,
    longest: Duration,
    memory: u64,
}

impl Report {
    /// Is everything as it should be?
    pub fn is_good(&self) -> bool {
        let has_failed =
            self.histories.as_ref().is_some_and(|histories| !histories.failures.is_empty());
        self.vectors.iter().all(|vector| vector.mistakes.is_empty()) && !has_failed
    }
}

impl HistoryReport {
    pub(super) fn add(&mut self, name: String, ended: &Ended) {
        let outcome = ended.outcome();
        *self.outcomes.entry(outcome.as_str()).or_default() += 1;
        self.longest = self.longest.max(ended.cpu_time);
        self.memory = self.memory.max(ended.memory);
        if let (Outcome::Failed, Err(error)) = (outcome, &ended.result) {
            self.failures.push(format!("{name}: {error}"));
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for vector in &self.vectors {
            write!(f, "{vector}")?;
        }
        let bad = self.vectors.iter().filter(|vector| !vector.mistakes.is_empty()).count();
        write!(f, "{} vectors, {bad} failed", self.vectors.len())?;
        self.histories.as_ref().map_or(Ok(()), |histories| write!(f, "\n{histories}"))
    }
}

impl fmt::Display for VectorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, about, ended, mistakes } = self;
        let word = if mistakes.is_empty() { "ok  " } else { "FAIL" };
        let outcome = ended.outcome().as_str();
        let Ended { time, cpu_time, memory, .. } = ended;
        let used = format!("{time:.1?}, {cpu_time:.1?} of a processor, {}", mebibytes(*memory));
        writeln!(f, "{word} {name}: {outcome} ({used})")?;
        if mistakes.is_empty() {
            return Ok(());
        }
        writeln!(f, "     {about}")?;
        for mistake in mistakes {
            writeln!(f, "     - {mistake}")?;
        }
        if let Err(error) = &ended.result {
            writeln!(f, "     it says: {error}")?;
        }
        for line in ended.log.iter().flat_map(|line| line.lines()) {
            writeln!(f, "     | {line}")?;
        }
        Ok(())
    }
}

impl fmt::Display for HistoryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events: usize = self.outcomes.values().sum();
        let outcomes: Vec<_> =
            self.outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        let outcomes = if outcomes.is_empty() { "none".into() } else { outcomes.join(", ") };
        write!(
            f,
            "{events} recorded events: {outcomes}; {} are not for it; at most {:.1?} of a processor and {}",
            self.others,
            self.longest,
            mebibytes(self.memory),
        )?;
        for failure in self.failures.iter().take(TOLD) {
            write!(f, "\n     - {failure}")?;
        }
        match self.failures.len().saturating_sub(TOLD) {
            0 => Ok(()),
            more => write!(f, "\n     - and {more} more"),
        }
    }
}

fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) >> 20;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}
