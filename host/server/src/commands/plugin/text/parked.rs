//! What could not be worked.

use serde_json::Value;

use super::{
    super::figures::{list, text, time},
    indented,
};

pub fn parked(answer: &Value) -> String {
    let parked = list(answer, "parked");
    if parked.is_empty() {
        return "nothing is parked: all that came could be worked".into();
    }
    let lines = parked.iter().map(|one| {
        let (at, session, what) = (time(one, "at"), text(one, "session"), text(one, "what"));
        format!("{at}  {session:<24}  {what}\n{}", indented(text(one, "reason"), 8))
    });
    lines.collect::<Vec<_>>().join("\n")
}
