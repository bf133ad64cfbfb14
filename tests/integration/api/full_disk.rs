//! A disk that is full: what is read goes on, what would change something is
//! refused before anything is touched.

use pairing_core::space::Space;
use pairing_tests::TestApi;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_full_disk_refuses_changes_by_name_and_nothing_else() {
    let host = TestApi::start().await;
    let init = async |name: &str| {
        let request = host.request(Method::POST, "/whatsapp/init");
        let response = request.json(&json!({ "sessionName": name })).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.headers().clone(), response.json::<Value>().await.unwrap())
    };
    assert_eq!(init("before").await.0, 200);

    host.space.send_replace(Space::ReadOnly);
    let (status, headers, problem) = init("meanwhile").await;
    assert_eq!((status, &problem["code"]), (507, &json!("storage_full")), "{problem}");
    assert_eq!(headers["content-type"], "application/problem+json");
    assert!(headers.contains_key("retry-after"), "{headers:?}");
    for path in ["/whatsapp/sessions", "/whatsapp/status/before", "/health/live"] {
        let answer = host.request(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
    let sessions: Value =
        host.request(Method::GET, "/whatsapp/sessions").send().await.unwrap().json().await.unwrap();
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1, "{sessions}");
    let removed = host.request(Method::DELETE, "/whatsapp/sessions/before").send().await.unwrap();
    assert_eq!(removed.status(), 200, "removing makes room");

    host.space.send_replace(Space::Low);
    assert_eq!(init("after").await.0, 200, "low is only a warning");
}
