//! Bad input gets the right status, and a problem that says how to repair it.

use pairing_tests::TestApi;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// Sends; checks what all problems have in common.
async fn problem(what: &str, request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let status = response.status();
    assert_eq!(response.headers()["content-type"], "application/problem+json", "{what}: {status}");
    assert_eq!(response.headers()["cache-control"], "no-store", "{what}");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], status.as_u16(), "{what}");
    let code = body["code"].as_str().unwrap();
    assert_eq!(body["type"], format!("urn:pairing-console:problem:{code}"), "{what}");
    assert!(!body["title"].as_str().unwrap().is_empty(), "{what}");
    assert_eq!(body["message"], body["detail"], "{what}: FinBot reads `message`");
    (status, body)
}

async fn assert_problem(what: &str, request: RequestBuilder, status: u16, code: &str, says: &str) {
    let (found, body) = problem(what, request).await;
    assert_eq!((found.as_u16(), body["code"].as_str()), (status, Some(code)), "{what}: {body}");
    let message = body["message"].as_str().unwrap();
    assert!(message.contains(says), "{what}: {message:?} does not say {says:?}");
}

#[tokio::test]
async fn session_names_are_checked_and_the_place_is_named() {
    let host = TestApi::start().await;
    for (name, says) in [
        ("", "empty"),
        ("-one", "'-' at place 1"),
        ("a b", "' ' at place 2"),
        ("../etc", "'.' at place 1"),
        ("sessão", "'ã' at place 5"),
        (&"x".repeat(65), "65 characters"),
    ] {
        let body = json!({ "sessionName": name });
        let request = host.request(Method::POST, "/whatsapp/init").json(&body);
        assert_problem(name, request, 400, "session_name_invalid", says).await;
    }
    for path in [
        "/whatsapp/status/a%20b",
        "/whatsapp/status/%FF",
        "/whatsapp/qr/a%2Fb",
        "/whatsapp/qr/a.gif",
        "/whatsapp/sessions/-",
        "/whatsapp/sessions/a%00b/history",
        "/whatsapp/events?sessions=a/b",
    ] {
        let request = host.request(Method::GET, path);
        assert_problem(path, request, 400, "session_name_invalid", "").await;
    }
}

#[tokio::test]
async fn phone_numbers_are_checked_and_the_reason_is_given() {
    let host = TestApi::start().await;
    host.init_with_qr("one", "2@secret").await;
    for (number, says) in [
        ("", "empty"),
        ("abc", "'a'"),
        ("0011999990001", "begins with 0"),
        ("12", "2 digits"),
        ("5511999990001555555", "19 digits"),
        ("551199999000155", "digits after the country code 55"),
        ("999123456789", "country"),
        ("٥٥١١٩٩٩٩٩٠٠٠١", "'٥'"),
    ] {
        let body = json!({ "phoneNumber": number });
        let request = host.request(Method::POST, "/whatsapp/pair/one").json(&body);
        assert_problem(number, request, 400, "phone_invalid", says).await;
        let body = json!({ "sessionName": "two", "expectedPhoneNumber": number });
        let request = host.request(Method::POST, "/whatsapp/init").json(&body);
        assert_problem(number, request, 400, "phone_invalid", says).await;
    }
    assert_eq!(host.get("/whatsapp/sessions/two").await.0, 404, "nothing was begun");
}

#[tokio::test]
async fn bodies_that_are_no_json_of_ours_are_refused() {
    let host = TestApi::start().await;
    let json_type = "application/json";
    let init = |body: Vec<u8>, content_type: &str| {
        host.request(Method::POST, "/whatsapp/init").header("content-type", content_type).body(body)
    };
    for (what, body, content_type, says) in [
        ("nothing", "", json_type, ""),
        ("not JSON", "sessionName=one", json_type, ""),
        ("half", r#"{"sessionName":"#, json_type, ""),
        ("a list", "[]", json_type, ""),
        ("no name", "{}", json_type, "sessionName"),
        ("a number as name", r#"{"sessionName":1}"#, json_type, "sessionName"),
        ("null as name", r#"{"sessionName":null}"#, json_type, "sessionName"),
        (
            "a form",
            r#"{"sessionName":"one"}"#,
            "application/x-www-form-urlencoded",
            "application/json",
        ),
        ("text", r#"{"sessionName":"one"}"#, "text/plain", "application/json"),
    ] {
        let request = init(body.into(), content_type);
        assert_problem(what, request, 400, "body_invalid", says).await;
    }
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    assert_problem("deep", init(deep.into(), json_type), 400, "body_invalid", "").await;
    assert_problem("no UTF-8", init(vec![b'"', 0xff, b'"'], json_type), 400, "body_invalid", "")
        .await;
    let logout = host.request(Method::POST, "/whatsapp/sessions/one/logout").body("{");
    assert_problem("a broken optional body", logout, 400, "body_invalid", "").await;
    assert_eq!(
        host.get("/whatsapp/sessions").await.1,
        json!({ "sessions": [] }),
        "nothing was begun"
    );
}

#[tokio::test]
async fn a_body_of_two_megabytes_is_refused_everywhere() {
    let host = TestApi::start().await;
    let body = json!({ "sessionName": "one", "note": "x".repeat(2 * 1024 * 1024) }).to_string();
    for path in ["/whatsapp/init", "/whatsapp/sessions/one/logout", "/auth/login", "/auth/logout"] {
        let request = host
            .request(Method::POST, path)
            .header("content-type", "application/json")
            .body(body.clone());
        assert_problem(path, request, 413, "body_too_large", "1 MiB").await;
    }
    let chunks = body.into_bytes().chunks(64 * 1024).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let stream = futures::stream::iter(chunks.into_iter().map(Ok::<_, std::io::Error>));
    let request = host
        .request(Method::POST, "/whatsapp/init")
        .header("content-type", "application/json")
        .body(reqwest::Body::wrap_stream(stream));
    assert_problem("without a length", request, 413, "body_too_large", "1 MiB").await;
    assert_eq!(
        host.get("/whatsapp/sessions").await.1,
        json!({ "sessions": [] }),
        "nothing was begun"
    );
}

#[tokio::test]
async fn queries_that_cannot_be_read_are_refused() {
    let host = TestApi::start().await;
    host.init_with_qr("one", "2@secret").await;
    for path in [
        "/whatsapp/events?after=soon",
        "/whatsapp/events?after=-1",
        "/whatsapp/events?limit=many",
        "/whatsapp/sessions/one/history?after=x",
        "/whatsapp/qr/one.png?size=10",
        "/whatsapp/qr/one.png?size=100000",
        "/whatsapp/qr/one.svg?quietZone=17",
    ] {
        assert_problem(path, host.request(Method::GET, path), 400, "query_invalid", "").await;
    }
    let path = "/whatsapp/sessions/one?confirm=perhaps";
    assert_problem(path, host.request(Method::DELETE, path), 400, "query_invalid", "").await;
}

#[tokio::test]
async fn wrong_methods_and_tokens_are_told_apart() {
    let host = TestApi::start().await;
    let put = host.request(Method::PUT, "/whatsapp/init");
    assert_problem("PUT", put, 405, "method_not_allowed", "PUT").await;
    let expired = host.token(json!({ "exp": 1 }));
    let unsigned = format!("{}.", host.token(json!({})).rsplit_once('.').unwrap().0);
    let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiI0MiIsInJvbGUiOiJhZG1pbiIsImV4cCI6OTk5OTk5OTk5OX0.";
    for (what, token) in
        [("wrong", "wrong"), ("expired", &expired), ("unsigned", &unsigned), ("alg none", none)]
    {
        let request = host.anonymous(Method::GET, "/whatsapp/sessions").bearer_auth(token);
        assert_problem(what, request, 401, "unauthorized", "Bearer").await;
    }
    let user = host.token(json!({ "role": "USER" }));
    let request = host.anonymous(Method::GET, "/whatsapp/sessions").bearer_auth(user);
    assert_problem("no role", request, 403, "forbidden", "admin role").await;
}
