//! The body of a delivery on each transport.

use serde_json::{Map, Value, json};

use crate::{
    bindings::exports::pairing_console::events::router::{Event, Transport},
    data::time,
};

/// Stands for a live code that is sent again, outside the journal's order: there
/// is no place to resume after.
const NO_PLACE: &str = "0";

pub(crate) fn body(
    transport: Transport,
    event: &Event,
    kind: &str,
    data: &Map<String, Value>,
) -> Vec<u8> {
    let body = match transport {
        Transport::SocketIo => flat(event, data),
        Transport::WebSocket => json!({ "type": "event", "event": whole(event, kind, data) }),
        Transport::EventStream | Transport::Webhook | Transport::Handler => {
            whole(event, kind, data)
        }
    };
    body.to_string().into_bytes()
}

fn flat(event: &Event, data: &Map<String, Value>) -> Value {
    let mut fields = data.clone();
    fields.insert("sessionName".into(), json!(event.session_name));
    Value::Object(fields)
}

fn whole(event: &Event, kind: &str, data: &Map<String, Value>) -> Value {
    let id = (event.id != NO_PLACE).then_some(&event.id);
    json!({
        "id": id,
        "sessionName": event.session_name,
        "at": time(event.at),
        "type": kind,
        "data": data,
    })
}
