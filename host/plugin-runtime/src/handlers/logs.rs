//! What handlers say, for those who write and run them. It may hold anything, so
//! it never goes into the host's own log.

use std::{
    collections::{HashMap, VecDeque},
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use pairing_core::{clock::Timestamp, handler::HandlerName};
use tokio::sync::broadcast;

/// So many of a handler's lines are kept.
const KEPT: usize = 2_000;
/// Longer lines are cut.
const LONGEST: usize = 8 << 10;
/// Lines a second in the long run, and at once.
const RATE: NonZeroU32 = NonZeroU32::new(100).expect("not zero");
const BURST: NonZeroU32 = NonZeroU32::new(1_000).expect("not zero");

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// For the author.
    Debug,
    /// For the record.
    Info,
    /// Something is odd.
    Warn,
    /// Something failed.
    Error,
}

impl LogLevel {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// A line that a handler wrote, or that the host wrote about its call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Counts the handler's lines since the host's start, from 1.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// For which subscription.
    pub subscription: String,
    /// Whose event was handled.
    pub session: String,
    /// Which event.
    pub event: String,
    /// How much it matters.
    pub level: LogLevel,
    /// What.
    pub message: String,
}

/// The lines of all handlers. Cheap to clone.
#[derive(Clone, Default)]
pub struct GuestLogs(Arc<Mutex<HashMap<HandlerName, Lines>>>);

struct Lines {
    last: VecDeque<Arc<LogLine>>,
    next: u64,
    live: broadcast::Sender<Arc<LogLine>>,
    limit: DefaultDirectRateLimiter,
    left_out: u64,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            last: VecDeque::new(),
            next: 1,
            live: broadcast::Sender::new(256),
            limit: RateLimiter::direct(Quota::per_second(RATE).allow_burst(BURST)),
            left_out: 0,
        }
    }
}

impl Lines {
    fn add(&mut self, mut line: LogLine) {
        line.number = self.next;
        self.next += 1;
        let line = Arc::new(line);
        self.last.push_back(line.clone());
        if self.last.len() > KEPT {
            self.last.pop_front();
        }
        // Nobody may be listening.
        let _ = self.live.send(line);
    }
}

impl GuestLogs {
    /// A handler's lines after this number, oldest first, as far as they are kept.
    pub fn lines(&self, handler: HandlerName, after: u64) -> Vec<Arc<LogLine>> {
        let all = self.all();
        let lines = all.get(&handler).into_iter().flat_map(|lines| &lines.last);
        lines.filter(|line| line.number > after).cloned().collect()
    }

    /// A handler's lines from now on. A slow reader misses some: the numbers tell.
    pub fn subscribe(&self, handler: HandlerName) -> broadcast::Receiver<Arc<LogLine>> {
        self.all().entry(handler).or_default().live.subscribe()
    }

    /// Adds a line; its number is given here. Too many are left out and counted.
    pub(crate) fn add(&self, handler: HandlerName, mut line: LogLine) {
        if let Some((end, _)) = line.message.char_indices().find(|(at, _)| *at >= LONGEST) {
            line.message.truncate(end);
            line.message.push('…');
        }
        let mut all = self.all();
        let lines = all.entry(handler).or_default();
        if lines.limit.check().is_err() {
            lines.left_out += 1;
            return;
        }
        if lines.left_out > 0 {
            let message = format!("{} lines were left out: too many a second", lines.left_out);
            lines.left_out = 0;
            lines.add(LogLine { level: LogLevel::Warn, message, ..line.clone() });
        }
        lines.add(line);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<HandlerName, Lines>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
