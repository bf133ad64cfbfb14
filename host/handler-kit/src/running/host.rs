//! A running host, as far as its API is needed here.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, bail};
use pairing_core::handler::HandlerName;
use reqwest::{Method, RequestBuilder, Response, header};
use serde_json::{Value, json};
use url::Url;

use crate::project::Project;

/// A component is compiled meanwhile.
const PATIENCE: Duration = Duration::from_secs(120);

/// Between one look for a host that starts and the next.
const PAUSE: Duration = Duration::from_millis(100);

/// A host, and a token for it.
#[derive(Debug, Clone)]
pub struct Host {
    url: Url,
    token: String,
    client: reqwest::Client,
}

impl Host {
    /// The host at this address.
    ///
    /// # Errors
    /// There is no client to be had.
    pub fn at(url: Url, token: String) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        Ok(Self { url, token, client })
    }

    /// Sets the handler's subscription `default` to what the project says.
    pub(super) async fn grant(&self, project: &Project) -> anyhow::Result<()> {
        let manifest = &project.manifest;
        let mut body = serde_json::to_value(&manifest.subscription)?;
        body["secrets"] = json!(manifest.secrets);
        let path = format!("plugins/{}/subscriptions/default", manifest.name);
        self.send(self.request(Method::PUT, &path)?.json(&body)).await.context("granting")?;
        Ok(())
    }

    /// Waits until the host can work.
    pub async fn until_ready(&self) {
        loop {
            let ready = self.request(Method::GET, "health/ready");
            if let Ok(request) = ready
                && request.send().await.is_ok_and(|answer| answer.status().is_success())
            {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Begins to link a session, or does so again.
    pub(super) async fn init(&self, session: &str) -> anyhow::Result<()> {
        let body = json!({ "sessionName": session });
        self.send(self.request(Method::POST, "whatsapp/init")?.json(&body)).await?;
        Ok(())
    }

    pub(super) async fn push(&self, name: HandlerName, component: &Path) -> anyhow::Result<()> {
        let component = tokio::fs::read(component).await.context("reading the component")?;
        let request = self
            .request(Method::POST, &format!("plugins/{name}/versions"))?
            .header(header::CONTENT_TYPE, "application/wasm")
            .body(component);
        self.send(request).await.context("pushing")?;
        Ok(())
    }

    pub(super) async fn activate(&self, name: HandlerName, digest: &str) -> anyhow::Result<()> {
        let body = json!({ "digest": digest, "why": "saved" });
        let request = self.request(Method::POST, &format!("plugins/{name}/activate"))?;
        self.send(request.json(&body)).await.context("activating")?;
        Ok(())
    }

    /// The stream of the handler's lines, from now on or after this number.
    pub(super) async fn lines(
        &self,
        name: HandlerName,
        after: Option<u64>,
    ) -> anyhow::Result<Response> {
        let after = after.map(|after| format!("?after={after}")).unwrap_or_default();
        let request = self.request(Method::GET, &format!("plugins/{name}/logs{after}"))?;
        let stream = request.header(header::ACCEPT, "text/event-stream").send().await?;
        Ok(stream.error_for_status()?)
    }

    fn request(&self, method: Method, path: &str) -> anyhow::Result<RequestBuilder> {
        Ok(self.client.request(method, self.url.join(path)?).bearer_auth(&self.token))
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let no_answer = || format!("no host answers at {}; is it running?", self.url);
        let answer = request.send().await.with_context(no_answer)?;
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or_default();
        if !status.is_success() {
            let said = body["message"].as_str().or(body["detail"].as_str());
            bail!("the host answered {status}: {}", said.unwrap_or("no reason given"));
        }
        Ok(body)
    }
}
