//! What everybody may see: health, headers, the console's files; and what nobody
//! may see without a token.

use pairing_tests::TestApi;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn health_needs_no_token_and_says_when_the_host_is_not_ready() {
    let host = TestApi::start().await;
    let (status, body) = pairing_tests::read(host.anonymous(Method::GET, "/health/live")).await;
    assert_eq!((status.as_u16(), body), (200, json!({ "status": "live" })));
    let (status, body) = pairing_tests::read(host.anonymous(Method::GET, "/health/ready")).await;
    assert_eq!((status.as_u16(), &body["status"]), (200, &json!("ready")));
    assert!(body["checks"].as_array().unwrap().iter().all(|check| check["ok"] == true), "{body}");
}

#[tokio::test]
async fn metrics_are_prometheus_text_for_admins() {
    let host = TestApi::start().await;
    assert_eq!(host.anonymous(Method::GET, "/metrics").send().await.unwrap().status(), 401);
    let response = host.request(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(
        response.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
}

#[tokio::test]
async fn plugins_are_listed_with_their_digests() {
    let host = TestApi::start().await;
    let (_, body) = host.get("/plugins").await;
    let slots = body["slots"].as_array().unwrap();
    let names: Vec<_> = slots.iter().map(|slot| slot["slot"].as_str().unwrap()).collect();
    assert_eq!(names, ["workflow", "qr-renderer", "fan-out", "webhook"]);
    for slot in slots {
        let digest = slot["digest"].as_str().unwrap();
        assert!(digest.len() == 64 && digest.chars().all(|c| c.is_ascii_hexdigit()), "{slot}");
        assert!(slot["version"].is_string() && slot["source"] == "embedded", "{slot}");
    }
}

#[tokio::test]
async fn the_description_is_for_admins_and_open_while_developing() {
    let host = TestApi::start().await;
    for path in ["/openapi.json", "/openapi"] {
        assert_eq!(host.anonymous(Method::GET, path).send().await.unwrap().status(), 401, "{path}");
        assert_eq!(host.request(Method::GET, path).send().await.unwrap().status(), 200, "{path}");
    }
    let (_, json) = host.get("/openapi.json").await;
    assert!(json["openapi"].as_str().unwrap().starts_with("3.1"), "{json}");
    let host = TestApi::with(|config| config.is_development = true).await;
    let page = host.anonymous(Method::GET, "/openapi").send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("/whatsapp/pair/{sessionName}") && !page.contains("<script"), "{page}");
}

#[tokio::test]
async fn every_answer_has_the_headers_that_keep_browsers_safe() {
    let host = TestApi::start().await;
    for path in [
        "/health/live",
        "/whatsapp/sessions",
        "/nothing",
        "/admin/whatsapp-pairing",
        "/openapi.json",
    ] {
        let response = host.anonymous(Method::GET, path).send().await.unwrap();
        let headers = response.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        assert_eq!(headers["cross-origin-opener-policy"], "same-origin", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        for absent in
            ["server", "x-powered-by", "access-control-allow-origin", "strict-transport-security"]
        {
            assert!(!headers.contains_key(absent), "{absent} at {path}");
        }
    }
    let host = TestApi::with(|config| config.is_https = true).await;
    let response = host.anonymous(Method::GET, "/health/live").send().await.unwrap();
    assert!(response.headers().contains_key("strict-transport-security"));
}

#[tokio::test]
async fn the_address_alone_leads_to_the_console() {
    let host = TestApi::start().await;
    let response = host.anonymous(Method::GET, "/").send().await.unwrap();
    assert_eq!(response.url().path(), "/admin/whatsapp-pairing");
}
