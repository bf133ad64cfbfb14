//! `make bench`: the figures that the README and the notes quote. Nothing here
//! passes or fails; the machine's load decides too much for that. Run it alone,
//! `bench <name>…` runs some of:

#![expect(unreachable_pub, reason = "nothing of a binary is reached from outside")]

mod figures;
mod handlers;
mod http_load;
mod looping;
mod pairing;
mod plugins;
mod registry;
mod socketio;
mod start;

use figures::Figures;

const ALL: [&str; 8] =
    ["start", "plugins", "registry", "handlers", "looping", "pairing", "http", "socketio"];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = asked.iter().find(|name| !ALL.contains(&name.as_str())) {
        anyhow::bail!("there is no bench `{unknown}`: {}", ALL.join(", "));
    }
    let runs = |name: &str| asked.is_empty() || asked.iter().any(|asked| asked == name);
    let mut figures = Figures;
    if runs("start") {
        start::run(&mut figures).await?;
    }
    if runs("plugins") {
        plugins::run(&mut figures).await?;
    }
    if runs("registry") {
        registry::run(&mut figures).await?;
    }
    if runs("handlers") {
        handlers::run(&mut figures).await?;
    }
    if runs("looping") {
        looping::run(&mut figures).await?;
    }
    if runs("pairing") {
        pairing::run(&mut figures).await?;
    }
    if runs("http") {
        http_load::run(&mut figures).await?;
    }
    if runs("socketio") {
        socketio::run(&mut figures).await?;
    }
    Ok(())
}
