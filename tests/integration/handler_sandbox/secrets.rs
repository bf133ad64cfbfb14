//! Secrets are used outside of the guest: its memory never holds them.

use std::sync::{Arc, Mutex};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use pairing_tests::probe_handler;
use sha2::Sha256;
use tokio::net::TcpListener;

use super::harness::{World, everything, granted};

const SECRET: &str = "planted-3f9c1b7e5d2a48f0-secret";

/// What came in: method, authorization, body.
type Received = Arc<Mutex<Vec<(String, Option<String>, Bytes)>>>;

async fn receiver() -> (String, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let received = Received::default();
    let keep = received.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let keep = keep.clone();
            let serve = service_fn(move |request: Request<Incoming>| {
                let keep = keep.clone();
                async move {
                    let method = request.method().to_string();
                    let header = request.headers().get("authorization");
                    let authorization = header.map(|value| value.to_str().unwrap().to_owned());
                    let body = request.into_body().collect().await?.to_bytes();
                    keep.lock().unwrap().push((method, authorization, body));
                    Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::from_static(b"ok"))))
                }
            });
            let connection = hyper::server::conn::http1::Builder::new();
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), serve));
        }
    });
    (url, received)
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[tokio::test(flavor = "multi_thread")]
async fn all_memory_of_a_guest_that_has_used_a_secret_is_without_it() {
    let (url, received) = receiver().await;
    let world = World::start().await;
    world.fill(&probe_handler()).await;
    let mut grants = everything();
    grants["http"] = serde_json::json!([{ "url": url }]);
    grants["httpPerSecond"] = serde_json::json!(10_000);
    world.subscribe(&[("default", granted(grants), &[("token", SECRET)])]).await;

    let said = world.said("default", "dump", &[("url", &url), ("secret", "token")]).await;
    assert_eq!(said[0], r#"used Ok((200, "ok")) signed true"#);
    let pages: usize = said[1].strip_prefix("dumped ").unwrap().parse().unwrap();
    let received = received.lock().unwrap();
    let (used, dump) = received.split_first().unwrap();
    assert_eq!(used.1.as_deref(), Some(&*format!("Bearer {SECRET}")), "it was sent");
    assert_eq!(dump.len(), pages);
    let memory: Vec<u8> = dump.iter().flat_map(|(_, _, body)| body.to_vec()).collect();
    assert_eq!(memory.len(), pages * (64 << 10) - 8);
    // The search finds what is there.
    assert!(holds(&memory, b"{{secret:token}}"));
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    let mac = mac.chain_update("signed").finalize().into_bytes();
    assert!(holds(&memory, &mac), "what it was given to sign with");
    for form in [SECRET.to_owned(), BASE64_STANDARD.encode(SECRET), SECRET[8..24].to_owned()] {
        assert!(!holds(&memory, form.as_bytes()), "{form}");
    }
    for line in &said {
        assert!(!line.contains(SECRET));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_sent_to_granted_hosts_alone_and_in_headers_alone() {
    let (granted_url, received) = receiver().await;
    let (other_url, others) = receiver().await;
    let world = World::start().await;
    world.fill(&probe_handler()).await;
    let mut grants = everything();
    grants["http"] = serde_json::json!([{ "url": granted_url }]);
    world.subscribe(&[("default", granted(grants), &[("token", SECRET)])]).await;
    let fetch = async |url: &str, authorization: &str, body: &str| {
        let fields = [("url", url), ("authorization", authorization), ("body", body)];
        world.said("default", "fetch", &fields).await.remove(0)
    };
    let placeholder = "{{secret:token}}";
    assert!(fetch(&granted_url, placeholder, placeholder).await.contains("Ok"));
    let denied = fetch(&other_url, placeholder, "").await;
    assert!(denied.contains("HttpRequestDenied"), "{denied}");
    let unknown = fetch(&granted_url, "{{secret:nothing}}", "").await;
    assert!(unknown.contains("has no secret `nothing`"), "{unknown}");
    let received = received.lock().unwrap();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].1.as_deref(), Some(SECRET));
    assert_eq!(received[0].2, placeholder.as_bytes(), "a body is sent as it is");
    assert!(others.lock().unwrap().is_empty());
}
