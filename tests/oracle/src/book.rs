//! All that was seen, in memory and line by line in a file, so that a run that
//! ends badly can be looked into.

use std::{
    collections::{BTreeMap, HashSet},
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::json;

use crate::event::Event;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reader {
    Socket,
    Webhook,
}

/// What one reader saw, in the order of its coming.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) events: Vec<Event>,
    ids: HashSet<u64>,
    /// No id up to this one is missing.
    complete: u64,
    /// The highest id.
    last: u64,
}

pub(crate) struct Book(Mutex<Inner>);

struct Inner {
    file: BufWriter<File>,
    seen: BTreeMap<Reader, Seen>,
    /// By session: the highest number of its page that came.
    numbers: BTreeMap<String, u64>,
}

impl Book {
    pub(crate) fn create(path: &Path) -> std::io::Result<Self> {
        let file = BufWriter::new(File::create(path)?);
        Ok(Self(Mutex::new(Inner { file, seen: BTreeMap::new(), numbers: BTreeMap::new() })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on all must be seen.
    pub(crate) fn begin(&self, after: u64) {
        let mut inner = self.inner();
        for reader in [Reader::Socket, Reader::Webhook] {
            inner.seen.entry(reader).or_default().complete = after;
        }
    }

    pub(crate) fn see(&self, reader: Reader, event: Event) {
        self.note(&json!({ "reader": format!("{reader:?}"), "event": &event }));
        let mut inner = self.inner();
        if let Some(number) = event.page_number() {
            let last = inner.numbers.entry(event.session.clone()).or_default();
            *last = number.max(*last);
        }
        let seen = inner.seen.entry(reader).or_default();
        seen.ids.insert(event.id);
        seen.last = seen.last.max(event.id);
        seen.events.push(event);
        while seen.ids.contains(&(seen.complete + 1)) {
            seen.complete += 1;
        }
    }

    pub(crate) fn note(&self, line: &serde_json::Value) {
        // Only for people; what is compared is in memory.
        let mut inner = self.inner();
        let _ = writeln!(inner.file, "{line}");
        let _ = inner.file.flush();
    }

    pub(crate) fn has_all_until(&self, head: u64) -> bool {
        let inner = self.inner();
        let is_there = |reader, place: fn(&Seen) -> u64| {
            inner.seen.get(&reader).is_some_and(|seen| place(seen) >= head)
        };
        // The socket's events come in order, less the codes of the past.
        is_there(Reader::Socket, |seen| seen.last)
            && is_there(Reader::Webhook, |seen| seen.complete)
    }

    /// Whether a page's number, or a later one, came.
    pub(crate) fn has_number(&self, session: &str, number: u64) -> bool {
        self.inner().numbers.get(session).is_some_and(|last| *last >= number)
    }

    /// How far the readers are.
    pub(crate) fn places(&self) -> String {
        let inner = self.inner();
        let places = inner.seen.iter().map(|(reader, seen)| format!("{reader:?} {}", seen.last));
        places.collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn events(&self, reader: Reader) -> Vec<Event> {
        self.inner().seen.get(&reader).map(|seen| seen.events.clone()).unwrap_or_default()
    }
}
