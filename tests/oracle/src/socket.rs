//! The socket's reader: resumes after the last event that it has.

use std::{sync::Arc, time::Duration};

use anyhow::anyhow;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::{
    book::{Book, Reader},
    event::Event,
    host::Host,
};

/// Until it is ended; a host that is away is asked again soon.
pub(crate) async fn read(host: Host, start: u64, book: Arc<Book>) {
    book.begin(start);
    let mut last = start;
    loop {
        if let Err(error) = read_once(&host, &mut last, &book).await {
            book.note(&json!({ "socket": format!("{error:#}"), "last": last }));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn read_once(host: &Host, last: &mut u64, book: &Book) -> anyhow::Result<()> {
    let address = format!("{}/ws", host.url.replacen("http", "ws", 1));
    let mut request = address.into_client_request()?;
    request.headers_mut().insert("authorization", format!("Bearer {}", host.token).parse()?);
    let (mut socket, _) = connect_async(request).await?;
    let subscribe = json!({ "type": "subscribe", "sessions": "*", "after": last.to_string() });
    socket.send(Message::text(subscribe.to_string())).await?;
    while let Some(message) = socket.next().await {
        let text = match message? {
            Message::Text(text) => text,
            Message::Close(frame) => return Err(anyhow!("closed: {frame:?}")),
            _ => continue,
        };
        let json: Value = serde_json::from_str(&text)?;
        if let Some(event) = Event::read(&json["event"]) {
            *last = (*last).max(event.id);
            book.see(Reader::Socket, event);
        }
    }
    Ok(())
}
