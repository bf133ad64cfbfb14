//! One page's WebSocket: frames in to the world, frames out from its queue.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc;

use crate::protocol::FromPage;
use crate::world::{Outgoing, World};

pub(crate) async fn open_page_socket(
    State(world): State<Arc<World>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(move |socket| run(socket, world))
}

async fn run(socket: WebSocket, world: Arc<World>) {
    let (mut sink, mut stream) = socket.split();
    let (outbox, mut queue) = mpsc::unbounded_channel();
    let connection = world.change(|inner| inner.page_connected(outbox));
    loop {
        tokio::select! {
            incoming = stream.next() => match incoming {
                Some(Ok(Message::Text(text))) => match serde_json::from_str::<FromPage>(&text) {
                    Ok(frame) => world.change(|inner| inner.page_says(connection, frame)),
                    Err(error) => tracing::warn!(connection, %error, "the page sent a frame that is not understood"),
                },
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
            outgoing = queue.recv() => match outgoing {
                Some(Outgoing::Frame(frame)) => {
                    let Ok(text) = serde_json::to_string(&frame) else { continue };
                    if sink.send(Message::Text(text.into())).await.is_err() {
                        break;
                    }
                }
                Some(Outgoing::Close) | None => break,
            },
        }
    }
    world.change(|inner| inner.page_gone(connection));
    // The page may be gone already.
    let _ = sink.close().await;
}
