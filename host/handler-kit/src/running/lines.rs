//! What the handler says, as it says it.

use std::time::Duration;

use pairing_core::handler::HandlerName;
use serde_json::Value;

use super::host::Host;

/// A host that does not answer is asked again after so long.
const PAUSE: Duration = Duration::from_secs(1);

/// Shows all that the handler says from now on, for ever.
pub(super) async fn show(host: &Host, name: HandlerName) {
    let mut after = None;
    loop {
        if let Ok(mut stream) = host.lines(name, after).await {
            let mut text = Vec::new();
            while let Ok(Some(part)) = stream.chunk().await {
                text.extend_from_slice(&part);
                while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = text.drain(..=end).collect();
                    after = said(&String::from_utf8_lossy(&line)).or(after);
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Shows a line of the stream, if it holds one; gives its number.
fn said(line: &str) -> Option<u64> {
    let line: Value = serde_json::from_str(line.strip_prefix("data:")?).ok()?;
    let text = |member: &str| line[member].as_str().unwrap_or_default();
    let message: String = text("message").chars().map(harmless).collect();
    println!("{:<5} {}: {message}", text("level"), text("session"));
    line["number"].as_u64()
}

/// Nothing that a handler says may steer the terminal.
fn harmless(char: char) -> char {
    if char.is_control() && char != '\n' { '\u{fffd}' } else { char }
}
