//! A line that a handler wrote.

use serde_json::Value;

use super::{super::figures::text, hanging};

pub fn line(line: &Value) -> String {
    let at = text(line, "at");
    let place = format!("{}/{}", text(line, "subscription"), text(line, "session"));
    let margin = format!("{at}  {:<5}  {place}  #{}  ", text(line, "level"), text(line, "event"));
    hanging(&margin, text(line, "message"))
}
