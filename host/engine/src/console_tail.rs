//! The last lines that the page has put on its console, or the browser about
//! it, without what is private: part of the evidence when something fails.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use chromiumoxide::{
    Page,
    cdp::{
        browser_protocol::log,
        js_protocol::runtime::{EventConsoleApiCalled, EventExceptionThrown, RemoteObject},
    },
    error::CdpError,
};
use futures::StreamExt;
use serde_json::Value;
use tokio_util::task::AbortOnDropHandle;

use crate::failure::cleared;

const LINES: usize = 20;

/// Longer lines are cut before they are cleared.
const LONGEST: usize = 400;

#[derive(Debug)]
pub(crate) struct ConsoleTail {
    lines: Arc<Mutex<VecDeque<String>>>,
    _task: AbortOnDropHandle<()>,
}

impl ConsoleTail {
    /// Listens until it is dropped.
    pub(crate) async fn of(page: &Page) -> Result<Self, CdpError> {
        let calls = page.event_listener::<EventConsoleApiCalled>().await?;
        let exceptions = page.event_listener::<EventExceptionThrown>().await?;
        let entries = page.event_listener::<log::EventEntryAdded>().await?;
        page.execute(log::EnableParams::default()).await?;
        let mut said = futures::stream::select(
            futures::stream::select(
                calls.map(|call| said_on_console(&call)),
                exceptions.map(|thrown| said_of_exception(&thrown)),
            ),
            entries.map(|added| {
                let log::LogEntry { level, source, text, .. } = &added.entry;
                format!("{} ({}): {text}", level.as_ref(), source.as_ref())
            }),
        );
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let keep = lines.clone();
        let _task = AbortOnDropHandle::new(tokio::spawn(async move {
            while let Some(line) = said.next().await {
                let mut lines = keep.lock().unwrap_or_else(PoisonError::into_inner);
                if lines.len() == LINES {
                    lines.pop_front();
                }
                lines.push_back(in_one_line(&line));
            }
        }));
        Ok(Self { lines, _task })
    }

    /// Oldest first.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

fn said_on_console(call: &EventConsoleApiCalled) -> String {
    let words: Vec<String> = call.args.iter().map(in_words).collect();
    format!("{}: {}", call.r#type.as_ref(), words.join(" "))
}

fn said_of_exception(thrown: &EventExceptionThrown) -> String {
    let details = &thrown.exception_details;
    let of = details.exception.as_ref().map(in_words).unwrap_or_default();
    format!("exception: {} {of}", details.text)
}

/// Texts and numbers as they are; of anything else only its kind or first line: an
/// object of the page may hold a person's messages.
fn in_words(object: &RemoteObject) -> String {
    match &object.value {
        Some(Value::String(text)) => text.clone(),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
        _ => {
            let description = object.description.as_deref().unwrap_or("(something)");
            description.lines().next().unwrap_or_default().to_owned()
        }
    }
}

fn in_one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().take(LONGEST).collect();
    cleared(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_has_nothing_private() {
        assert_eq!(
            in_one_line("log: linked\n  +55 11 98765 4321x as +5511987654321, code ABCD-1234"),
            "log: linked +55 11 98765 4321x as …, code …"
        );
        assert!(in_one_line(&"word ".repeat(1000)).len() <= LONGEST);
    }
}
