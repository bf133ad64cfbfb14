//! What a version would have done with the past.

use serde_json::Value;

use super::{
    super::figures::{count, counted, grouped, list, short, text},
    indented,
};

/// In the order of how bad they are.
const RESULTS: [(&str, &str); 5] = [
    ("identical", "decides as was recorded"),
    ("differs", "decides something else"),
    ("state-rejected", "does not read the session's state"),
    ("trapped", "fails in the call"),
    ("over-budget", "takes more time, fuel or memory than a call may"),
];

/// Is every history decided as was recorded?
pub fn is_identical(report: &Value) -> bool {
    count(&report["results"], "identical") == count(report, "histories")
}

pub fn replay(report: &Value) -> String {
    let digest = short(text(report, "digest"));
    let mut all = vec![match count(report, "histories") {
        0 => format!("there was nothing to replay with version {digest}"),
        histories => format!(
            "version {digest} replayed {} with {}",
            counted(histories, "history", "histories"),
            counted(count(report, "inputs"), "input", "inputs"),
        ),
    }];
    for (result, meaning) in RESULTS {
        let histories = count(&report["results"], result);
        if histories > 0 {
            all.push(format!("{:>8}  {result:<14}  {meaning}", grouped(histories)));
        }
    }
    let (recorded, now) = (count(report, "fuelRecorded"), count(report, "fuelNow"));
    if recorded > 0 {
        all.push(format!(
            "fuel: {} recorded, {} now ({})",
            grouped(recorded),
            grouped(now),
            change(recorded, now)
        ));
    }
    all.extend(
        list(report, "remarks").iter().filter_map(|remark| remark.as_str().map(str::to_owned)),
    );
    let sessions = list(report, "sessions");
    for session in sessions {
        all.extend([String::new(), history(session)]);
    }
    let others = count(report, "histories")
        .saturating_sub(count(&report["results"], "identical"))
        .saturating_sub(sessions.len() as u64);
    if others > 0 {
        all.extend([String::new(), format!("and {} more that are not identical", grouped(others))]);
    }
    all.join("\n")
}

/// In percent, to one digit.
fn change(before: u64, after: u64) -> String {
    let permille = (i128::from(after) - i128::from(before)) * 1000 / i128::from(before);
    let sign = if permille < 0 { '-' } else { '+' };
    format!("{sign}{}.{} %", permille.abs() / 10, permille.abs() % 10)
}

fn history(session: &Value) -> String {
    let place = match (session["inputNumber"].as_u64(), session["cause"].as_str()) {
        (Some(number), Some(cause)) => format!(" at input {} ({cause})", grouped(number)),
        (Some(number), None) => format!(" at input {}", grouped(number)),
        _ => String::new(),
    };
    let mut lines =
        vec![format!("{}: {}{place}", text(session, "session"), text(session, "result"))];
    lines.push(indented(text(session, "message"), 2));
    for difference in list(session, "differences") {
        let path = text(difference, "path");
        lines.push(format!("  {}", if path.is_empty() { "(all of it)" } else { path }));
        lines.push(format!("    recorded: {}", decided(&difference["recorded"])));
        lines.push(format!("    now:      {}", decided(&difference["now"])));
    }
    lines.join("\n")
}

fn decided(value: &Value) -> String {
    if value.is_null() { "nothing".into() } else { value.to_string() }
}
