//! `pairing-host hooks …`

mod text;

use std::{
    fs,
    io::{self, Read},
    path::Path,
    process::ExitCode,
};

use anyhow::Context;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::{plugin::figures::short, remote::PATIENCE};
use crate::cli::{HooksCommand, PushHooksArgs, Remote};

/// The page has changed.
const DRIFT: u8 = 2;

pub async fn run(command: HooksCommand) -> anyhow::Result<ExitCode> {
    match command {
        HooksCommand::Show { digest: None, remote } => {
            let answer = remote.call(Method::GET, "/page-hooks", None).await?;
            remote.print(&answer, text::all);
        }
        HooksCommand::Show { digest: Some(digest), remote } => {
            let request = remote.request(Method::GET, &format!("/page-hooks/versions/{digest}"))?;
            let file =
                remote.open(request).await?.text().await.context("the file did not come whole")?;
            remote.print(&Value::from(file), |file| {
                file.as_str().unwrap_or("").trim_end().to_owned()
            });
        }
        HooksCommand::Push(args) => push(&args).await?,
        HooksCommand::Activate { digest, remote } => {
            let digest = Some(digest).filter(|digest| digest != "embedded");
            let answer = ask(&remote, "/page-hooks/activate", &json!({ "digest": digest })).await?;
            remote.print(&answer, text::in_use);
        }
        HooksCommand::Rollback { remote } => {
            let answer = ask(&remote, "/page-hooks/rollback", &json!({})).await?;
            remote.print(&answer, text::in_use);
        }
        HooksCommand::Check { remote } => {
            let look = ask(&remote, "/page-hooks/check", &json!({})).await?;
            remote.print(&look, text::look);
            return Ok(match look["report"]["isGood"].as_bool() {
                Some(true) => ExitCode::SUCCESS,
                Some(false) => ExitCode::from(DRIFT),
                None => ExitCode::FAILURE,
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn push(args: &PushHooksArgs) -> anyhow::Result<()> {
    let file = read(&args.file)?;
    let path = format!("/page-hooks/versions?force={}", args.force);
    let request = args.remote.request(Method::POST, &path)?.timeout(PATIENCE);
    let request = request.header(header::CONTENT_TYPE, "application/toml").body(file);
    let (status, version) = args.remote.send(request).await?;
    args.remote.print(&version, |version| {
        let digest = short(version["digest"].as_str().unwrap_or_default());
        let came = if status == StatusCode::CREATED { "is in" } else { "was in already" };
        format!(
            "version {digest} {came}; `pairing-host hooks activate {digest}` uses it\n{}",
            text::report(&version["report"])
        )
    });
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).context("could not read standard input")?;
        return Ok(text);
    }
    fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))
}

/// A page takes its time.
async fn ask(remote: &Remote, path: &str, body: &Value) -> anyhow::Result<Value> {
    let request = remote.request(Method::POST, path)?.timeout(PATIENCE).json(body);
    Ok(remote.send(request).await?.1)
}
