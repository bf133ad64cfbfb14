//! The plugins of a running host: over REST what an operator does, and from its
//! database which of them decided what.

use pairing_core::store::RecordedInput;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::TestHost;

impl TestHost {
    /// Sends a component in; gives its digest.
    pub async fn push(&self, slot: &str, component: &[u8]) -> String {
        let request = self.request(Method::POST, &format!("/plugins/{slot}/versions"));
        let request = request.header("content-type", "application/wasm");
        let response = request.body(component.to_vec()).send().await.expect("the host answers");
        let status = response.status();
        let body: Value = response.json().await.unwrap_or_default();
        assert!(status.is_success(), "push to {slot}: {status} {body}");
        body["digest"].as_str().expect("a version has a digest").to_owned()
    }

    /// Makes a version active.
    pub async fn activate(&self, slot: &str, digest: &str) -> Value {
        self.post(&format!("/plugins/{slot}/activate"), json!({ "digest": digest })).await
    }

    /// The same, whatever the host says.
    pub async fn try_to_activate(&self, slot: &str, digest: &str) -> reqwest::Result<Response> {
        let request = self.request(Method::POST, &format!("/plugins/{slot}/activate"));
        request.json(&json!({ "digest": digest })).send().await
    }

    /// Sends a component in and makes it active; gives its digest and what came of it.
    pub async fn swap(&self, slot: &str, component: &[u8]) -> (String, Value) {
        let digest = self.push(slot, component).await;
        let activated = self.activate(slot, &digest).await;
        assert_eq!(activated["active"], *digest);
        (digest, activated)
    }

    /// What fills a slot.
    pub async fn slot(&self, slot: &str) -> Value {
        let body = self.get("/plugins").await;
        let slots = body["slots"].as_array().cloned().unwrap_or_default();
        slots.into_iter().find(|one| one["slot"] == slot).expect("all slots are filled")
    }

    /// What was done to a slot and what was refused, newest first.
    pub async fn plugin_changes(&self, slot: &str) -> Vec<Value> {
        let body = self.get(&format!("/plugins/{slot}/history?limit=200")).await;
        body["changes"].as_array().cloned().expect("a slot has a history")
    }

    /// A session's recorded inputs, from its first, read beside the running host.
    pub async fn inputs(&self, session: &str) -> Vec<RecordedInput> {
        let config = pairing_store::Config::new(self.database_url());
        let store = pairing_store::connect(&config).await;
        let store = store.expect("the host has made its database");
        let session = session.parse().expect("a name by the rule");
        store.inputs(&session, 0, 10_000).await.expect("the database can be read")
    }

    /// All samples of a metric, as `name{labels} value` lines.
    pub async fn metric(&self, name: &str) -> Vec<String> {
        let response = self.request(Method::GET, "/metrics").send().await;
        let text = response.expect("the host answers").text().await.unwrap_or_default();
        let is_it =
            |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
        text.lines().filter(is_it).map(str::to_owned).collect()
    }
}
