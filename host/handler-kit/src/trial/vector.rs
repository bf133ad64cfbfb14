//! Test vectors: an event, what must follow from it, and how it must end.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, bail};
use pairing_core::handler::HandleError;
use serde::Deserialize;
use serde_json::Value;

use super::{event_json::ApiEvent, network::Recorded};

/// A file of `vectors/`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vector {
    /// What it shows.
    #[serde(default)]
    pub(super) about: String,
    /// The event.
    pub(super) event: ApiEvent,
    /// Which attempt it is.
    #[serde(default = "first")]
    pub(super) attempt: u32,
    /// All requests that must be sent, in order, and what is answered.
    #[serde(default)]
    pub(super) requests: Vec<Expected>,
    /// Lines that must be written, in order, such as `info: done`. None: any.
    pub(super) log: Option<Vec<String>>,
    /// How it must end: `handled`, `retry`, `reject` or `gone`.
    pub(super) outcome: Outcome,
}

fn first() -> u32 {
    1
}

/// A request. What is not said may be anything.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// In capitals.
    pub(super) method: String,
    /// Whole.
    pub(super) url: String,
    /// These must be among its headers. Secrets stand as `{{secret:NAME}}`.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// Its body, as JSON.
    pub(super) json: Option<Value>,
    /// Its body, as text.
    pub(super) body: Option<String>,
    /// What comes back.
    pub(super) answer: Answer,
}

/// An answer to a request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// Such as 200.
    pub(super) status: u16,
    /// Its headers.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// Its body, as JSON.
    pub(super) json: Option<Value>,
    /// Its body, as text.
    #[serde(default)]
    pub(super) body: String,
}

/// How an event ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// It is done.
    Handled,
    /// It is tried again.
    Retry,
    /// It becomes a dead letter.
    Reject,
    /// The subscription is switched off.
    Gone,
    /// The sandbox ended the call: no vector may expect it.
    #[serde(skip)]
    Failed,
}

impl Outcome {
    /// The word for it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Handled => "handled",
            Self::Retry => "retry",
            Self::Reject => "reject",
            Self::Gone => "gone",
            Self::Failed => "failed",
        }
    }
}

impl From<&HandleError> for Outcome {
    fn from(error: &HandleError) -> Self {
        match error {
            HandleError::Retry { .. } => Self::Retry,
            HandleError::Reject(_) => Self::Reject,
            HandleError::Gone(_) => Self::Gone,
            HandleError::Failed(_) | HandleError::NotCalled(_) => Self::Failed,
        }
    }
}

/// All vectors of a project by name, in order.
///
/// # Errors
/// A file can't be read or understood: which.
pub(super) fn read_all(project: &Path) -> anyhow::Result<Vec<(String, Vector)>> {
    let folder = project.join("vectors");
    let files =
        fs::read_dir(&folder).with_context(|| format!("could not read {}", folder.display()))?;
    let mut vectors = Vec::new();
    for file in files {
        let path = file?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let about = || format!("{}", path.display());
        let text = fs::read_to_string(&path).with_context(about)?;
        let vector: Vector = serde_json::from_str(&text).with_context(about)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        vectors.push((name, vector));
    }
    if vectors.is_empty() {
        bail!("there is no vector in {}", folder.display());
    }
    vectors.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(vectors)
}

impl Vector {
    /// What differs from what was expected; nothing if all is well.
    pub(super) fn mistakes(
        &self,
        outcome: Outcome,
        requests: &[Recorded],
        log: &[String],
    ) -> Vec<String> {
        let mut mistakes = Vec::new();
        if outcome != self.outcome {
            let (is, wanted) = (outcome.as_str(), self.outcome.as_str());
            mistakes.push(format!("it ended as `{is}`, expected was `{wanted}`"));
        }
        // Of a call that was ended the lines are shown whole.
        let wanted = self.log.as_ref().filter(|wanted| *wanted != log);
        if let (Some(wanted), true) = (wanted, outcome != Outcome::Failed) {
            mistakes.push(format!("it wrote the lines {log:?}, expected were {wanted:?}"));
        }
        for (number, (expected, request)) in (1..).zip(self.requests.iter().zip(requests)) {
            mistakes
                .extend(expected.mistakes(request).map(|what| format!("request {number}: {what}")));
        }
        for missing in self.requests.iter().skip(requests.len()) {
            mistakes.push(format!("it did not send {} {}", missing.method, missing.url));
        }
        for more in requests.iter().skip(self.requests.len()) {
            mistakes.push(format!("it sent {} {} as well", more.method, more.url));
        }
        mistakes
    }
}

impl Expected {
    fn mistakes(&self, request: &Recorded) -> impl Iterator<Item = String> {
        let differ = |what: &str, is: &str, wanted: &str| {
            (is != wanted).then(|| format!("{what} is `{is}`, expected was `{wanted}`"))
        };
        let mut mistakes = vec![
            differ("the method", &request.method, &self.method),
            differ("the address", &request.url, &self.url),
        ];
        for (name, wanted) in &self.headers {
            let is = request.headers.get(&name.to_lowercase()).map_or("", String::as_str);
            mistakes.push(differ(&format!("the header `{name}`"), is, wanted));
        }
        if let Some(wanted) = &self.json {
            let is = serde_json::from_str(&request.body).unwrap_or(Value::Null);
            mistakes.push(differ("the body", &is.to_string(), &wanted.to_string()));
        }
        if let Some(wanted) = &self.body {
            mistakes.push(differ("the body", &request.body, wanted));
        }
        mistakes.into_iter().flatten()
    }
}
