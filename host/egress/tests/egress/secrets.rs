//! Secrets go where they are granted to, and are not told.

use http::Request;
use http_body_util::{BodyExt, Full};
use pairing_egress::EgressError;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::peers::{Script, egress_to, grant, permit_with, read_head, send};

const KEY: &str = "k3y-that-nobody-knows";

/// Repeats the request in its answer: the head in the body, and one header.
async fn echo(mut stream: DuplexStream, heads: tokio::sync::mpsc::UnboundedSender<String>) {
    let head = read_head(&mut stream).await.unwrap();
    let mut body = vec![0; if head.contains("content-length: 23") { 23 } else { 0 }];
    stream.read_exact(&mut body).await.unwrap();
    let authorization = head.lines().find_map(|line| line.strip_prefix("authorization: "));
    let text = format!("{head}{}", String::from_utf8(body).unwrap());
    heads.send(text.clone()).unwrap();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nx-echo: {}\r\ncontent-length: {}\r\n\r\n",
        authorization.unwrap_or("none"),
        text.len(),
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    // Byte by byte, so that it is cut everywhere.
    for byte in text.as_bytes() {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_secret_is_sent_in_headers_only_and_does_not_come_back() {
    let (heads, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let script = Script::new(move |stream| echo(stream, heads.clone()));
    let egress = egress_to(&script);
    let grants = vec![grant("http://a.example/")];
    let permit = permit_with(&egress, grants, &[("key", KEY), ("other", "unused-secret")]);
    let request = Request::post("http://a.example/{{secret:key}}?q={{secret:key}}")
        .header("authorization", "Bearer {{secret:key}}")
        .header("x-two", "{{secret:key}}, {{secret:key}}")
        .header("accept-encoding", "gzip")
        .body(Full::from("body: {{secret:key}} :)"))
        .unwrap();
    let answer = send(&egress, &permit, request).await.unwrap();
    let sent = seen.recv().await.unwrap();
    assert_eq!(
        sent,
        format!(
            "POST /%7B%7Bsecret:key%7D%7D?q={{{{secret:key}}}} HTTP/1.1\r\nhost: a.example\r\n\
             authorization: Bearer {KEY}\r\nx-two: {KEY}, {KEY}\r\ncontent-length: 23\r\n\r\n\
             body: {{{{secret:key}}}} :)"
        )
    );
    let stars = "*".repeat(KEY.len());
    assert_eq!(answer.headers()["x-echo"], format!("Bearer {stars}"));
    let told = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(String::from_utf8(told.to_vec()).unwrap(), sent.replace(KEY, &stars));
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_named_and_nothing_is_sent() {
    let (heads, _seen) = tokio::sync::mpsc::unbounded_channel();
    let script = Script::new(move |stream| echo(stream, heads.clone()));
    let egress = egress_to(&script);
    let grants = || vec![grant("http://a.example/")];
    // What one subscription has, another has not.
    let _rich = permit_with(&egress, grants(), &[("key", KEY)]);
    let poor = permit_with(&egress, grants(), &[("broken", "a\r\nhost: evil.test")]);
    let ask = |url: &str, value: &str| {
        Request::get(url).header("authorization", value).body(Full::default()).unwrap()
    };
    let error = send(&egress, &poor, ask("http://a.example/", "{{secret:key}}")).await.unwrap_err();
    assert_eq!(error, EgressError::UnknownSecret("key".into()));
    assert_eq!(error.to_string(), "the subscription has no secret `key`");
    let broken = send(&egress, &poor, ask("http://a.example/", "{{secret:broken}}")).await;
    assert_eq!(broken.unwrap_err(), EgressError::UnusableSecret("broken".into()));
    // Where nothing may be sent, it is not even said whether there is such a secret.
    let elsewhere = send(&egress, &poor, ask("http://b.example/", "{{secret:key}}")).await;
    assert_eq!(elsewhere.unwrap_err(), EgressError::Denied);
    assert_eq!(script.dialled(), []);
}
