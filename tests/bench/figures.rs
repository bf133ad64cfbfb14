//! Prints a line for each figure, beside what is aimed at.

use std::time::Duration;

/// Where figures go.
#[derive(Default)]
pub struct Figures;

impl Figures {
    /// One line.
    pub fn print(&mut self, what: &str, measured: impl std::fmt::Display, aim: &str) {
        println!("{what:<58} {measured:>16}   aim {aim}");
    }
}

/// The value that this share of all samples does not exceed.
pub fn percentile(samples: &mut [Duration], share: f64) -> Duration {
    samples.sort();
    let last = samples.len().saturating_sub(1);
    let index = (last as f64 * share).round() as usize;
    samples.get(index).copied().unwrap_or_default()
}

/// Milliseconds with two digits.
pub fn ms(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1000.0)
}

/// Microseconds with one digit.
pub fn us(duration: Duration) -> String {
    format!("{:.1} µs", duration.as_secs_f64() * 1_000_000.0)
}
