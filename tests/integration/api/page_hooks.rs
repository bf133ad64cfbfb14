//! The knowledge of the page over the API.

use pairing_core::workflow::{EngineFailure, EngineFailureKind};
use pairing_tests::{TestApi, read};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

fn push(host: &TestApi, query: &str, text: &'static str) -> RequestBuilder {
    host.request(Method::POST, &format!("/page-hooks/versions{query}"))
        .header("content-type", "text/plain; charset=utf-8")
        .body(text)
}

#[tokio::test]
async fn a_file_is_pushed_activated_shown_and_rolled_back() {
    let host = TestApi::start().await;
    let (_, before) = host.get("/page-hooks").await;
    assert_eq!(before["inUse"]["isEmbedded"], true, "{before}");
    assert_eq!((&before["lastLook"], &before["versions"]), (&Value::Null, &json!([])));

    let answer = push(&host, "", "# one").send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let place = answer.headers()["location"].to_str().unwrap().to_owned();
    let version: Value = answer.json().await.unwrap();
    let digest = version["digest"].as_str().unwrap();
    assert_eq!(place, format!("/page-hooks/versions/{digest}"));
    assert_eq!((&version["isActive"], &version["report"]["isGood"]), (&json!(false), &json!(true)));
    assert_eq!(read(push(&host, "", "# one")).await.0, 200, "it is known");

    let (status, body) = host.post("/page-hooks/activate", json!({ "digest": &digest[..8] })).await;
    assert_eq!((status.as_u16(), &body["digest"]), (200, &version["digest"]), "{body}");
    assert_eq!(host.page.in_use().as_deref(), Some("# one"));
    let again = host.post("/page-hooks/activate", json!({ "digest": digest })).await;
    assert_eq!((again.0.as_u16(), &again.1["code"]), (409, &json!("page_hooks_conflict")));
    let text = host.request(Method::GET, &place).send().await.unwrap();
    assert_eq!(text.headers()["content-type"], "application/toml");
    assert_eq!(text.text().await.unwrap(), "# one");

    let (status, body) = read(host.request(Method::POST, "/page-hooks/rollback")).await;
    assert_eq!((status.as_u16(), &body["isEmbedded"]), (200, &json!(true)), "{body}");
    let (_, after) = host.get("/page-hooks").await;
    let causes: Vec<_> =
        after["history"].as_array().unwrap().iter().map(|change| &change["cause"]).collect();
    assert_eq!(causes, ["rollback", "activate"]);
    assert!(after["history"][0]["actor"].as_str().unwrap().starts_with("external:"), "{after}");
}

#[tokio::test]
async fn what_is_not_good_is_refused_with_what_is_missing_unless_forced() {
    let host = TestApi::start().await;
    let refused = async |query: &str, text: &'static str| {
        let (status, body) = read(push(&host, query, text)).await;
        (status.as_u16(), body["code"].clone(), body["message"].as_str().unwrap_or("").to_owned())
    };
    let (status, code, message) = refused("?force=true", "invalid").await;
    assert_eq!((status, code), (422, json!("page_hooks_invalid")), "{message}");
    host.page.miss(&["command"]);
    let (status, code, message) = refused("", "# old").await;
    assert_eq!((status, code), (422, json!("page_hooks_invalid")));
    assert!(message.contains("`command`"), "{message}");
    host.page.answer(Err(away()));
    let answer = push(&host, "", "# old").send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (503, &"60".parse().unwrap())
    );
    host.page.miss(&["command"]);
    assert_eq!(read(push(&host, "?force=true", "# old")).await.0, 201);
    let large = push(&host, "", "").body("#".repeat(256 * 1024 + 1));
    assert_eq!(read(large).await.0, 413);
    let (status, body) = host.get("/page-hooks/versions/../../etc").await;
    assert_eq!(status, 404, "{body}");
}

fn away() -> EngineFailure {
    EngineFailure {
        kind: EngineFailureKind::NavigationFailed,
        step: "navigate".into(),
        message: "no network".into(),
    }
}

#[tokio::test]
async fn a_look_at_the_page_tells_of_drift_once_and_all_who_listen_hear_of_it() {
    let host = TestApi::start().await;
    let check = async || read(host.request(Method::POST, "/page-hooks/check")).await;
    for _ in 0..2 {
        host.page.miss(&["command", "socket"]);
        let (status, look) = check().await;
        assert_eq!(status, 200);
        assert_eq!(look["report"]["isGood"], false, "{look}");
        assert_eq!(look["report"]["missing"]["socket"], "no such module");
    }
    host.page.answer(Err(away()));
    let (_, look) = check().await;
    assert_eq!(look["report"], Value::Null);
    assert!(look["error"].as_str().unwrap().contains("no network"), "{look}");
    assert_eq!(check().await.1["report"]["isGood"], true);

    let (_, body) = host.get("/whatsapp/events?types=alert").await;
    let events = body["events"].as_array().unwrap();
    let told: Vec<_> =
        events.iter().map(|event| (&event["sessionName"], &event["data"]["code"])).collect();
    let host_says = json!("_host");
    assert_eq!(
        told,
        [(&host_says, &json!("page_drift")), (&host_says, &json!("page_drift_over"))],
        "{body}"
    );
    assert_eq!(events[0]["data"]["missing"], "command, socket");
    let (_, shown) = host.get("/page-hooks").await;
    assert_eq!(shown["lastLook"]["report"]["isGood"], true);
}
