//! The registry of plugins over REST.

mod handlers;
mod reading;
mod subscriptions;
mod swap;
mod upload;

use aws_lc_rs::digest::{SHA256, digest};
use pairing_tests::{TestApi, read};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

fn digest_of(component: &[u8]) -> String {
    digest(&SHA256, component).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends it; without a signature, which the test's host allows.
fn upload(host: &TestApi, slot: &str, component: impl Into<reqwest::Body>) -> RequestBuilder {
    upload_to(host, &format!("/plugins/{slot}/versions"), component)
}

fn upload_to(host: &TestApi, path: &str, component: impl Into<reqwest::Body>) -> RequestBuilder {
    let request = host.request(Method::POST, path).body(component);
    request.header("content-type", "application/wasm")
}

/// Sends it in; gives its digest.
async fn push(host: &TestApi, slot: &str, component: &[u8]) -> String {
    let (status, body) = read(upload(host, slot, component.to_vec())).await;
    assert!(status.is_success(), "{status} {body}");
    let digest = digest_of(component);
    assert_eq!(body["digest"], *digest);
    digest
}

async fn activate(host: &TestApi, slot: &str, body: Value) -> Value {
    let (status, body) = host.post(&format!("/plugins/{slot}/activate"), body).await;
    assert_eq!(status, 200, "{body}");
    body
}

async fn slot(host: &TestApi, name: &str) -> Value {
    let (_, body) = host.get("/plugins").await;
    let slots = body["slots"].as_array().unwrap();
    slots.iter().find(|slot| slot["slot"] == name).unwrap().clone()
}

async fn changes(host: &TestApi, slot: &str) -> Vec<Value> {
    let (status, body) = host.get(&format!("/plugins/{slot}/history")).await;
    assert_eq!(status, 200, "{body}");
    body["changes"].as_array().unwrap().clone()
}

fn keys(body: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn assert_problem((status, body): (StatusCode, Value), expected: u16, code: &str, says: &str) {
    assert_eq!((status.as_u16(), &body["code"]), (expected, &json!(code)), "{body}");
    let message = body["message"].as_str().unwrap();
    assert!(message.contains(says), "{message:?} does not say {says:?}");
}
