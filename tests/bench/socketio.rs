//! One event to 1,000 Socket.IO clients: from the request that causes it to the
//! moment in which a client has it.

use std::{
    io::Write,
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use futures::{SinkExt, StreamExt, future::try_join_all};
use pairing_tests::{TestHost, admin_token};
use serde_json::json;
use tokio::{net::TcpStream, sync::mpsc};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::figures::{Figures, ms, percentile};

const CLIENTS: usize = 1000;
const ROUNDS: usize = 10;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub async fn run(figures: &mut Figures) -> anyhow::Result<()> {
    // A browser would take the processor away while the event is on its way.
    let browser = browser_that_waits()?;
    let host = TestHost::on("http://127.0.0.1:9/")
        .set("PAIRING_RATE_LIMITS", "off")
        .set("PAIRING_CHROMIUM", browser.display())
        .start()
        .await;
    host.init("pairing-console").await;
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS / 50 {
        clients.extend(try_join_all((0..50).map(|_| connect(host.port()))).await?);
    }
    for client in clients {
        tokio::spawn(listen(client, arrived.clone()));
    }
    let mut samples = Vec::new();
    for round in 0..ROUNDS {
        // Each change of state is a `status-update` for all.
        let verb = if round % 2 == 0 { "disconnect" } else { "reconnect" };
        while arrivals.try_recv().is_ok() {}
        let begun = Instant::now();
        host.post(&format!("/whatsapp/sessions/pairing-console/{verb}"), json!({})).await;
        for _ in 0..CLIENTS {
            let arrival = tokio::time::timeout(Duration::from_secs(20), arrivals.recv()).await?;
            samples.extend(arrival.map(|at: Instant| at.duration_since(begun)));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let p50 = ms(percentile(&mut samples, 0.5));
    figures.print("1,000 Socket.IO clients reached, p50 (with the request)", p50, "≤ 15 ms");
    figures.print("1,000 Socket.IO clients reached, p99", ms(percentile(&mut samples, 0.99)), "");
    Ok(())
}

/// An executable that tells a version and else does nothing.
fn browser_that_waits() -> anyhow::Result<tempfile::TempPath> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(
        b"#!/bin/sh\n[ \"$1\" = --version ] && echo Chromium 156.0.0.0 && exit\nexec sleep 600\n",
    )?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o755))?;
    // Closed, or it could not be executed.
    Ok(file.into_temp_path())
}

async fn connect(port: u16) -> anyhow::Result<Socket> {
    let url = format!("ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket");
    let (mut socket, _) = connect_async(url).await?;
    let auth = format!("40{}", json!({ "token": admin_token() }));
    socket.send(Message::text(auth)).await?;
    while let Some(message) = socket.next().await {
        if message?.to_text()?.starts_with("40") {
            return Ok(socket);
        }
    }
    anyhow::bail!("the host closed the socket")
}

async fn listen(mut socket: Socket, arrived: mpsc::UnboundedSender<Instant>) {
    while let Some(Ok(message)) = socket.next().await {
        match message.to_text() {
            Ok(text) if text.starts_with("42[\"status-update\"") => {
                let _ = arrived.send(Instant::now());
            }
            Ok("2") => {
                let _ = socket.send(Message::text("3")).await;
            }
            _ => {}
        }
    }
}
