//! F8: what pages may do, generated from a table: origin × site × credential ×
//! method. Only the cells that [`expected`] names pass.

use pairing_tests::{PASSWORD, SignIn, TestApi};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;

use super::socket::Socket;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Origin {
    Own,
    Listed,
    Other,
    OtherPort,
    Null,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Credential {
    Cookie,
    Bearer,
    Both,
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Call {
    Read,
    Change,
    Refresh,
    Logout,
}

const ORIGINS: [Origin; 6] =
    [Origin::Own, Origin::Listed, Origin::Other, Origin::OtherPort, Origin::Null, Origin::None];
const SITES: [Option<&str>; 5] =
    [Some("same-origin"), Some("same-site"), Some("cross-site"), Some("none"), None];
const CREDENTIALS: [Credential; 4] =
    [Credential::Cookie, Credential::Bearer, Credential::Both, Credential::Nothing];
const CALLS: [Call; 4] = [Call::Read, Call::Change, Call::Refresh, Call::Logout];

fn origin(host: &TestApi, origin: Origin) -> Option<String> {
    match origin {
        Origin::Own => Some(host.url()),
        Origin::Listed => Some("http://finbot.example".into()),
        Origin::Other => Some("http://evil.example".into()),
        Origin::OtherPort => Some("http://127.0.0.1:1".into()),
        Origin::Null => Some("null".into()),
        Origin::None => None,
    }
}

/// 2xx, 401 or 403 in hundreds and what is left.
fn expected(origin: Origin, site: Option<&str>, credential: Credential, call: Call) -> u16 {
    if matches!(origin, Origin::Other | Origin::OtherPort | Origin::Null) {
        return 403;
    }
    let has_token = matches!(credential, Credential::Bearer | Credential::Both);
    let has_cookie = matches!(credential, Credential::Cookie | Credential::Both);
    match call {
        Call::Read | Call::Change => {
            if has_token {
                200
            } else {
                401
            }
        }
        Call::Refresh | Call::Logout => {
            let is_own = match site {
                Some("same-origin") => origin != Origin::Listed,
                Some(_) => false,
                None => origin == Origin::Own,
            };
            match call {
                _ if !is_own => 403,
                // To have no sign-in is what was wanted.
                Call::Logout => 204,
                _ if has_cookie => 200,
                _ => 401,
            }
        }
    }
}

fn request(host: &TestApi, call: Call) -> RequestBuilder {
    match call {
        Call::Read => host.anonymous(Method::GET, "/whatsapp/sessions"),
        Call::Change => host
            .anonymous(Method::POST, "/whatsapp/init")
            .json(&json!({ "sessionName": "browser" })),
        Call::Refresh => host.anonymous(Method::POST, "/auth/refresh"),
        Call::Logout => host.anonymous(Method::POST, "/auth/logout"),
    }
}

#[tokio::test]
async fn only_the_cells_of_the_table_pass() {
    let host = TestApi::with(|config| config.rate_limits = false).await;
    let mut sign_in = host.set_up().await;
    // Signing out with the one that is renewed would end the test.
    let body = json!({ "username": "ana", "password": PASSWORD });
    let login = host.anonymous(Method::POST, "/auth/login").json(&body);
    let other = SignIn::from(login.send().await.unwrap()).await;
    let mut cells = 0;
    for from in ORIGINS {
        for site in SITES {
            for credential in CREDENTIALS {
                for call in CALLS {
                    let mut request = request(&host, call);
                    if let Some(origin) = origin(&host, from) {
                        request = request.header("origin", origin);
                    }
                    if let Some(site) = site {
                        request = request.header("sec-fetch-site", site);
                    }
                    if matches!(credential, Credential::Cookie | Credential::Both) {
                        let cookie = if call == Call::Logout { &other } else { &sign_in };
                        request = request.header("cookie", &cookie.cookie);
                    }
                    if matches!(credential, Credential::Bearer | Credential::Both) {
                        request = request.bearer_auth(host.token(json!({})));
                    }
                    let response = request.send().await.unwrap();
                    let cell = format!("{from:?} {site:?} {credential:?} {call:?}");
                    let expected = expected(from, site, credential, call);
                    assert_eq!(response.status().as_u16(), expected, "{cell}");
                    let allowed = response.headers().get("access-control-allow-origin");
                    let is_told = allowed.is_some_and(|origin| origin == "http://finbot.example");
                    assert_eq!(is_told, from == Origin::Listed, "{cell}: {allowed:?}");
                    assert!(is_told || allowed.is_none(), "{cell}: {allowed:?}");
                    assert!(!response.headers().contains_key("access-control-allow-credentials"));
                    if call == Call::Refresh && response.status() == StatusCode::OK {
                        sign_in = SignIn::from(response).await;
                    }
                    cells += 1;
                }
            }
        }
    }
    assert!(cells >= 200, "{cells}");
}

#[tokio::test]
async fn sockets_are_opened_from_our_own_and_listed_pages_only() {
    let host = TestApi::start().await;
    let bearer = format!("Bearer {}", host.token(json!({})));
    for from in ORIGINS {
        let origin = origin(&host, from);
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(origin.as_deref().map(|origin| ("origin", origin)));
        let is_refused = matches!(from, Origin::Other | Origin::OtherPort | Origin::Null);
        let expected = if is_refused { 403 } else { 101 };
        assert_eq!(Socket::refused(&host, &headers).await, expected, "{from:?}");

        let mut polling = host.anonymous(Method::GET, "/socket.io/?EIO=4&transport=polling");
        if let Some(origin) = &origin {
            polling = polling.header("origin", origin);
        }
        let expected = if is_refused { 403 } else { 200 };
        assert_eq!(polling.send().await.unwrap().status().as_u16(), expected, "{from:?}");
    }
}

#[tokio::test]
async fn a_preflight_is_answered_for_listed_origins_only_and_without_cookies() {
    let host = TestApi::start().await;
    let preflight = async |path: &str, origin: &str| {
        let request = host
            .anonymous(Method::OPTIONS, path)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type");
        request.send().await.unwrap()
    };
    for path in ["/whatsapp/init", "/socket.io/?EIO=4&transport=polling"] {
        let answer = preflight(path, "http://finbot.example").await;
        assert!(answer.status().is_success(), "{path}");
        let headers = answer.headers();
        assert_eq!(headers["access-control-allow-origin"], "http://finbot.example");
        let allowed = headers["access-control-allow-headers"].to_str().unwrap().to_lowercase();
        assert!(allowed.contains("authorization") && allowed.contains("content-type"), "{allowed}");
        assert!(!headers.contains_key("access-control-allow-credentials"));
        let answer = preflight(path, "http://evil.example").await;
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "{path}");
    }
}

#[tokio::test]
async fn a_host_name_that_is_not_ours_is_misdirected() {
    let host = TestApi::with(|config| {
        config.public_url = Some("http://pairing.example:8443".parse().unwrap());
    })
    .await;
    let status = async |name: &str| {
        let request = host.request(Method::GET, "/whatsapp/sessions").header("host", name);
        request.send().await.unwrap().status().as_u16()
    };
    for name in [
        "127.0.0.1",
        "localhost:8080",
        "LOCALHOST",
        "[::1]:80",
        "pairing.example:8443",
        "Pairing.Example",
    ] {
        assert_eq!(status(name).await, 200, "{name}");
    }
    for name in [
        "evil.example",
        "127.0.0.1.nip.io",
        "localhost.evil.example",
        "pairing.example.evil",
        "10.0.0.1",
        "",
    ] {
        assert_eq!(status(name).await, 421, "{name}");
    }
    let (_, body) = pairing_tests::read(
        host.anonymous(Method::GET, "/health/live").header("host", "evil.example"),
    )
    .await;
    assert_eq!(body["code"], "host_not_allowed");
}
