//! Talking to a running host over its API.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::Method;
use serde_json::Value;

use crate::cli::Remote;

/// Longer than any command takes; a host that hangs must not hang its scripts.
const DEADLINE: Duration = Duration::from_secs(120);

impl Remote {
    /// Sends a request and gives the answer's body. A problem becomes an error
    /// that says what the host said.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<Value> {
        let url = self.url.join(path).context("could not make the request's address")?;
        let Some(token) = &self.token else {
            bail!("no token: set PAIRING_TOKEN, for example to what `pairing-host token` prints");
        };
        let client = reqwest::Client::builder().no_proxy().timeout(DEADLINE).build()?;
        let mut request = client.request(method, url.clone()).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.with_context(|| {
            format!(
                "no host answers at {}; is it running? (--url or PAIRING_URL says where)",
                self.url
            )
        })?;
        let status = response.status();
        let body: Value = response.json().await.unwrap_or_default();
        if status.is_success() {
            return Ok(body);
        }
        if status == reqwest::StatusCode::UNAUTHORIZED {
            bail!(
                "{url} does not accept the token: it is wrong or has expired; `pairing-host token` makes a new one for PAIRING_TOKEN"
            );
        }
        let said =
            body["message"].as_str().or(body["detail"].as_str()).unwrap_or("no reason given");
        bail!("{url} answered {status}: {said}")
    }

    /// Prints an answer: as JSON if asked for, else as `text` says.
    pub fn print(&self, answer: &Value, text: impl Fn(&Value) -> String) {
        if self.json {
            println!("{answer:#}");
        } else {
            println!("{}", text(answer));
        }
    }
}
