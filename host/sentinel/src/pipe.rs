//! The browser's debugging pipe: messages of JSON, each ended by a NUL.

use std::io;

use futures::{SinkExt, StreamExt};
use tokio::{
    net::unix::pipe,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::{
    bytes::{Buf, BufMut, Bytes, BytesMut},
    codec::{Decoder, Encoder, FramedRead, FramedWrite},
};

use crate::door::Door;

/// Screenshots and scripts are some MiB; more than this is no message.
pub(crate) const LONGEST_MESSAGE: usize = 256 << 20;

/// Numbers of our own questions; the library in the host counts from zero.
const FIRST_QUESTION: &str = r#"{"id":2147483646,"method":"Browser.getVersion"}"#;
const FIRST_ANSWER: &str = r#"{"id":2147483646,"#;
const CLOSE: &str = r#"{"id":2147483647,"method":"Browser.close"}"#;
const CLOSE_ANSWER: &str = r#"{"id":2147483647,"#;

/// Messages that may wait; each has its sender wait, too.
const QUEUE: usize = 16;

/// To the browser.
#[derive(Clone)]
pub(crate) struct ToBrowser(mpsc::Sender<Utf8Bytes>);

impl ToBrowser {
    /// Writes in a task of its own, first of all a question.
    pub(crate) fn new(pipe: pipe::Sender) -> Self {
        let (sender, mut inbox) = mpsc::channel::<Utf8Bytes>(QUEUE);
        tokio::spawn(async move {
            let mut pipe = FramedWrite::new(pipe, NulEnded::default());
            let mut message = Utf8Bytes::from_static(FIRST_QUESTION);
            // An error means that the browser is gone, which is heard of elsewhere.
            while pipe.send(message).await.is_ok() {
                message = match inbox.recv().await {
                    Some(message) => message,
                    None => return,
                };
            }
        });
        Self(sender)
    }

    /// An error means that the browser is gone.
    pub(crate) async fn send(&self, message: Utf8Bytes) -> Result<(), ()> {
        self.0.send(message).await.map_err(drop)
    }

    pub(crate) fn ask_to_close(&self) {
        let to = self.clone();
        // If it takes no messages, it is killed when its time is over.
        tokio::spawn(async move { to.send(Utf8Bytes::from_static(CLOSE)).await });
    }
}

/// Hands on what the browser says until it has ended, in a task of its own. Tells
/// when it answers for the first time.
pub(crate) fn listen(pipe: pipe::Receiver, door: Door) -> (oneshot::Receiver<()>, JoinHandle<()>) {
    let (answers, first_answer) = oneshot::channel();
    let listening = tokio::spawn(async move {
        let mut answers = Some(answers);
        let mut messages = FramedRead::new(pipe, NulEnded::default());
        while let Some(Ok(message)) = messages.next().await {
            if message.starts_with(CLOSE_ANSWER) {
                continue;
            }
            if message.starts_with(FIRST_ANSWER)
                && let Some(answers) = answers.take()
            {
                // Nobody waits any more if it is closing already.
                let _ = answers.send(());
                continue;
            }
            door.hand_out(message).await;
        }
        // The browser has ended, or can't be understood.
        door.end();
    });
    (first_answer, listening)
}

/// The pipe's framing.
#[derive(Default)]
struct NulEnded {
    /// So far there is no NUL.
    searched: usize,
}

impl Decoder for NulEnded {
    type Item = Utf8Bytes;
    type Error = io::Error;

    fn decode(&mut self, read: &mut BytesMut) -> io::Result<Option<Utf8Bytes>> {
        let Some(place) = read[self.searched..].iter().position(|byte| *byte == 0) else {
            self.searched = read.len();
            if read.len() > LONGEST_MESSAGE {
                return Err(io::ErrorKind::InvalidData.into());
            }
            return Ok(None);
        };
        let message = read.split_to(self.searched + place).freeze();
        read.advance(1);
        self.searched = 0;
        // A large message is not to keep its space for ever.
        if read.is_empty() {
            *read = BytesMut::new();
        }
        Utf8Bytes::try_from(message).map(Some).map_err(io::Error::other)
    }

    fn decode_eof(&mut self, read: &mut BytesMut) -> io::Result<Option<Utf8Bytes>> {
        // What has no end is not told.
        self.decode(read)
    }
}

impl Encoder<Utf8Bytes> for NulEnded {
    type Error = io::Error;

    fn encode(&mut self, message: Utf8Bytes, to: &mut BytesMut) -> io::Result<()> {
        let message = Bytes::from(message);
        to.reserve(message.len() + 1);
        to.put(message);
        to.put_u8(0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_at_their_ends_however_they_arrive() {
        let mut framing = NulEnded::default();
        let mut read = BytesMut::new();
        let mut said = Vec::new();
        for piece in ["{\"a\"", ":1}\0{}", "\0\0", "[", "]\0rest"] {
            read.put(piece.as_bytes());
            while let Some(message) = framing.decode(&mut read).unwrap() {
                said.push(message.to_string());
            }
        }
        assert_eq!(said, ["{\"a\":1}", "{}", "", "[]"]);
        assert!(framing.decode_eof(&mut read).unwrap().is_none());
        framing.encode("{}".into(), &mut read).unwrap();
        assert!(read.ends_with(b"{}\0"));
    }
}
