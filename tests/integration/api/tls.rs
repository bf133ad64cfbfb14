//! The listener with a certificate of its own.

use pairing_api::Tls;
use pairing_tests::{PASSWORD, SignIn, TestApi};
use reqwest::{Certificate, Method};
use serde_json::json;
use tokio::net::TcpListener;

#[tokio::test]
async fn over_tls_people_sign_in_and_plain_http_gets_nowhere() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let tls = Tls::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
    let host = TestApi::with(|config| config.is_https = true).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(pairing_api::serve(listener, Some(tls), host.api.clone()));

    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([Certificate::from_pem(chain.as_bytes()).unwrap()])
        .resolve("localhost", ([127, 0, 0, 1], port).into())
        .build()
        .unwrap();
    let url = format!("https://localhost:{port}");
    let body =
        json!({ "token": host.setup_token().await, "username": "ana", "password": PASSWORD });
    let request = client.post(format!("{url}/auth/setup")).header("origin", &url).json(&body);
    let sign_in = SignIn::from(request.send().await.unwrap()).await;
    assert!(sign_in.cookie.starts_with("__Host-"), "{}", sign_in.cookie);
    let request = client
        .request(Method::POST, format!("{url}/auth/refresh"))
        .header("origin", &url)
        .header("cookie", sign_in.cookie);
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert!(client.get(format!("http://localhost:{port}/health/live")).send().await.is_err());
}

#[test]
fn a_key_that_is_no_key_is_refused_before_anything_listens() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let chain = made.cert.pem();
    for key in ["", "no PEM", &chain, &other.signing_key.serialize_pem()] {
        assert!(Tls::from_pem(chain.as_bytes(), key.as_bytes()).is_err(), "{key:.30}");
    }
    let key = made.signing_key.serialize_pem();
    assert!(Tls::from_pem(b"no PEM", key.as_bytes()).is_err());
}
