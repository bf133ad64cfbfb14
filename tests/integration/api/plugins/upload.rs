//! The way in.

use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, prelude::BASE64_STANDARD};
use pairing_plugin_registry::{RegistryConfig, TrustedKeys};
use pairing_tests::{TestApi, marked, read, released};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{assert_problem, changes, digest_of, slot, upload, upload_to};

const MIB: usize = 1024 * 1024;

/// Sends it, and accepts what has this digest.
fn upload_accepted(host: &TestApi, slot: &str, component: &[u8], digest: &str) -> RequestBuilder {
    let path = format!("/plugins/{slot}/versions?acceptUnsigned={digest}");
    upload_to(host, &path, component.to_vec())
}

#[tokio::test]
async fn a_component_comes_in_is_judged_and_can_be_read_by_the_first_digits() {
    let host = TestApi::start().await;
    host.clock.advance(Duration::from_secs(1));
    let component = marked(&released("workflow"), 1);
    let digest = digest_of(&component);
    let request = || upload(&host, "workflow", component.clone());
    let response = request().send().await.unwrap();
    assert_eq!(response.status(), 201);
    let place = response.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(place, format!("/plugins/workflow/versions/{digest}"));
    let pushed: Value = response.json().await.unwrap();
    let (status, again) = read(request()).await;
    assert_eq!((status.as_u16(), &again["digest"]), (200, &json!(digest)), "it was in already");

    let (status, version) = host.get(&place).await;
    assert_eq!(status, 200);
    assert_eq!(version["size"], component.len());
    assert_eq!(
        (&version["name"], &version["version"]),
        (&json!("pairing-workflow"), &json!("0.1.0"))
    );
    assert_eq!(
        (&version["source"], &version["createdBy"]),
        (&json!("upload"), &json!("external:42"))
    );
    assert_eq!((&version["isActive"], &version["isCanary"]), (&json!(false), &json!(false)));
    assert_eq!(version["signedBy"], Value::Null);
    assert_eq!((&version["imports"], &version["readsSchemas"]), (&json!([]), &json!([1])));
    assert_eq!(version["writesSchema"], 1);
    assert!(version["interface"].as_str().unwrap().contains("workflow"), "{version}");
    assert!(version["initialMemory"].as_u64().unwrap() >= 65536, "{version}");
    assert!(version["createdAt"].as_str().unwrap().ends_with('Z'), "{version}");
    let verdicts = pushed["verdicts"].as_array().unwrap();
    assert!(verdicts.iter().all(|verdict| verdict["passed"] == true), "{pushed}");
    for gate in ["signature", "world", "probe"] {
        assert!(verdicts.iter().any(|verdict| verdict["gate"] == gate), "{gate}: {pushed}");
    }
    let (_, by_digits) = host.get(&format!("/plugins/workflow/versions/{}", &digest[..6])).await;
    assert_eq!(by_digits["digest"], *digest);
    let (_, by_digits) =
        host.get(&format!("/plugins/workflow/versions/{}", digest[..9].to_uppercase())).await;
    assert_eq!(by_digits["digest"], *digest, "however it is written");

    let (_, list) = host.get("/plugins/workflow/versions").await;
    let versions = list["versions"].as_array().unwrap();
    assert_eq!(versions[0]["digest"], *digest, "newest first");
    assert_eq!(versions.iter().filter(|version| version["isActive"] == true).count(), 1);
    assert!(versions[0].get("verdicts").is_none());
    assert_eq!(slot(&host, "workflow").await["source"], "embedded", "nothing was activated");
}

#[tokio::test]
async fn what_no_gate_lets_pass_is_told_and_written_down() {
    let host = TestApi::start().await;
    let garbage = b"this is no component".to_vec();
    let request = upload(&host, "workflow", garbage.clone());
    let (status, body) = read(request).await;
    assert_eq!((status.as_u16(), &body["code"]), (422, &json!("plugin_refused")), "{body}");
    assert!(body["gate"].is_string(), "{body}");
    let message = body["message"].as_str().unwrap();
    assert!(message.contains(body["gate"].as_str().unwrap()), "{body}");
    let newest = &changes(&host, "workflow").await[0];
    assert_eq!((&newest["action"], &newest["who"]), (&json!("push"), &json!("external:42")));
    assert_eq!(newest["refusal"].as_str().unwrap(), message);

    let renderer = released("qr-renderer");
    let request = upload(&host, "workflow", renderer.clone());
    let (status, body) = read(request).await;
    assert_eq!((status.as_u16(), &body["gate"]), (422, &json!("world")), "{body}");
    assert!(body["message"].as_str().unwrap().contains("pairing-console:workflow"), "{body}");
    let (_, list) = host.get("/plugins/workflow/versions").await;
    assert_eq!(list["versions"].as_array().unwrap().len(), 1, "nothing of it is kept: {list}");
}

#[tokio::test]
async fn in_production_an_acceptance_is_of_one_digest_only_and_audited() {
    let host = TestApi::with_plugins(RegistryConfig::default()).await;
    let component = marked(&released("fan-out"), 7);
    let (digest, other) = (digest_of(&component), digest_of(b"another"));
    let answer = read(upload(&host, "fan-out", component.clone())).await;
    assert_eq!(answer.1["gate"], "signature", "{}", answer.1);
    assert_problem(answer, 422, "plugin_refused", &format!("--accept-unsigned {digest}"));
    let answer = read(upload_accepted(&host, "fan-out", &component, &other)).await;
    assert_problem(answer.clone(), 422, "plugin_refused", &other);
    assert_problem(answer, 422, "plugin_refused", &digest);
    let accepted = upload_accepted(&host, "fan-out", &component, &digest.to_uppercase());
    let (status, version) = read(accepted).await;
    assert_eq!(status, 201, "{version}");
    assert_eq!(
        (&version["signedBy"], &version["acceptedBy"]),
        (&Value::Null, &json!("external:42"))
    );
    let actions = changes(&host, "fan-out").await;
    let accepted = actions.iter().find(|change| change["action"] == "accept-unsigned").unwrap();
    assert_eq!((&accepted["to"], &accepted["who"]), (&json!(digest), &json!("external:42")));
    assert_eq!(actions.iter().filter(|change| change["refusal"].is_string()).count(), 2);
}

#[tokio::test]
async fn in_production_a_signature_of_a_listed_key_lets_in_and_any_other_does_not() {
    let (key, stranger) =
        (Ed25519KeyPair::generate().unwrap(), Ed25519KeyPair::generate().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("release.pem");
    std::fs::write(&file, pem_of(&key)).unwrap();
    let keys = TrustedKeys::read(&[file]).unwrap();
    let host = TestApi::with_plugins(RegistryConfig { keys, ..RegistryConfig::default() }).await;
    let component = marked(&released("fan-out"), 7);
    let signed = |signature: &[u8]| {
        let request = upload(&host, "fan-out", component.clone());
        request.header("plugin-signature", BASE64_STANDARD.encode(signature))
    };
    let of_another = key.sign(&released("fan-out"));
    let of_stranger = stranger.sign(&component);
    for signature in [of_another.as_ref(), of_stranger.as_ref(), &[0; 64], b"short"] {
        let answer = read(signed(signature)).await;
        assert_eq!(answer.1["gate"], "signature", "{}", answer.1);
        assert_problem(answer, 422, "plugin_refused", "`release`");
    }
    let (status, version) = read(signed(key.sign(&component).as_ref())).await;
    assert_eq!(status, 201, "{version}");
    assert_eq!((&version["signedBy"], &version["acceptedBy"]), (&json!("release"), &Value::Null));
}

/// As `openssl pkey -pubout` writes it.
fn pem_of(key: &Ed25519KeyPair) -> String {
    let head = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
    let der = [head, key.public_key().as_ref()].concat();
    let text = BASE64_STANDARD.encode(der);
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
}

#[tokio::test]
async fn only_components_of_ten_mebibytes_and_less_are_taken() {
    let host = TestApi::start().await;
    let wrong_kinds = ["application/json", "application/octet-stream", "text/plain", ""];
    for kind in wrong_kinds {
        let request = host
            .request(Method::POST, "/plugins/workflow/versions")
            .header("content-type", kind)
            .body(released("workflow"));
        assert_problem(read(request).await, 415, "media_type_unsupported", "application/wasm");
    }
    let twelve = vec![0_u8; 12 * MIB];
    let answer = read(upload(&host, "workflow", twelve.clone())).await;
    assert_problem(answer.clone(), 413, "body_too_large", "12582912");
    assert_problem(answer, 413, "body_too_large", "10485760");
    let chunks: Vec<_> = twelve.chunks(256 * 1024).map(<[u8]>::to_vec).collect();
    let stream = futures::stream::iter(chunks.into_iter().map(Ok::<_, std::io::Error>));
    let request = upload(&host, "workflow", reqwest::Body::wrap_stream(stream));
    assert_problem(read(request).await, 413, "body_too_large", "more than 10485760");
    // More than other routes take, and as much as there may be: it reaches the gates.
    let nine = vec![0_u8; 10 * MIB];
    let request = upload(&host, "workflow", nine.clone());
    let (status, body) = read(request).await;
    assert_eq!((status.as_u16(), &body["code"]), (422, &json!("plugin_refused")), "{body}");
    let request = upload(&host, "workflow", vec![0; 8]).header("plugin-signature", "not base64!");
    assert_problem(read(request).await, 400, "header_invalid", "Plugin-Signature");
}

#[tokio::test]
async fn nothing_of_an_upload_is_read_before_it_is_clear_who_sends_it_and_what() {
    let host = TestApi::start().await;
    let (admin, user) = (host.token(json!({})), host.token(json!({ "role": "USER" })));
    for (token, slot, kind, expected) in [
        ("none", "workflow", "application/wasm", "401"),
        (&user, "workflow", "application/wasm", "403"),
        (&admin, "Web_Hook", "application/wasm", "400"),
        (&admin, "workflow", "text/plain", "415"),
    ] {
        let mut stream = TcpStream::connect(host.address).await.unwrap();
        let head = format!(
            "POST /plugins/{slot}/versions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: {kind}\r\ncontent-length: 9000000\r\n\r\n"
        );
        // The body is promised and never sent.
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), format!("HTTP/1.1 {expected}"), "{kind}");
    }
}
