//! `pairing-host plugin logs`: what a handler wrote, and what it goes on writing.

use std::time::Duration;

use pairing_core::handler::HandlerName;
use reqwest::{Method, header};
use serde_json::Value;

use super::{figures::list, text};
use crate::cli::Remote;

/// Between two tries to reach a host that is away.
const AGAIN: Duration = Duration::from_secs(1);
/// A stream has no end; the host says something every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);
const ENDLESS: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

pub async fn run(
    remote: &Remote,
    handler: HandlerName,
    after: Option<u64>,
    limit: u32,
    follow: bool,
) -> anyhow::Result<()> {
    let log = format!("/plugins/{handler}/logs");
    let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
    let answer = remote.call(Method::GET, &format!("{log}?limit={limit}{after}"), None).await?;
    let lines = list(&answer, "lines");
    if !follow && !remote.json && lines.is_empty() {
        remote.print(&answer, |_| "it has written nothing since the host started".into());
        return Ok(());
    }
    if remote.json && !follow {
        remote.print(&answer, |_| String::new());
        return Ok(());
    }
    lines.iter().for_each(|line| show(remote, line));
    if !follow {
        return Ok(());
    }
    let mut last = lines.last().map_or(0, number);
    loop {
        if let Err(error) = listen(remote, &log, &mut last).await {
            eprintln!("{error:#}; trying again");
        }
        tokio::time::sleep(AGAIN).await;
        last = place(remote, &log, last).await;
    }
}

/// One line is one JSON document for programs.
fn show(remote: &Remote, line: &Value) {
    if remote.json {
        println!("{line}");
    } else {
        remote.print(line, text::line);
    }
}

fn number(line: &Value) -> u64 {
    line["number"].as_u64().unwrap_or(0)
}

/// A host that was started anew counts from 1.
async fn place(remote: &Remote, log: &str, last: u64) -> u64 {
    match remote.call(Method::GET, &format!("{log}?limit=1"), None).await {
        Ok(answer) if list(&answer, "lines").last().map_or(0, number) < last => 0,
        _ => last,
    }
}

/// Shows what comes until the stream ends.
async fn listen(remote: &Remote, log: &str, last: &mut u64) -> anyhow::Result<()> {
    let request = remote
        .request(Method::GET, &format!("{log}?after={last}"))?
        .timeout(ENDLESS)
        .header(header::ACCEPT, "text/event-stream");
    let mut response = remote.open(request).await?;
    let mut stream = Vec::new();
    while let Some(piece) = tokio::time::timeout(SILENCE, response.chunk()).await?? {
        stream.extend_from_slice(&piece);
        while let Some(end) = stream.windows(2).position(|two| two == b"\n\n") {
            let message: Vec<u8> = stream.drain(..end + 2).collect();
            if let Some(line) = line_of(&message) {
                *last = number(&line);
                show(remote, &line);
            }
        }
    }
    Ok(())
}

/// The host writes each line's JSON as one line of data.
fn line_of(message: &[u8]) -> Option<Value> {
    let mut fields = message.split(|byte| *byte == b'\n');
    let data = fields.find_map(|field| field.strip_prefix(b"data:"))?;
    serde_json::from_slice(data).ok()
}
