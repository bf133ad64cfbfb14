//! What the host adds to Chromium: from the click to a QR code, and from a new
//! ref in the page to the image at a WebSocket client.

use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use pairing_tests::{TestHost, admin_token};
use serde_json::{Value, json};
use standin::Standin;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

use crate::figures::{Figures, ms, percentile};

const ROUNDS: usize = 7;

pub async fn run(figures: &mut Figures) -> anyhow::Result<()> {
    let standin = Standin::start(standin::Config::default()).await?;
    let host = TestHost::on(standin.base_url()).set("PAIRING_RATE_LIMITS", "off").start().await;
    let mut request = format!("ws://127.0.0.1:{}/ws", host.port()).into_client_request()?;
    let bearer = HeaderValue::from_str(&format!("Bearer {}", admin_token()))?;
    request.headers_mut().insert("authorization", bearer);
    let (mut socket, _) = connect_async(request).await?;
    let subscribe = json!({ "type": "subscribe", "sessions": "*", "types": ["qr-code"] });
    socket.send(Message::text(subscribe.to_string())).await?;

    let (mut to_ref, mut to_image) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let session = format!("bench-{round}");
        let clicked = Instant::now();
        host.init(&session).await;
        let handed_out = wait_for_ref(&standin, round + 1).await;
        to_ref.push(handed_out.duration_since(clicked));
        next_qr(&mut socket, &session).await?;
        to_image.push(handed_out.elapsed());
        host.post(&format!("/whatsapp/sessions/{session}/disconnect"), json!({})).await;
    }
    let (chromium, host_adds) = (percentile(&mut to_ref, 0.5), percentile(&mut to_image, 0.5));
    figures.print("click to the page's ref (Chromium and page), p50", ms(chromium), "");
    figures.print("the page's ref to the QR image at the client, p50", ms(host_adds), "≤ 250 ms");

    let session = "bench-rotation";
    host.init(session).await;
    next_qr(&mut socket, session).await?;
    let mut samples = Vec::new();
    for _ in 0..20 {
        let rotated = Instant::now();
        standin.rotate_refs();
        next_qr(&mut socket, session).await?;
        samples.push(rotated.elapsed());
    }
    let p50 = ms(percentile(&mut samples, 0.5));
    figures.print("a new ref in the page to the image at the client, p50", p50, "≤ 10 ms");
    Ok(())
}

async fn wait_for_ref(standin: &Standin, pages: usize) -> Instant {
    let deadline = Duration::from_secs(60);
    let has_ref = |state: &standin::StateView| {
        state.pages.iter().filter(|page| page.reference.is_some()).count() >= 1.min(pages)
    };
    // A ref that never comes shows as a time of a minute.
    let _ = standin.wait_for(deadline, has_ref).await;
    Instant::now()
}

async fn next_qr<S>(socket: &mut S, session: &str) -> anyhow::Result<()>
where
    S: StreamExt<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin,
{
    let wait = async {
        while let Some(message) = socket.next().await {
            let frame: Value = serde_json::from_str(message?.to_text()?).unwrap_or_default();
            let event = &frame["event"];
            if event["sessionName"] == session && event["data"]["qrCode"].is_string() {
                return Ok(());
            }
        }
        anyhow::bail!("the host closed the socket")
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await?
}
