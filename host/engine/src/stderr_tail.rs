//! What the browser writes to its standard error: its debugging address, and
//! its last words for a failure's text.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::ChildStderr,
    sync::oneshot,
};

use crate::failure::cleared;

const LINES: usize = 6;

/// Lines that say nothing: services that a server has not, and what pages say.
const NOISE: [&str; 6] = ["dbus", "CONSOLE", "unexpected operator", "gcm", "DevTools listening", "vaapi"];

#[derive(Debug, Clone, Default)]
pub(crate) struct StderrTail(Arc<Mutex<VecDeque<String>>>);

impl StderrTail {
    /// Reads until the end. The address comes once, as `ws://…`.
    pub(crate) fn read(stderr: ChildStderr) -> (Self, oneshot::Receiver<String>) {
        let tail = Self::default();
        let (found, address) = oneshot::channel();
        let keep = tail.clone();
        // Ends with the browser's last process.
        tokio::spawn(async move {
            let mut found = Some(found);
            let mut lines = BufReader::new(stderr).split(b'\n');
            while let Ok(Some(line)) = lines.next_segment().await {
                let line = String::from_utf8_lossy(&line);
                if let Some(address) = line.strip_prefix("DevTools listening on ")
                    && let Some(found) = found.take()
                {
                    // Nobody may wait for it any more.
                    let _ = found.send(address.trim().to_owned());
                }
                keep.push(line.trim());
            }
        });
        (tail, address)
    }

    fn push(&self, line: &str) {
        if line.is_empty() || NOISE.iter().any(|noise| line.contains(noise)) {
            return;
        }
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(cleared(line));
    }

    /// The last lines, or that there were none.
    pub(crate) fn last_words(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.is_empty() { "it wrote nothing".into() } else { lines.iter().cloned().collect::<Vec<_>>().join(" | ") }
    }
}
