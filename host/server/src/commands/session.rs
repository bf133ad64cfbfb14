//! `pairing-host session …`

use reqwest::Method;
use serde_json::{Value, json};

use crate::cli::{SessionArgs, SessionCommand};

pub async fn run(command: SessionCommand) -> anyhow::Result<()> {
    match command {
        SessionCommand::List { remote } => {
            let answer = remote.call(Method::GET, "/whatsapp/sessions", None).await?;
            remote.print(&answer, |answer| {
                let sessions = answer["sessions"].as_array().map(Vec::as_slice).unwrap_or_default();
                if sessions.is_empty() {
                    return "no sessions yet; `pairing-host session init` begins one".into();
                }
                sessions.iter().map(line).collect::<Vec<_>>().join("\n")
            });
            Ok(())
        }
        SessionCommand::Show(args) => {
            let path = format!("/whatsapp/sessions/{}", args.name);
            let answer = args.remote.call(Method::GET, &path, None).await?;
            args.remote.print(&answer, line);
            Ok(())
        }
        SessionCommand::Init(args) => {
            let body = json!({ "sessionName": args.name, "confirm": args.confirm });
            tell(&args, Method::POST, "/whatsapp/init".into(), Some(body)).await
        }
        SessionCommand::Disconnect(args) => command_on(&args, "disconnect").await,
        SessionCommand::Reconnect(args) => command_on(&args, "reconnect").await,
        SessionCommand::Logout(args) => command_on(&args, "logout").await,
        SessionCommand::Delete(args) => {
            let path = format!("/whatsapp/sessions/{}?confirm={}", args.name, args.confirm);
            tell(&args, Method::DELETE, path, None).await
        }
    }
}

async fn command_on(args: &SessionArgs, verb: &str) -> anyhow::Result<()> {
    let path = format!("/whatsapp/sessions/{}/{verb}", args.name);
    tell(args, Method::POST, path, Some(json!({ "confirm": args.confirm }))).await
}

async fn tell(
    args: &SessionArgs,
    method: Method,
    path: String,
    body: Option<Value>,
) -> anyhow::Result<()> {
    let answer = args.remote.call(method, &path, body).await?;
    args.remote.print(&answer, |answer| answer["message"].as_str().unwrap_or("done").to_owned());
    Ok(())
}

fn line(session: &Value) -> String {
    let text = |name: &str| session[name].as_str().unwrap_or("-").to_owned();
    let account = session["account"]["phoneNumber"].as_str().unwrap_or("-");
    format!("{:<24} {:<14} {:<20} {account}", text("sessionName"), text("status"), text("reason"))
}
