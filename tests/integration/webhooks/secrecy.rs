//! Where a secret of a webhook is, and where it is not.

use std::path::Path;

use pairing_tests::{WrittenJournal, tick, until};
use serde_json::json;

use super::harness::{KEY, Receivers, dead_letters, grants, host, subscribe, subscription};

const TOKEN: &str = "planted-token-7f3a9c51d2e84b60";

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_in_the_header_that_asks_for_it_and_nowhere_else() {
    let mut receivers = Receivers::start().await;
    let mut host = host().await;
    receivers.set("hook", &[KEY], json!([500, 200, 500])).await;
    let url = receivers.url("hook");
    let changes = json!({
        "config": { "url": url, "header.Authorization": "Bearer {{secret:token}}" },
        "secrets": { "signing": KEY, "token": TOKEN },
        "grants": grants(&url),
        "retrySeconds": [1],
    });
    subscribe(&host, "hook", &url, changes).await;
    WrittenJournal::of(&host).await.tell("one", vec![tick(1), tick(2)]).await;
    let letters = until("the second event is given up", async || {
        let letters = dead_letters(&host, "hook").await;
        (!letters.is_empty()).then_some(letters)
    })
    .await;
    let requests = receivers.requests("hook");
    for request in &requests {
        assert_eq!(request.header("authorization"), format!("Bearer {TOKEN}"));
        let mut rest = request.0.clone();
        rest["headers"]["authorization"] = json!(null);
        rest["signedBy"] = json!(null);
        assert_free_of_secrets("the rest of a request", &rest.to_string());
    }
    assert_free_of_secrets("dead letters", &format!("{letters:?}"));
    assert_free_of_secrets("the subscription", &subscription(&host, "hook").await.to_string());
    for path in ["/plugins/webhook/subscriptions", "/plugins/webhook/logs", "/plugins"] {
        assert_free_of_secrets(path, &host.get(path).await.to_string());
    }
    host.stop().await;
    assert_free_of_secrets("the log", &host.log());
    assert_free_of_secrets("what was printed", &host.output());
    assert_free_of_secrets_below(&host.data_dir());
}

fn assert_free_of_secrets(what: &str, text: &str) {
    for secret in [TOKEN, KEY, KEY.trim_start_matches("whsec_")] {
        assert!(!text.contains(secret), "{what} has a secret");
    }
}

fn assert_free_of_secrets_below(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_free_of_secrets_below(&path);
        } else if let Ok(bytes) = std::fs::read(&path) {
            let text = String::from_utf8_lossy(&bytes);
            assert_free_of_secrets(&path.display().to_string(), &text);
        }
    }
}
