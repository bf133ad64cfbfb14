//! `pairing-host plugin …`

use reqwest::Method;
use serde_json::Value;

use crate::cli::PluginCommand;

pub async fn run(command: PluginCommand) -> anyhow::Result<()> {
    let PluginCommand::List { remote } = command;
    let answer = remote.call(Method::GET, "/plugins", None).await?;
    remote.print(&answer, |answer| {
        let slots = answer["slots"].as_array().map(Vec::as_slice).unwrap_or_default();
        slots.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

fn line(slot: &Value) -> String {
    let text = |name: &str| slot[name].as_str().unwrap_or("-").to_owned();
    let digest = text("digest");
    format!(
        "{:<14} {:<20} {:<10} {:<12} {}",
        text("slot"),
        text("name"),
        text("version"),
        digest.get(..12).unwrap_or(&digest),
        text("source")
    )
}
