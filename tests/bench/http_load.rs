//! GET status over 16 kept-alive connections, with the generator on the same
//! cores: bare requests, bare reading, so that the host does most of the work.

use std::time::{Duration, Instant};

use anyhow::Context;
use pairing_tests::{TestHost, admin_token};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::figures::{Figures, ms, percentile};

const CONNECTIONS: usize = 16;
const LASTS: Duration = Duration::from_secs(5);

pub async fn run(figures: &mut Figures) -> anyhow::Result<()> {
    let host = TestHost::on("http://127.0.0.1:9/").set("PAIRING_RATE_LIMITS", "off").start().await;
    let (address, token) = (format!("127.0.0.1:{}", host.port()), admin_token());
    let request = format!(
        "GET /whatsapp/status/pairing-console HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    let begun = Instant::now();
    let loads = (0..CONNECTIONS).map(|_| tokio::spawn(load(address.clone(), request.clone())));
    let mut samples = Vec::new();
    for load in loads.collect::<Vec<_>>() {
        samples.extend(load.await??);
    }
    let a_second = samples.len() as f64 / begun.elapsed().as_secs_f64();
    figures.print("GET status, 16 connections", format!("{a_second:.0} /s"), "≥ 20000 /s");
    figures.print("GET status, p99", ms(percentile(&mut samples, 0.99)), "");
    Ok(())
}

async fn load(address: String, request: String) -> anyhow::Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(&address).await?;
    stream.set_nodelay(true)?;
    let (begun, mut samples, mut answer) = (Instant::now(), Vec::new(), vec![0; 64 * 1024]);
    while begun.elapsed() < LASTS {
        let asked = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        let mut length = 0;
        loop {
            let read = stream.read(&mut answer[length..]).await?;
            anyhow::ensure!(read > 0, "the host closed the connection");
            length += read;
            if is_whole(&answer[..length])? {
                break;
            }
        }
        samples.push(asked.elapsed());
    }
    Ok(samples)
}

fn is_whole(answer: &[u8]) -> anyhow::Result<bool> {
    let Some(head) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(false);
    };
    let text = std::str::from_utf8(&answer[..head])?.to_ascii_lowercase();
    anyhow::ensure!(text.starts_with("http/1.1 200"), "the host said: {text}");
    let header = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    let body: usize = header.context("an answer without a length")?.trim().parse()?;
    Ok(answer.len() >= head + 4 + body)
}
