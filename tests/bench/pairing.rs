//! What the host adds to Chromium: from the click to a QR code, and from a new
//! ref in the page to the image at a WebSocket client.

use std::{
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context;
use futures::{SinkExt, StreamExt};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::{Pid, User},
};
use pairing_tests::{TestHost, admin_token};
use serde_json::{Value, json};
use standin::Standin;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

use crate::figures::{Figures, ms, percentile};

const ROUNDS: usize = 9;
/// Guards against hanging.
const DEADLINE: Duration = Duration::from_secs(60);

pub async fn run(figures: &mut Figures) -> anyhow::Result<()> {
    let standin = Standin::start(standin::Config::default()).await?;
    let host = TestHost::on(standin.base_url()).set("PAIRING_RATE_LIMITS", "off").start().await;
    let mut request = format!("ws://127.0.0.1:{}/ws", host.port()).into_client_request()?;
    let bearer = HeaderValue::from_str(&format!("Bearer {}", admin_token()))?;
    request.headers_mut().insert("authorization", bearer);
    let (mut socket, _) = connect_async(request).await?;
    let subscribe = json!({ "type": "subscribe", "sessions": "*", "types": ["qr-code"] });
    socket.send(Message::text(subscribe.to_string())).await?;

    let (mut alone, mut to_image) = (Vec::new(), Vec::new());
    // In turns, so that both meet the same machine; the first warms its caches.
    for round in 0..=ROUNDS {
        let took = chromium_alone(&standin).await?;
        let session = format!("bench-{round}");
        let clicked = Instant::now();
        host.init(&session).await;
        next_qr(&mut socket, &session).await?;
        let image = clicked.elapsed();
        host.post(&format!("/whatsapp/sessions/{session}/disconnect"), json!({})).await;
        standin.wait_for(DEADLINE, |state| state.pages.is_empty()).await?;
        if round > 0 {
            alone.push(took);
            to_image.push(image);
        }
    }
    let (alone, to_image) = (percentile(&mut alone, 0.5), percentile(&mut to_image, 0.5));
    let added = (to_image.as_secs_f64() - alone.as_secs_f64()) * 1000.0;
    figures.print("Chromium alone, from its start to the page's ref, p50", ms(alone), "");
    figures.print("from the click to the QR image at the client, p50", ms(to_image), "");
    figures.print("so the host adds", format!("{added:.2} ms"), "≤ 250 ms");

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

/// Chromium with the page's address and nothing else: no debugging, no agent.
async fn chromium_alone(standin: &Standin) -> anyhow::Result<Duration> {
    let folder = tempfile::tempdir()?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711))?;
    let mut command = chromium_on(&folder.path().join("profile"))?;
    command.arg(standin.base_url());
    let begun = Instant::now();
    let mut browser = command.spawn().context("Chromium can't be started")?;
    let shows_ref =
        |state: &standin::StateView| state.pages.iter().any(|page| page.reference.is_some());
    let waited = standin.wait_for(DEADLINE, shows_ref).await;
    let took = begun.elapsed();
    killpg(Pid::from_raw(browser.id().cast_signed()), Signal::SIGKILL)?;
    browser.wait()?;
    waited?;
    standin.wait_for(DEADLINE, |state| state.pages.is_empty()).await?;
    Ok(took)
}

/// As the user that the host would take, on a new profile, leading a group.
fn chromium_on(profile: &Path) -> anyhow::Result<Command> {
    std::fs::create_dir(profile)?;
    let mut command = Command::new("/usr/bin/chromium");
    if nix::unistd::geteuid().is_root() {
        let user = User::from_name("nobody")?.context("there is no user `nobody`")?;
        nix::unistd::chown(profile, Some(user.uid), Some(user.gid))?;
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
        .args(["--headless=new", "--no-first-run", "--disable-background-networking"])
        // The page refuses a browser that calls itself headless.
        .arg("--user-agent=Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0")
        .arg(format!("--user-data-dir={}", profile.display()))
        .env("HOME", profile)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    Ok(command)
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
    tokio::time::timeout(DEADLINE, wait).await?
}
