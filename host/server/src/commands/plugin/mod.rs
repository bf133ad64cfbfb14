//! `pairing-host plugin …`

pub(super) mod figures;
mod grant;
mod lines;
mod project;
mod push;
mod run_project;
mod subscription;
pub(super) mod table;
mod text;

use std::process::ExitCode;

use reqwest::Method;
use serde_json::{Value, json};

use super::remote::PATIENCE;
use crate::cli::{PluginCommand, Remote};

/// Something is decided otherwise than was recorded, or fails.
const NOT_IDENTICAL: u8 = 2;

pub async fn run(command: PluginCommand) -> anyhow::Result<ExitCode> {
    match command {
        // It brings threads of its own.
        PluginCommand::Project(command) => {
            return tokio::task::spawn_blocking(|| project::run(command)).await?;
        }
        PluginCommand::List { slot: None, remote } => {
            show(&remote, "/plugins", text::slots).await?;
        }
        PluginCommand::List { slot: Some(slot), remote } => {
            show(&remote, &format!("/plugins/{slot}/versions"), text::versions).await?;
        }
        PluginCommand::Inspect(args) => {
            let path = format!("/plugins/{}/versions/{}", args.slot, args.digest);
            show(&args.remote, &path, |answer| text::version(&args.slot, answer)).await?;
        }
        PluginCommand::Push(args) => push::run(&args).await?,
        PluginCommand::Activate(args) => {
            let path = format!("/plugins/{}/activate", args.version.slot);
            let mut body = json!({ "digest": args.version.digest });
            put(&mut body, "canary", args.canary);
            put(&mut body, "why", args.why);
            let answer = ask(&args.version.remote, &path, &body).await?;
            args.version.remote.print(&answer, text::activated);
        }
        PluginCommand::Rollback(args) => {
            let mut body = json!({});
            put(&mut body, "to", args.to);
            put(&mut body, "why", args.why);
            let path = format!("/plugins/{}/rollback", args.slot);
            let answer = ask(&args.remote, &path, &body).await?;
            args.remote.print(&answer, text::activated);
        }
        PluginCommand::History(args) => {
            let before = args.before.map(|number| format!("&before={number}")).unwrap_or_default();
            let path = format!("/plugins/{}/history?limit={}{before}", args.slot, args.limit);
            show(&args.remote, &path, |answer| text::history(answer, args.before)).await?;
        }
        PluginCommand::Replay(args) => {
            let path = format!("/plugins/{}/replay", args.slot);
            let report = ask(&args.remote, &path, &json!({ "digest": args.digest })).await?;
            args.remote.print(&report, text::replay);
            if !text::is_identical(&report) {
                return Ok(ExitCode::from(NOT_IDENTICAL));
            }
        }
        PluginCommand::Parked(args) => {
            let path = format!("/plugins/{}/parked?limit={}", args.slot, args.limit);
            show(&args.remote, &path, text::parked).await?;
        }
        PluginCommand::Subscription(command) => subscription::run(command).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(remote: &Remote, path: &str, text: impl Fn(&Value) -> String) -> anyhow::Result<()> {
    let answer = remote.call(Method::GET, path, None).await?;
    remote.print(&answer, text);
    Ok(())
}

async fn ask(remote: &Remote, path: &str, body: &Value) -> anyhow::Result<Value> {
    let request = remote.request(Method::POST, path)?.timeout(PATIENCE).json(body);
    Ok(remote.send(request).await?.1)
}

fn put(body: &mut Value, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        body[name] = value.into();
    }
}
