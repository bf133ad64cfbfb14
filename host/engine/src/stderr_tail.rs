//! What the browser writes to its standard error: its last words for a failure's
//! text.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::ChildStderr,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::failure::cleared;

const LINES: usize = 6;

/// Lines that say nothing: services that a server has not, and what pages say.
const NOISE: [&str; 5] = ["dbus", "CONSOLE", "unexpected operator", "gcm", "vaapi"];

/// How long after the browser's end its last words may take to be read.
const LAST_WORDS: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Default)]
pub(crate) struct StderrTail {
    lines: Arc<Mutex<VecDeque<String>>>,
    is_read: CancellationToken,
}

impl StderrTail {
    /// Reads until the end.
    pub(crate) fn read(stderr: ChildStderr) -> Self {
        let tail = Self::default();
        let keep = tail.clone();
        // Ends with the browser's last process.
        tokio::spawn(async move {
            let _is_read = keep.is_read.clone().drop_guard();
            let mut lines = BufReader::new(stderr).split(b'\n');
            while let Ok(Some(line)) = lines.next_segment().await {
                keep.push(String::from_utf8_lossy(&line).trim());
            }
        });
        tail
    }

    fn push(&self, line: &str) {
        if line.is_empty() || NOISE.iter().any(|noise| line.contains(noise)) {
            return;
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(cleared(line));
    }

    /// The last lines so far, oldest first.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The last lines of a browser that has ended, or that there were none.
    pub(crate) async fn last_words(&self) -> String {
        // A process that has left the browser's group may hold it open.
        let _ = timeout(LAST_WORDS, self.is_read.cancelled()).await;
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.is_empty() {
            "it wrote nothing".into()
        } else {
            lines.iter().cloned().collect::<Vec<_>>().join(" | ")
        }
    }
}
