//! The host's public interface, with as much patience as a host takes that is
//! killed all the time.

use std::time::Duration;

use anyhow::{Context, anyhow};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::event::Event;

/// Longer than a host is away.
const PATIENCE: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_millis(50);

#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub(crate) url: String,
    pub(crate) token: String,
    client: reqwest::Client,
}

impl Host {
    pub(crate) fn new(url: &str, token: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20));
        Ok(Self { url: url.into(), token: token.into(), client: client.build()? })
    }

    /// One attempt.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> reqwest::Result<Response> {
        let mut request =
            self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await
    }

    /// Asks until there is an answer.
    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let begun = tokio::time::Instant::now();
        loop {
            let why = match self.send(Method::GET, path, None).await {
                Ok(response) if response.status().is_success() => match response.json().await {
                    Ok(body) => return Ok(body),
                    Err(error) => error.to_string(),
                },
                Ok(response) => response.status().to_string(),
                Err(error) => error.to_string(),
            };
            if begun.elapsed() > PATIENCE {
                return Err(anyhow!("GET {path}: {why}"));
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// The journal's last place that every reader gets.
    pub(crate) async fn head(&self) -> anyhow::Result<u64> {
        let (mut low, mut after) = (0, 0);
        // Pages are of a thousand, and `next` is none at the end.
        loop {
            let page = self.get(&format!("/whatsapp/events?after={after}&limit=1000")).await?;
            let events = page["events"].as_array().into_iter().flatten();
            let mut events = events.filter_map(Event::read).filter(|event| !event.is_code());
            if let Some(last) = events.next_back() {
                low = last.id;
            }
            match page["next"].as_str() {
                Some(next) => after = next.parse().context("a cursor of this host is a number")?,
                None => return Ok(low),
            }
        }
    }

    /// All events after one place up to another.
    pub(crate) async fn journal(&self, start: u64, head: u64) -> anyhow::Result<Vec<Event>> {
        let (mut all, mut after) = (Vec::new(), start);
        while after < head {
            let page = self.get(&format!("/whatsapp/events?after={after}&limit=1000")).await?;
            let events = page["events"].as_array().cloned().unwrap_or_default();
            all.extend(events.iter().filter_map(Event::read).filter(|event| event.id <= head));
            match page["next"].as_str() {
                Some(next) => after = next.parse().context("a cursor of this host is a number")?,
                None => break,
            }
        }
        Ok(all)
    }

    /// Status and reason; none if the host does not answer.
    pub(crate) async fn status(&self, session: &str) -> Option<(String, String)> {
        let path = format!("/whatsapp/status/{session}");
        let response = self.send(Method::GET, &path, None).await.ok()?;
        if !response.status().is_success() {
            return None;
        }
        let body: Value = response.json().await.ok()?;
        let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
        Some((text("status"), text("reason")))
    }

    pub(crate) async fn sessions(&self) -> anyhow::Result<Vec<String>> {
        let body = self.get("/whatsapp/sessions").await?;
        let list = body["sessions"].as_array().or(body.as_array()).cloned().unwrap_or_default();
        let name = |session: &Value| session["sessionName"].as_str().map(str::to_owned);
        Ok(list.iter().filter_map(name).collect())
    }

    pub(crate) async fn dead_letters(&self, subscription: &str) -> anyhow::Result<usize> {
        let path = format!("/plugins/webhook/subscriptions/{subscription}/dead-letters");
        let body = self.get(&path).await?;
        Ok(body["deadLetters"].as_array().map_or(0, Vec::len))
    }

    /// A webhook, from now on.
    pub(crate) async fn subscribe(&self, name: &str, url: &str) -> anyhow::Result<()> {
        let response = self.put_subscription(name, url, 32, None).await?;
        let status = response.status();
        let text = response.text().await.unwrap_or_default();
        if status.is_success() { Ok(()) } else { Err(anyhow!("subscribing: {status} {text}")) }
    }

    /// Of these sessions, or of all. The setting `concurrency` serves as a number that
    /// can be read again.
    pub(crate) async fn put_subscription(
        &self,
        name: &str,
        url: &str,
        concurrency: u64,
        sessions: Option<&[&str]>,
    ) -> reqwest::Result<Response> {
        let body = json!({
            "grants": {
                "config": true, "clock": true, "secrets": true, "log": true,
                "http": [{ "url": url }], "httpPerSecond": 10_000,
            },
            "config": { "url": url },
            "concurrency": concurrency,
            "sessions": sessions,
            "retrySeconds": vec![1; 20],
            "secrets": { "signing": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
            "from": "now",
        });
        let path = format!("/plugins/webhook/subscriptions/{name}");
        self.send(Method::PUT, &path, Some(&body)).await
    }

    pub(crate) async fn subscription(&self, name: &str) -> anyhow::Result<Value> {
        self.get(&format!("/plugins/webhook/subscriptions/{name}")).await
    }
}
