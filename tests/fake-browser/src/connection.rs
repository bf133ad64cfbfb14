//! The debugger's line: messages on file descriptors 3 and 4, each ended by NUL.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    os::fd::FromRawFd,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// The other side is gone.
#[derive(Debug)]
pub(crate) struct Closed;

pub(crate) struct Connection {
    messages: Receiver<Value>,
    out: File,
}

impl Connection {
    /// Of the descriptors that the process was started with.
    pub(crate) fn inherited() -> Self {
        let (inlet, out) = descriptors();
        let (read, messages) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(inlet).split(0) {
                let Ok(message) = message else { return };
                let Ok(message) = serde_json::from_slice(&message) else { continue };
                if read.send(message).is_err() {
                    return;
                }
            }
        });
        Self { messages, out }
    }

    /// The next message; none if it is `until` first.
    pub(crate) fn receive(&self, until: Option<Instant>) -> Result<Option<Value>, Closed> {
        let patience = until.map_or(Duration::from_secs(3600), |until| {
            until.saturating_duration_since(Instant::now())
        });
        match self.messages.recv_timeout(patience) {
            Ok(message) => Ok(Some(message)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Closed),
        }
    }

    pub(crate) fn answer(&mut self, question: &Value, result: Value) -> Result<(), Closed> {
        let mut answer = json!({ "id": question["id"], "result": result });
        if let Some(session) = question.get("sessionId") {
            answer["sessionId"] = session.clone();
        }
        self.send(&answer)
    }

    pub(crate) fn tell(
        &mut self,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Result<(), Closed> {
        let mut event = json!({ "method": method, "params": params });
        if let Some(session) = session {
            event["sessionId"] = session.into();
        }
        self.send(&event)
    }

    fn send(&mut self, message: &Value) -> Result<(), Closed> {
        let mut text = message.to_string().into_bytes();
        text.push(0);
        let sent: io::Result<()> = self.out.write_all(&text);
        sent.map_err(|_| Closed)
    }
}

#[expect(
    unsafe_code,
    reason = "the protocol says by number which descriptors are inherited; nothing else in this process has them"
)]
fn descriptors() -> (File, File) {
    // SAFETY: whoever starts a browser with --remote-debugging-pipe opens both for
    // it, and they are taken once, at the start.
    unsafe { (File::from_raw_fd(3), File::from_raw_fd(4)) }
}
