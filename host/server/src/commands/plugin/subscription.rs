//! `pairing-host plugin subscriptions` and its kin.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ask, figures::counted, grant, lines, put, show, text};
use crate::cli::{RequeueArgs, SubscriptionArgs, SubscriptionCommand};

pub async fn run(command: SubscriptionCommand) -> anyhow::Result<()> {
    match command {
        SubscriptionCommand::Grant(args) => grant::run(*args).await,
        SubscriptionCommand::Subscriptions { handler, remote } => {
            let path = format!("/plugins/{handler}/subscriptions");
            show(&remote, &path, |answer| text::subscriptions(handler.as_str(), answer)).await
        }
        SubscriptionCommand::Unsubscribe(args) => {
            let answer = args.remote.call(Method::DELETE, &place(&args), None).await?;
            args.remote.print(&answer, |answer| super::figures::text(answer, "message").to_owned());
            Ok(())
        }
        SubscriptionCommand::Enable(args) => change(&args, "enable", &json!({})).await,
        SubscriptionCommand::Disable { subscription, why } => {
            let mut body = json!({});
            put(&mut body, "why", why);
            change(&subscription, "disable", &body).await
        }
        SubscriptionCommand::Seek { subscription, to } => {
            change(&subscription, "seek", &json!({ "cursor": to })).await
        }
        SubscriptionCommand::DeadLetters { subscription, event: Some(event), .. } => {
            let path = format!("{}/dead-letters/{event}", place(&subscription));
            show(&subscription.remote, &path, text::dead_letter).await
        }
        SubscriptionCommand::DeadLetters { subscription, after, limit, event: None } => {
            let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
            let path = format!("{}/dead-letters?limit={limit}{after}", place(&subscription));
            show(&subscription.remote, &path, text::dead_letters).await
        }
        SubscriptionCommand::Requeue(args) => requeue(&args).await,
        SubscriptionCommand::Logs { handler, follow, after, limit, remote } => {
            lines::run(&remote, handler, after, limit, follow).await
        }
    }
}

/// The name may be anything: the host says what is wrong with it.
pub fn place(SubscriptionArgs { handler, name, .. }: &SubscriptionArgs) -> String {
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    format!("/plugins/{handler}/subscriptions/{name}")
}

async fn change(args: &SubscriptionArgs, verb: &str, body: &Value) -> anyhow::Result<()> {
    let answer = ask(&args.remote, &format!("{}/{verb}", place(args)), body).await?;
    args.remote.print(&answer, text::subscription);
    Ok(())
}

async fn requeue(RequeueArgs { subscription, which }: &RequeueArgs) -> anyhow::Result<()> {
    let mut body = json!({});
    for (name, event) in [("event", which.event), ("from", which.from), ("to", which.to)] {
        put(&mut body, name, event.map(|event| event.to_string()));
    }
    let path = format!("{}/dead-letters/requeue", place(subscription));
    let answer = ask(&subscription.remote, &path, &body).await?;
    subscription.remote.print(&answer, |answer| match answer["requeued"].as_u64() {
        None | Some(0) => "nothing was given up there: there is nothing to try once more".into(),
        Some(count) => format!("{} tried once more", counted(count, "event is", "events are")),
    });
    Ok(())
}
