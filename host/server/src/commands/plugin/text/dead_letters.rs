//! Events that were given up.

use serde_json::Value;

use super::{
    super::figures::{count, counted, list, text, time},
    indented,
};

pub fn dead_letters(answer: &Value) -> String {
    let letters = list(answer, "deadLetters");
    if letters.is_empty() {
        return "nothing was given up".into();
    }
    let mut all: Vec<String> = letters.iter().map(summary).collect();
    if let Some(next) = answer["next"].as_str() {
        all.push(format!("more: --after {next}"));
    }
    all.join("\n")
}

/// One of them, whole.
pub fn dead_letter(letter: &Value) -> String {
    let happened = time(letter, "happenedAt");
    let data = format!("{:#}", letter["data"]);
    format!("{}\n  it happened at {happened}:\n{}", summary(letter), indented(&data, 4))
}

fn summary(letter: &Value) -> String {
    let tried = counted(count(letter, "attempts"), "attempt", "attempts");
    let again = match letter["requeuedAt"].as_str() {
        Some(_) => format!(", to be tried once more since {}", time(letter, "requeuedAt")),
        None => String::new(),
    };
    format!(
        "{:>8}  {:<20}  {:<24}  given up {} after {tried}{again}\n{}",
        text(letter, "event"),
        text(letter, "type"),
        text(letter, "sessionName"),
        time(letter, "at"),
        indented(text(letter, "reason"), 10)
    )
}
