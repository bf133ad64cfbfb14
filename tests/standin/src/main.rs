//! `standin`: the stand-in as a process, for the demo and for drivers that
//! are not written in Rust. Prints one line of JSON with its addresses.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use standin::{Config, Settings, Standin};

#[derive(Parser)]
#[command(about = "Imitates WhatsApp Web, its server and a phone")]
struct Arguments {
    /// Address for HTTP; port 0 lets the system choose.
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Address for HTTPS with a self-signed certificate.
    #[arg(long)]
    https_listen: Option<SocketAddr>,
    /// File that keeps linked and removed devices over a restart.
    #[arg(long)]
    state_file: Option<PathBuf>,
    /// Timings and habits as JSON, as `{"firstRefMs": 5000}`.
    #[arg(long, value_parser = parse_settings)]
    settings: Option<Settings>,
}

fn parse_settings(json: &str) -> Result<Settings, serde_json::Error> {
    serde_json::from_str(json)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let standin = Standin::start(Config {
        listen: arguments.listen,
        https_listen: arguments.https_listen,
        state_file: arguments.state_file,
        settings: arguments.settings.unwrap_or_default(),
        ..Config::default()
    })
    .await?;
    let line = serde_json::json!({
        "url": standin.base_url(),
        "httpsUrl": standin.https_base_url(),
        "spkiSha256": standin.spki_sha256(),
        "phone": format!("{}__standin/phone", standin.base_url()),
    });
    println!("{line}");
    stopped().await?;
    standin.stop().await;
    Ok(())
}

/// Waits for Ctrl-C or for the signal that ends a service.
async fn stopped() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("could not listen for SIGTERM")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("could not listen for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
    }
}
