//! Figures for the log: half, nearly all, and the worst.

use std::{fmt, time::Duration};

/// Durations that were measured.
#[derive(Debug, Default, Clone)]
pub struct Figures(Vec<Duration>);

impl Figures {
    /// One more.
    pub fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// The value that this share of all does not exceed; nothing if there are none.
    pub fn percentile(&self, share: usize) -> Duration {
        let mut all = self.0.clone();
        all.sort_unstable();
        let place = (all.len() * share).div_ceil(100).saturating_sub(1);
        all.get(place).copied().unwrap_or_default()
    }

    /// The longest.
    pub fn max(&self) -> Duration {
        self.percentile(100)
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |duration: Duration| duration.as_millis();
        write!(
            f,
            "p50 {} ms, p95 {} ms, max {} ms of {}",
            ms(self.percentile(50)),
            ms(self.percentile(95)),
            ms(self.max()),
            self.count()
        )
    }
}

/// A number from the environment, by which `make soak` does more and a failed run
/// is repeated.
pub fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The seed of a run, printed first; `CRASH_SEED` repeats one.
pub fn seed() -> u64 {
    let seed = variable("CRASH_SEED").unwrap_or_else(rand::random);
    println!("CRASH_SEED={seed}");
    seed
}
