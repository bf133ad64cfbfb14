//! The versions that a slot knows, and all that is known of one.

use serde_json::Value;

use super::{
    super::{
        figures::{count, grouped, list, short, size, text, time},
        table::{Column::*, lines},
    },
    hanging, indented,
};

pub fn versions(answer: &Value) -> String {
    let rows: Vec<_> = list(answer, "versions").iter().map(row).collect();
    if rows.is_empty() {
        return "the slot knows no version yet; `pairing-host plugin push` sends one in".into();
    }
    let columns = [
        Left("DIGEST"),
        Left("NAME"),
        Left("VERSION"),
        Left("STATE"),
        Right("SIZE"),
        Left("SOURCE"),
        Left("SIGNATURE"),
        Left("CAME IN"),
        Left("BY"),
    ];
    lines(columns, &rows).join("\n")
}

fn row(version: &Value) -> [String; 9] {
    [
        short(text(version, "digest")).to_owned(),
        text(version, "name").to_owned(),
        text(version, "version").to_owned(),
        state(version).to_owned(),
        size(count(version, "size")),
        text(version, "source").to_owned(),
        signature(version),
        time(version, "createdAt"),
        text(version, "createdBy").to_owned(),
    ]
}

fn state(version: &Value) -> &'static str {
    match (version["isActive"] == true, version["isCanary"] == true) {
        (true, _) => "active",
        (_, true) => "on trial",
        _ => "",
    }
}

fn signature(version: &Value) -> String {
    match (version["signedBy"].as_str(), version["acceptedBy"].as_str()) {
        (Some(key), _) => format!("by {key}"),
        (None, Some(who)) => format!("none, accepted by {who}"),
        (None, None) if version["source"] == "embedded" => "the host's own".into(),
        (None, None) => "none".into(),
    }
}

pub fn version(slot: &str, version: &Value) -> String {
    let state = state(version);
    let came = format!(
        "{} at {} by {}",
        text(version, "source"),
        time(version, "createdAt"),
        text(version, "createdBy")
    );
    let mut all = vec![
        fact("digest", text(version, "digest")),
        fact("name", &format!("{} {}", text(version, "name"), text(version, "version"))),
        fact("slot", &if state.is_empty() { slot.into() } else { format!("{slot}, {state}") }),
        fact("came in", &came),
        fact("signature", &signature(version)),
        fact("world", text(version, "interface")),
        fact("imports", &words(version, "imports")),
        fact("size", &size(count(version, "size"))),
        fact("memory", &format!("{} at the start", size(count(version, "initialMemory")))),
    ];
    if let Some(writes) = version["writesSchema"].as_u64() {
        let reads = words(version, "readsSchemas");
        all.push(fact("states", &format!("writes schema {writes}, reads {reads}")));
    }
    section(&mut all, "fuel of each test vector", fuel(version));
    section(&mut all, "what the gates said", verdicts(version));
    all.join("\n")
}

fn fact(name: &str, value: &str) -> String {
    format!("{name:<10} {value}")
}

/// A list in one line.
fn words(version: &Value, name: &str) -> String {
    let words = list(version, name).iter();
    let words: Vec<String> =
        words.map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned)).collect();
    if words.is_empty() { "none".into() } else { words.join(", ") }
}

fn fuel(version: &Value) -> Vec<String> {
    let vectors = list(version, "fuel").iter();
    let rows: Vec<_> =
        vectors.map(|one| [text(one, "vector").to_owned(), grouped(count(one, "fuel"))]).collect();
    let lines = lines([Left(""), Right("")], &rows);
    lines.into_iter().skip(1).map(|line| indented(&line, 2)).collect()
}

fn verdicts(version: &Value) -> Vec<String> {
    let verdicts = list(version, "verdicts").iter();
    let lines = verdicts.map(|verdict| {
        let said = if verdict["passed"] == true { "passed" } else { "REFUSED" };
        let (at, gate) = (time(verdict, "at"), text(verdict, "gate"));
        hanging(&format!("  {at}  {gate:<9}  {said:<7}  "), text(verdict, "message"))
    });
    lines.collect()
}

fn section(all: &mut Vec<String>, heading: &str, lines: Vec<String>) {
    if !lines.is_empty() {
        all.push(String::new());
        all.push(heading.to_owned());
        all.extend(lines);
    }
}
