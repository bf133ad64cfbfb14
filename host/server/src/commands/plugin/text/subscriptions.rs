//! Who gets which events of a handler, and how that stands.

use serde_json::Value;

use super::{
    super::{
        figures::{count, counted, grouped, list, text, time},
        table::{Column::*, lines},
    },
    indented,
};

pub fn subscriptions(handler: &str, answer: &Value) -> String {
    let all = list(answer, "subscriptions");
    if all.is_empty() {
        return format!(
            "`{handler}` gets no events yet; `pairing-host plugin grant {handler}` makes a subscription"
        );
    }
    let rows: Vec<_> = all.iter().map(row).collect();
    let columns = [
        Left("NAME"),
        Left("STATE"),
        Right("BEHIND"),
        Right("WAITING"),
        Right("GIVEN UP"),
        Left("MAY"),
        Left("SECRETS"),
    ];
    let mut text = lines(columns, &rows).join("\n");
    for one in all {
        text += &troubles(one);
    }
    text
}

fn row(one: &Value) -> [String; 7] {
    let state = &one["state"];
    [
        text(one, "name").to_owned(),
        if one["disabled"].is_string() { "off" } else { "on" }.into(),
        grouped(count(state, "lag")),
        grouped(count(state, "lagging")),
        grouped(count(state, "deadLetters")),
        may(&one["grants"]).join(", "),
        words(&one["secrets"]),
    ]
}

/// Why one is off, and what its sessions wait for.
fn troubles(one: &Value) -> String {
    let mut told = String::new();
    let name = text(one, "name");
    if let Some(why) = one["disabled"].as_str() {
        told += &format!("\n{name} is off: {why}");
    }
    let lanes = list(&one["state"], "lanes");
    for lane in lanes.iter().filter(|lane| count(lane, "attempts") > 0).take(5) {
        told += &format!(
            "\n{name}: session {} failed {}, next at {}:\n{}",
            text(lane, "session"),
            counted(count(lane, "attempts"), "time", "times"),
            time(lane, "nextAttemptAt"),
            indented(text(lane, "error"), 2)
        );
    }
    told
}

/// All that is known of one.
pub fn subscription(one: &Value) -> String {
    let all = |what: &Value, all: &str| match what.as_array() {
        Some(_) => words(what),
        None => all.to_owned(),
    };
    let fact = |name: &str, value: String| format!("{name:<12} {value}");
    let none = |text: String| if text.is_empty() { "nothing".into() } else { text };
    let config = one["config"].as_object().into_iter().flatten();
    let config: Vec<_> =
        config.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or("-"))).collect();
    let retry: Vec<_> =
        list(one, "retrySeconds").iter().filter_map(Value::as_u64).map(length).collect();
    let mut facts = vec![
        fact("subscription", format!("{}/{}", text(one, "handler"), text(one, "name"))),
        fact("sessions", all(&one["sessions"], "all")),
        fact("types", all(&one["types"], "those that the handler wants")),
        fact("may", none(may(&one["grants"]).join("\n             "))),
        fact("config", none(config.join("\n             "))),
        fact("secrets", none(words(&one["secrets"]))),
        fact("tried again", if retry.is_empty() { "never".into() } else { retry.join(", ") }),
        fact(
            "at once",
            format!(
                "{}, each for up to {} ms",
                counted(count(one, "concurrency"), "event", "events"),
                count(one, "timeoutMs")
            ),
        ),
        fact("changed", format!("{} by {}", time(one, "updatedAt"), text(one, "updatedBy"))),
    ];
    let state = &one["state"];
    if state.is_object() {
        facts.push(fact(
            "stands",
            format!(
                "after {}, {} behind, {} waiting, {} given up",
                text(state, "cursor"),
                grouped(count(state, "lag")),
                counted(count(state, "lagging"), "session", "sessions"),
                grouped(count(state, "deadLetters")),
            ),
        ));
    }
    facts.join("\n") + &troubles(one)
}

fn words(list: &Value) -> String {
    let words = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    words.collect::<Vec<_>>().join(", ")
}

fn may(grants: &Value) -> Vec<String> {
    let flags = ["log", "config", "kv", "clock", "random"];
    let mut all: Vec<String> =
        flags.into_iter().filter(|flag| grants[*flag] == true).map(str::to_owned).collect();
    if grants["secrets"] == true {
        all.push("sign".into());
    }
    let actions = list(grants, "session").iter().filter_map(Value::as_str);
    all.extend(actions.map(|action| format!("session {action}")));
    all.extend(list(grants, "http").iter().map(|http| {
        let methods = words(&http["methods"]);
        let networks = words(&http["networks"]);
        let methods = if methods.is_empty() { String::new() } else { format!("{methods} ") };
        let networks = if networks.is_empty() { networks } else { format!(" in {networks}") };
        format!("{methods}{}{networks}", text(http, "url"))
    }));
    all
}

/// `90` is `90s`, `7200` is `2h`.
fn length(seconds: u64) -> String {
    match seconds {
        seconds if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        seconds if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}
