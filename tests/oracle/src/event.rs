//! An event as far as it is compared: never a code, which comes only in some places.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// Its place in the journal.
    pub(crate) id: u64,
    pub(crate) session: String,
    pub(crate) kind: String,
    /// The status or reason that it tells, if it tells one.
    pub(crate) says: String,
    /// The account's name, by which a fake page's word is known again.
    pub(crate) name: Option<String>,
}

impl Event {
    /// Of the journal's, a socket's or a webhook's JSON; none if it has no place.
    pub(crate) fn read(json: &Value) -> Option<Self> {
        let id = json["id"].as_str()?.parse().ok()?;
        let data = &json["data"];
        let says = ["status", "reason", "percent"]
            .iter()
            .map(|field| match &data[*field] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            })
            .collect::<Vec<_>>()
            .join(" ");
        Some(Self {
            id,
            session: json["sessionName"].as_str()?.to_owned(),
            kind: json["type"].as_str()?.to_owned(),
            says: says.trim().to_owned(),
            name: data["account"]["name"].as_str().map(str::to_owned),
        })
    }

    /// Tells of a code. A socket that resumes does not get those of the past: they
    /// are void, and what is live comes by itself.
    pub(crate) fn is_code(&self) -> bool {
        matches!(self.kind.as_str(), "qr-code" | "pairing-code")
    }

    /// The number in the name that a fake page gave itself.
    pub(crate) fn page_number(&self) -> Option<u64> {
        self.name.as_ref()?.strip_prefix('n')?.parse().ok()
    }
}
