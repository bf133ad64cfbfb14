//! What is sent of an event: never a code, which is a live secret.

use serde_json::{Map, Value, json};

use crate::{bindings::exports::pairing_console::handler::handler::Event, data};

/// The specification asks for less than 20 kB.
const LARGEST: usize = 20_000;

/// To so many characters texts are cut where a body would be too large.
const SHORT: usize = 200;

/// The same for every attempt at an event, and for no other event.
pub(crate) fn id(event: &Event) -> String {
    format!("evt_{}", event.id)
}

/// JSON of less than 20 kB. What does not fit is cut, and `fetch` says where the
/// host's API has the whole.
pub(crate) fn body(event: &Event) -> Vec<u8> {
    let mut values = data::data(&event.data);
    // The API has these as null once the code has expired.
    for code in ["qrCode", "pairingCode"] {
        if let Some(place) = values.get_mut(code) {
            *place = Value::Null;
        }
    }
    let whole = written(event, &values, None);
    if whole.len() < LARGEST {
        return whole;
    }
    let fetch = fetch(event);
    let short = values.into_iter().map(|(name, value)| (name, shortened(value))).collect();
    let short = written(event, &short, Some(&fetch));
    if short.len() < LARGEST { short } else { written(event, &Map::new(), Some(&fetch)) }
}

fn written(event: &Event, values: &Map<String, Value>, fetch: Option<&Option<String>>) -> Vec<u8> {
    let mut body = json!({
        "id": event.id,
        "type": data::kind(&event.data),
        "timestamp": data::time(event.at),
        "sessionName": event.session_name,
        "data": values,
    });
    if let Some(fetch) = fetch {
        body["truncated"] = true.into();
        body["fetch"] = json!(fetch);
    }
    body.to_string().into_bytes()
}

/// The API's page that begins with this event; none for an event that is not in
/// the journal (`gap`).
fn fetch(event: &Event) -> Option<String> {
    let before = event.id.parse::<u64>().ok()?.checked_sub(1)?;
    Some(format!("/whatsapp/events?after={before}&limit=1&sessions={}", event.session_name))
}

fn shortened(value: Value) -> Value {
    match value {
        Value::String(text) if text.chars().count() > SHORT => {
            text.chars().take(SHORT).chain(['…']).collect::<String>().into()
        }
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, shortened(value))).collect()
        }
        other => other,
    }
}
