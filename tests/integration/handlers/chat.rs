//! A chat server of one's own: it takes messages and keeps them.

use std::sync::{Arc, Mutex};

use pairing_tests::until;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// What was posted.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) authorization: String,
    pub(super) json: Value,
}

/// A chat server on loopback.
pub(super) struct Chat {
    port: u16,
    messages: Arc<Mutex<Vec<Message>>>,
}

impl Chat {
    pub(super) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let messages = Arc::new(Mutex::new(Vec::new()));
        let kept = messages.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, kept.clone()));
            }
        });
        Self { port, messages }
    }

    /// Where it is, such as `127.0.0.1:9000`.
    pub(super) fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/messages", self.place())
    }

    pub(super) fn messages(&self) -> Vec<Message> {
        self.messages.lock().unwrap().clone()
    }

    /// Waits for a message of this text.
    pub(super) async fn until(&self, text: &str) -> Message {
        until(&format!("the chat hears `{text}`"), async || {
            self.messages().into_iter().find(|message| message.json["text"] == text)
        })
        .await
    }
}

async fn take(stream: TcpStream, messages: Arc<Mutex<Vec<Message>>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut length, mut authorization) = (0, String::new());
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse().unwrap();
                }
                Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                    authorization = value.to_owned();
                }
                Some((name, value)) if name.eq_ignore_ascii_case("transfer-encoding") => {
                    assert_eq!(value, "chunked");
                    length = usize::MAX;
                }
                None if line.trim_end().is_empty() => break,
                _ => {}
            }
        }
        let body = if length == usize::MAX {
            chunks(&mut stream).await?
        } else {
            exactly(&mut stream, length).await?
        };
        messages
            .lock()
            .unwrap()
            .push(Message { authorization, json: serde_json::from_slice(&body)? });
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
    }
}

async fn chunks(stream: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let length = usize::from_str_radix(line.trim_end(), 16).unwrap();
        // With the end of line that goes with each.
        body.extend(exactly(stream, length + 2).await?.drain(..length));
        if length == 0 {
            return Ok(body);
        }
    }
}

async fn exactly(stream: &mut BufReader<TcpStream>, length: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}
