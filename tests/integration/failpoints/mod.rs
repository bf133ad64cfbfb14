//! Every durable step fails once in every way: the process ends in it, it returns an
//! error, it takes two seconds. See `host/failpoints`.

mod host_steps;
mod store_steps;

use std::path::Path;

/// How a step fails.
const WORDS: [&str; 3] = ["abort", "error", "delay"];

/// How often each failpoint was met, by the file that they write.
fn hits(file: &Path, name: &str, word: &str) -> usize {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter(|line| *line == format!("{name} {word}")).count()
}

#[test]
fn the_host_that_is_tested_has_places_that_can_fail() {
    assert!(fail::has_failpoints());
    assert!(pairing_failpoints::NAMES.len() >= 40, "{}", pairing_failpoints::NAMES.len());
}
