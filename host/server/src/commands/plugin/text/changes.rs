//! What was done to a slot.

use serde_json::Value;

use super::{
    super::figures::{count, counted, grouped, list, short, text, time},
    hanging, replay,
};

/// The answer to an activation and to a rollback.
pub fn activated(answer: &Value) -> String {
    let mut all = vec![text(answer, "message").to_owned(), String::new()];
    let active = short(text(answer, "active"));
    let from = answer["from"].as_str().map(short).filter(|from| *from != active);
    all.push(match from {
        Some(from) => format!("active      {active}, was {from}"),
        None => format!("active      {active}"),
    });
    let canary = &answer["canary"];
    if canary.is_object() {
        let digest = short(text(canary, "digest"));
        all.push(format!("on trial    {digest}, {} % of the sessions", count(canary, "share")));
    }
    all.push(format!("generation  {}", grouped(count(answer, "generation"))));
    let pinned = count(answer, "pinnedSessions");
    if pinned > 0 {
        let sessions = counted(pinned, "session stays", "sessions stay");
        all.push(format!("pinned      {sessions} with another version"));
    }
    // Where there was nothing to replay the message says so already.
    if count(&answer["replay"], "histories") > 0 {
        all.extend([String::new(), replay(&answer["replay"])]);
    }
    all.join("\n")
}

/// `before`: only entries with a lower number were asked for.
pub fn history(answer: &Value, before: Option<u64>) -> String {
    let changes = list(answer, "changes");
    if changes.is_empty() {
        return match before {
            Some(before) => format!("nothing was done to this slot before {before}"),
            None => "nothing was done to this slot yet".into(),
        };
    }
    let mut all: Vec<String> = changes.iter().map(change).collect();
    if let Some(next) = answer["next"].as_u64() {
        all.push(format!("older ones: --before {next}"));
    }
    all.join("\n")
}

fn change(change: &Value) -> String {
    let (number, at, action) =
        (count(change, "number"), time(change, "at"), text(change, "action"));
    let mut line = format!("{number:>6}  {at}  {action:<18}  ");
    let digest = |name: &str| change[name].as_str().map(short);
    // What comes in takes nobody's place yet.
    let from = digest("from").filter(|_| !["push", "accept-unsigned"].contains(&action));
    line.push_str(&match (from, digest("to")) {
        (Some(from), Some(to)) if from != to => format!("{from} -> {to}"),
        (_, Some(to)) => to.to_owned(),
        (Some(from), None) => format!("{from} -> -"),
        (None, None) => "-".to_owned(),
    });
    if let Some(share) = change["share"].as_u64() {
        line.push_str(&format!(" for {share} % of the sessions"));
    }
    line.push_str(&format!("  by {}", text(change, "who")));
    let said = |name: &str| change[name].as_str().filter(|said| !said.is_empty());
    for (margin, said) in [
        ("        why: ", said("why")),
        ("        REFUSED: ", said("refusal").map(|said| said.trim_start_matches("refused "))),
        ("        ", said("detail")),
    ] {
        if let Some(said) = said {
            line.push('\n');
            line.push_str(&hanging(margin, said));
        }
    }
    line
}
