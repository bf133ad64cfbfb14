//! F11: every operation of the OpenAPI file × every caller, generated from it.

use std::collections::BTreeSet;

use pairing_tests::TestApi;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// Those that need no token, and nothing else: health and sign-in.
const OPEN: [&str; 7] = [
    "GET /auth/setup",
    "GET /health/live",
    "GET /health/ready",
    "POST /auth/login",
    "POST /auth/logout",
    "POST /auth/refresh",
    "POST /auth/setup",
];

struct Operation {
    method: Method,
    path: String,
    is_open: bool,
}

fn operations() -> Vec<Operation> {
    let api: Value = serde_json::from_str(&pairing_api::openapi_json()).unwrap();
    let mut all = Vec::new();
    for (path, methods) in api["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = method.to_uppercase().parse().unwrap();
            // `security` of the whole file is a bearer token; `{}` is nothing.
            let is_open = operation["security"] == json!([{}]);
            all.push(Operation { method, path: path.clone(), is_open });
        }
    }
    all
}

fn call(host: &TestApi, operation: &Operation, session: &str) -> RequestBuilder {
    // Slots of plugins are asked for by the same names, and one that is there.
    let slot = if session == "mine" { "workflow" } else { session };
    let path = operation.path.replace("{sessionName}", session).replace("{slot}", slot);
    let path = path.replace("{digest}", "0123456789abcdef");
    let path = path.replace("{name}", "default").replace("{event}", "1").replace("{number}", "1");
    let request = host.anonymous(operation.method.clone(), &path);
    match operation.method {
        Method::POST | Method::PUT => request.json(&json!({})),
        _ => request,
    }
}

#[test]
fn only_health_and_sign_in_are_open() {
    let open = operations().into_iter().filter(|operation| operation.is_open);
    let open: BTreeSet<String> = open.map(|one| format!("{} {}", one.method, one.path)).collect();
    assert_eq!(open, OPEN.map(str::to_owned).into());
}

#[tokio::test]
async fn every_operation_asks_for_the_admin_role_whatever_it_is_about() {
    let host = TestApi::start().await;
    host.init_with_qr("mine", "2@secret").await;
    let (user, admin) = (host.token(json!({ "role": "USER" })), host.token(json!({})));
    let mut walked = 0;
    for operation in operations().iter().filter(|operation| !operation.is_open) {
        let what = format!("{} {}", operation.method, operation.path);
        // One that is there, one that is not, and one that can't be.
        for session in ["mine", "missing", "-"] {
            let anonymous = call(&host, operation, session).send().await.unwrap();
            assert_eq!(anonymous.status(), 401, "{what} {session}");
            let wrong = call(&host, operation, session).bearer_auth("wrong").send().await.unwrap();
            assert_eq!(wrong.status(), 401, "{what} {session}");
            assert_eq!(
                anonymous.text().await.unwrap(),
                wrong.text().await.unwrap(),
                "{what} {session}: one body for every 401"
            );
            let forbidden =
                call(&host, operation, session).bearer_auth(&user).send().await.unwrap();
            assert_eq!(forbidden.status(), 403, "{what} {session}");
            walked += 1;
        }
    }
    assert!(walked >= 3 * 25, "{walked}");

    // The session is as it was, and an admin may do all of it; what is missing or
    // wrong is told.
    assert_eq!(host.get("/whatsapp/status/mine").await.1["status"], "QR_READY");
    for operation in operations().iter().filter(|operation| !operation.is_open) {
        let request = call(&host, operation, "missing").bearer_auth(&admin);
        let status = request.send().await.unwrap().status().as_u16();
        let path = &operation.path;
        let expected = match operation.method.as_str() {
            _ if path == "/whatsapp/init" || path.contains("/pair/") => 400,
            // `{}` does not say which file, and none was ever used but the host's own.
            "POST" if path == "/page-hooks/activate" => 400,
            "POST" if path == "/page-hooks/rollback" => 409,
            // A handler is there once its component was sent in, which is no JSON.
            "POST" if path.ends_with("/versions") => 415,
            "GET" if path.contains("/status/") => 200,
            _ if path.contains("{sessionName}") || path.contains("{slot}") => 404,
            _ if path.contains("{digest}") => 404,
            _ => 200,
        };
        assert_eq!(status, expected, "{} {path}", operation.method);
    }
}

#[tokio::test]
async fn methods_and_addresses_that_are_not_described_do_not_exist() {
    let host = TestApi::start().await;
    let all = operations();
    let paths: BTreeSet<&String> = all.iter().map(|operation| &operation.path).collect();
    for path in paths {
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let is_described = all.iter().any(|one| one.path == *path && one.method == method);
            if is_described {
                continue;
            }
            let path = path.replace("{sessionName}", "one").replace("{slot}", "workflow");
            let path = path.replace("{name}", "default").replace("{event}", "1");
            let path = path.replace("{number}", "1").replace("{digest}", "0123456789abcdef");
            let response = host.request(method.clone(), &path).send().await.unwrap();
            assert_eq!(response.status(), 405, "{method} {path}");
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            assert!(response.headers().contains_key("allow"), "{method} {path}");
        }
    }
    for path in [
        "/whatsapp",
        "/whatsapp/sessions/one/",
        "/api",
        "/.env",
        "/debug/pprof",
        "/admin/no.such.js",
    ] {
        let (status, body) = host.get(path).await;
        assert_eq!((status.as_u16(), &body["code"]), (404, &json!("not_found")), "{path}");
    }
}
