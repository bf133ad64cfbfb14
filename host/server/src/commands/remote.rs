//! Talking to a running host over its API.

use std::{
    io::{self, Write},
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::cli::Remote;

/// Longer than any command to a session takes; a host that hangs must not hang
/// its scripts.
const DEADLINE: Duration = Duration::from_secs(120);

/// For what takes as long as there is to do: a component on a slow line, compiling
/// it, all recorded histories.
pub const PATIENCE: Duration = Duration::from_secs(900);

impl Remote {
    /// Sends a request and gives the answer's body. A problem becomes an error
    /// that says what the host said.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<Value> {
        let mut request = self.request(method, path)?;
        if let Some(body) = body {
            request = request.json(&body);
        }
        Ok(self.send(request).await?.1)
    }

    /// A request with the token, to be completed and sent.
    pub fn request(&self, method: Method, path: &str) -> anyhow::Result<RequestBuilder> {
        let url = self.url.join(path).context("could not make the request's address")?;
        // An empty one is what is left when the command that makes one fails.
        let Some(token) = self.token.as_ref().filter(|token| !token.is_empty()) else {
            bail!("no token: set PAIRING_TOKEN, for example to what `pairing-host token` prints");
        };
        let client = reqwest::Client::builder().no_proxy().timeout(DEADLINE).build()?;
        Ok(client.request(method, url).bearer_auth(token))
    }

    /// Sends it. A problem becomes an error that says what the host said.
    pub async fn send(&self, request: RequestBuilder) -> anyhow::Result<(StatusCode, Value)> {
        let response = self.open(request).await?;
        let (url, status) = (response.url().clone(), response.status());
        let body = response.json().await;
        Ok((status, body.with_context(|| format!("{url} answered {status} without JSON"))?))
    }

    /// Sends it, and reads nothing yet of an answer that is no problem.
    pub async fn open(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let response = request.send().await.map_err(|error| self.no_answer(error))?;
        let (url, status) = (response.url().clone(), response.status());
        if status.is_success() {
            return Ok(response);
        }
        if status == StatusCode::UNAUTHORIZED {
            bail!(
                "{url} does not accept the token: it is wrong or has expired; `pairing-host token` makes a new one for PAIRING_TOKEN"
            );
        }
        let body: Value = response.json().await.unwrap_or_default();
        let said = body["message"].as_str().or(body["detail"].as_str());
        let said = harmless(said.unwrap_or("no reason given"));
        if body["code"] == "plugin_refused" {
            // Written for the component's author, who does not care for the address.
            bail!("{said}");
        }
        bail!("{url} answered {status}: {said}")
    }

    fn no_answer(&self, error: reqwest::Error) -> anyhow::Error {
        let text = if error.is_timeout() && !error.is_connect() {
            format!(
                "the host at {} did not answer in time; what was asked may still be done: look before you try again",
                self.url
            )
        } else {
            format!(
                "no host answers at {}; is it running? (--url or PAIRING_URL says where)",
                self.url
            )
        };
        anyhow!(error).context(text)
    }

    /// Prints an answer: as JSON if asked for, else as `text` says.
    pub fn print(&self, answer: &Value, text: impl Fn(&Value) -> String) {
        let text = if self.json { format!("{answer:#}") } else { harmless(&text(answer)) };
        match writeln!(io::stdout(), "{text}") {
            // Whoever hangs up, as `head` does, has read enough.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                panic!("the answer could not be written: {error}")
            }
            _ => {}
        }
    }
}

/// Some of what a host says comes from components and from phones: none of it may
/// steer the terminal.
fn harmless(text: &str) -> String {
    let shown = |char: char| if char.is_control() && char != '\n' { '\u{fffd}' } else { char };
    text.chars().map(shown).collect()
}
