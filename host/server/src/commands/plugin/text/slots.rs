//! What fills the slots, and how it does.

use serde_json::Value;

use super::{
    super::{
        figures::{count, grouped, list, short, text},
        table::{Column::*, lines},
    },
    indented,
};

pub fn slots(answer: &Value) -> String {
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    for slot in list(answer, "slots") {
        let name = text(slot, "slot");
        let pinned = count(slot, "pinnedSessions");
        rows.push(row(
            name.to_owned(),
            slot,
            text(slot, "source"),
            grouped(count(slot, "generation")),
            if pinned == 0 { String::new() } else { grouped(pinned) },
        ));
        errors.extend(last_error(name, slot));
        let canary = &slot["canary"];
        if canary.is_object() {
            let share = count(canary, "share");
            let empty = String::new;
            rows.push(row(format!("  {share} % trial"), canary, "", empty(), empty()));
            errors.extend(last_error(&format!("{name}, on trial"), canary));
        }
    }
    let columns = [
        Left("SLOT"),
        Left("NAME"),
        Left("VERSION"),
        Left("DIGEST"),
        Left("SOURCE"),
        Right("GENERATION"),
        Right("PINNED"),
        Right("CALLS"),
        Right("ERRORS"),
        Right("P99"),
        Left("BREAKER"),
    ];
    let mut all = lines(columns, &rows);
    if !errors.is_empty() {
        all.push(String::new());
        all.extend(errors);
    }
    all.join("\n")
}

fn row(
    slot: String,
    version: &Value,
    source: &str,
    generation: String,
    pinned: String,
) -> [String; 11] {
    let health = &version["health"];
    let p99 = health["p99Ms"].as_f64().map(|ms| format!("{ms:.2} ms"));
    [
        slot,
        text(version, "name").to_owned(),
        text(version, "version").to_owned(),
        short(text(version, "digest")).to_owned(),
        source.to_owned(),
        generation,
        pinned,
        grouped(count(health, "calls")),
        grouped(count(health, "errors")),
        p99.unwrap_or_else(|| "-".into()),
        text(health, "breaker").to_owned(),
    ]
}

fn last_error(whose: &str, version: &Value) -> Option<String> {
    let health = &version["health"];
    let last = health["lastError"].as_str()?;
    let kinds = health["errorsByKind"].as_object().into_iter().flatten();
    let kinds = kinds.map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>();
    Some(format!("{whose}: errors: {}; the last:\n{}", kinds.join(", "), indented(last, 2)))
}
