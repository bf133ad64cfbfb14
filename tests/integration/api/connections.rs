//! The listener: slow and large heads, too many connections, and how it ends.

use std::time::Duration;

use pairing_api::ListenerLimits;
use pairing_tests::{DEADLINE, TestApi, until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Sends these bytes, and gives what comes until the connection ends.
async fn exchange(host: &TestApi, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer)).await;
    // A reset is an end too.
    let _ = read.expect("the connection ends");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let host = TestApi::with(|config| {
        config.limits.header_timeout = Duration::from_millis(200);
    })
    .await;
    let answer = exchange(&host, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n").await;
    assert!(!answer.contains("200 OK"), "{answer}");
}

#[tokio::test]
async fn who_connects_and_asks_nothing_is_cut_off() {
    let host = TestApi::with(|config| {
        config.limits.header_timeout = Duration::from_millis(200);
    })
    .await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for bytes in [&b""[..], b"P", &preface[..18], preface] {
        let answer = exchange(&host, bytes).await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let host = TestApi::start().await;
    let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(40 * 1024));
    let answer = exchange(&host, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn what_is_no_http_gets_an_error_and_no_more() {
    let host = TestApi::start().await;
    for bytes in
        [&b"\x16\x03\x01\x02\x00"[..], b"HELO localhost\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
    {
        let answer = exchange(&host, bytes).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    let answer = exchange(&host, b"GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 421"), "no host is named: {answer}");
}

#[tokio::test]
async fn connections_are_counted_by_address_and_a_closed_one_makes_room() {
    let host = TestApi::with(|config| {
        config.trusted_proxies.clear();
        config.limits = ListenerLimits { connections_per_address: 2, ..ListenerLimits::default() };
    })
    .await;
    let live = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let first = TcpStream::connect(host.address).await.unwrap();
    let _second = TcpStream::connect(host.address).await.unwrap();
    until("the third is refused", async || exchange(&host, live).await.is_empty().then_some(()))
        .await;
    drop(first);
    until("there is room again", async || {
        exchange(&host, live).await.contains("200 OK").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_request_in_flight_is_finished_when_the_host_stops() {
    let mut host = TestApi::start().await;
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    // The head is there and half of the body.
    stream
        .write_all(b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 41\r\n\r\n{\"username\":\"ana\",")
        .await
        .unwrap();
    // Its connection was accepted once a later one is.
    let live = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert!(exchange(&host, live).await.contains("200 OK"));
    let address = host.address;
    let rest = async {
        until("the listener is closed", async || {
            TcpStream::connect(address).await.is_err().then_some(())
        })
        .await;
        stream.write_all(b"\"password\":\"wrong one\"}").await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let (answer, ()) = tokio::join!(rest, host.stop());
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("login_failed"), "{answer}");
}
