//! `pairing-host plugin grant`: what is said is added to what is there.

use std::{
    fs,
    io::{self, Read},
    time::Duration,
};

use anyhow::{Context, bail};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{subscription::place, text};
use crate::cli::{GrantArgs, SecretSource, SubscriptionArgs};

/// More is read of nothing.
const SECRET_BYTES: u64 = 64 << 10;

pub async fn run(args: GrantArgs) -> anyhow::Result<()> {
    let secrets = secrets(&args)?;
    let list = format!("/plugins/{}/subscriptions", args.handler);
    let known = args.remote.call(Method::GET, &list, None).await?;
    let known = known["subscriptions"].as_array().into_iter().flatten();
    let before = known.filter(|_| !args.only).find(|one| one["name"] == args.name);
    let mut body = merged(&args, before)?;
    body["secrets"] = secrets.into();
    let GrantArgs { handler, name, remote, .. } = args;
    let args = SubscriptionArgs { handler, name, remote };
    let answer = args.remote.call(Method::PUT, &place(&args), Some(body)).await?;
    args.remote.print(&answer, text::subscription);
    Ok(())
}

/// What the subscription is to be.
fn merged(args: &GrantArgs, before: Option<&Value>) -> anyhow::Result<Value> {
    let mut body = json!({});
    let kept =
        ["sessions", "types", "grants", "config", "retrySeconds", "timeoutMs", "concurrency"];
    for (name, before) in kept.iter().filter_map(|name| Some((name, before?.get(*name)?))) {
        body[*name] = before.clone();
    }
    for (name, is_given) in [
        ("log", args.log),
        ("config", args.config_access),
        ("kv", args.kv),
        ("clock", args.clock),
        ("random", args.random),
        ("secrets", args.sign),
    ] {
        if is_given {
            body["grants"][name] = true.into();
        }
    }
    for action in &args.session {
        add(&mut body["grants"]["session"], action.as_str().into());
    }
    for http in &args.http {
        let grant = http_grant(http, args)?;
        // The same place again replaces what was granted there.
        if let Some(all) = body["grants"]["http"].as_array_mut() {
            all.retain(|one| one["url"] != grant["url"]);
        }
        add(&mut body["grants"]["http"], grant);
    }
    if let Some(rate) = args.http_per_second {
        body["grants"]["httpPerSecond"] = rate.into();
    }
    for (key, value) in &args.set {
        body["config"][key] = value.as_str().into();
    }
    if let Some(config) = body["config"].as_object_mut() {
        config.retain(|key, _| !args.unset.contains(key));
    }
    for (name, words) in [("types", &args.types), ("sessions", &args.sessions)] {
        if !words.is_empty() {
            body[name] = words.clone().into();
        }
    }
    if !args.retry.is_empty() {
        let seconds = args.retry.iter().map(Duration::as_secs);
        body["retrySeconds"] = seconds.collect::<Vec<_>>().into();
    }
    if let Some(timeout) = args.timeout {
        body["timeoutMs"] = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX).into();
    }
    if let Some(concurrency) = args.concurrency {
        body["concurrency"] = concurrency.into();
    }
    for (name, text) in [("from", &args.from), ("why", &args.why)] {
        if let Some(text) = text {
            body[name] = text.as_str().into();
        }
    }
    // What indexing has made where nothing came.
    if let Some(all) = body.as_object_mut() {
        all.retain(|_, value| !value.is_null());
    }
    Ok(body)
}

fn add(list: &mut Value, one: Value) {
    match list.as_array_mut() {
        Some(all) if all.contains(&one) => {}
        Some(all) => all.push(one),
        None => *list = json!([one]),
    }
}

/// `URL`, or `GET,POST URL`.
fn http_grant(text: &str, args: &GrantArgs) -> anyhow::Result<Value> {
    let (methods, url) = match text.trim().rsplit_once(' ') {
        Some((methods, url)) => (Some(methods.trim().to_ascii_uppercase()), url),
        None => (None, text.trim()),
    };
    let url: url::Url = url.parse().with_context(|| {
        format!("--http {text:?}: not an address such as https://api.example.org/v1")
    })?;
    let mut grant = json!({ "url": url });
    if let Some(methods) = methods {
        grant["methods"] = methods.split(',').map(str::trim).collect::<Vec<_>>().into();
    }
    if !args.network.is_empty() {
        grant["networks"] = args.network.iter().map(ToString::to_string).collect::<Vec<_>>().into();
    }
    Ok(grant)
}

fn secrets(args: &GrantArgs) -> anyhow::Result<Map<String, Value>> {
    let from_input =
        args.secret.iter().filter(|(_, from)| matches!(from, SecretSource::StandardInput));
    if from_input.count() > 1 {
        bail!("only one secret can come from standard input; give the others as NAME=@FILE");
    }
    let mut all = Map::new();
    for name in &args.remove_secret {
        all.insert(name.clone(), Value::Null);
    }
    for (name, from) in &args.secret {
        let secret = match from {
            SecretSource::File(path) => fs::File::open(path)
                .and_then(read)
                .with_context(|| format!("secret `{name}`: could not read {}", path.display()))?,
            SecretSource::StandardInput => read(io::stdin())
                .with_context(|| format!("secret `{name}`: could not read standard input"))?,
            SecretSource::CommandLine => bail!(
                "secret `{name}`: what stands on a command line can be read by others; write \
                 {name}=@FILE, or {name}=- and give it on standard input"
            ),
        };
        all.insert(name.clone(), secret.into());
    }
    Ok(all)
}

/// Without the line break that editors and `echo` put at the end.
fn read(from: impl Read) -> io::Result<String> {
    let mut text = String::new();
    from.take(SECRET_BYTES).read_to_string(&mut text)?;
    let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    Ok(line.unwrap_or(&text).to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command, PluginCommand, SubscriptionCommand};

    fn parsed(args: &str) -> Result<GrantArgs, String> {
        let args = ["pairing-host", "plugin", "grant"].into_iter().chain(args.split(' '));
        match Cli::try_parse_from(args).map_err(|error| error.to_string())?.command {
            Some(Command::Plugin(PluginCommand::Subscription(SubscriptionCommand::Grant(
                args,
            )))) => Ok(*args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_said_is_added_to_what_is_there() {
        let before = json!({
            "name": "default", "handler": "crm", "sessions": ["sales"], "types": null,
            "grants": { "log": true, "kv": false, "session": ["park"],
                "http": [{ "url": "https://a.example/" }] },
            "config": { "old": "1", "kept": "2" }, "secrets": ["key"], "retrySeconds": [5],
            "timeoutMs": 5000, "concurrency": 8, "disabled": null,
        });
        let args = parsed(
            "crm --kv --session park --session reconnect --set \
             new=3=4 --unset old --types session-connected,gap --retry 10s,2h --timeout 1500ms",
        );
        let mut args = args.unwrap();
        args.http = vec!["post,put https://a.example/".into()];
        let body = merged(&args, Some(&before)).unwrap();
        let expected = json!({
            "sessions": ["sales"], "types": ["session-connected", "gap"],
            "grants": { "log": true, "kv": true, "session": ["park", "reconnect"],
                "http": [{ "url": "https://a.example/", "methods": ["POST", "PUT"] }] },
            "config": { "kept": "2", "new": "3=4" },
            "retrySeconds": [10, 7200], "timeoutMs": 1500, "concurrency": 8,
        });
        assert_eq!(body, expected);
        assert_eq!(merged(&parsed("crm").unwrap(), None).unwrap(), json!({}));
    }

    #[test]
    fn a_secret_on_the_command_line_is_refused_without_repeating_it() {
        let args = parsed("crm --secret key=hunter2").unwrap();
        let refusal = secrets(&args).unwrap_err().to_string();
        assert!(refusal.contains("key=@FILE") && !refusal.contains("hunter2"), "{refusal}");
        assert!(parsed("crm --secret key").unwrap_err().contains("NAME=@FILE"));
        assert!(matches!(
            parsed("crm --secret key=@f").unwrap().secret[0].1,
            SecretSource::File(_)
        ));
    }

    #[test]
    fn the_line_break_at_a_secrets_end_is_not_a_part_of_it() {
        for (text, secret) in [("a b\n", "a b"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a", "a")] {
            assert_eq!(read(text.as_bytes()).unwrap(), secret);
        }
    }
}
