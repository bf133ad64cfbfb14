//! The webhook's receiver: takes everything, once it is in the book.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::{
    book::{Book, Reader},
    event::Event,
};

pub(crate) struct Receiver {
    address: SocketAddr,
}

impl Receiver {
    pub(crate) async fn listen(book: Arc<Book>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let book = book.clone();
                tokio::spawn(async move { serve(stream, &book).await });
            }
        });
        Ok(Self { address })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

async fn serve(stream: TcpStream, book: &Book) {
    let mut stream = BufReader::new(stream);
    while let Some((id, body)) = request(&mut stream).await {
        let json = serde_json::from_slice(&body).unwrap_or_default();
        match Event::read(&json) {
            // The same event has the same id, whatever its body says.
            Some(event) if id == format!("evt_{}", event.id) => book.see(Reader::Webhook, event),
            _ => book.note(&serde_json::json!({ "unreadable": id })),
        }
        let taken = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        if taken.is_err() {
            return;
        }
    }
}

/// The next request's `webhook-id` and body; none at the end.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let (mut id, mut length) = (String::new(), 0);
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else { continue };
        match &*name.to_ascii_lowercase() {
            "webhook-id" => id = value.to_owned(),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((id, body))
}
