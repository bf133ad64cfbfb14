//! A zoo of receivers that do harm. Each of them costs its own request only, and
//! no more than the timeouts and limits allow.

use std::time::Duration;

use http_body_util::BodyExt;
use pairing_egress::{Egress, EgressConfig, EgressError, Timeouts};
use tokio::{
    io::{AsyncWriteExt, DuplexStream},
    net::TcpListener,
    time::{Instant, sleep},
};

use crate::peers::{BoxFuture, Peer, Script, egress_to, fetch, get, permit, read_head, send};

const URL: &str = "http://a.example/";
const MEBIBYTE: u64 = 1024 * 1024;

/// What it does with a connection on which a request has come, and how that ends.
type Receiver = (&'static str, Peer, EgressError);

const RECEIVERS: &[Receiver] = &[
    ("hangs", |stream| Box::pin(keep(stream)), EgressError::ResponseTimeout),
    ("closes at once", |stream| Box::pin(async move { drop(stream) }), EgressError::Incomplete),
    (
        "hangs within the head",
        |stream| say(stream, "HTTP/1.1 200 OK\r\nx-a: b"),
        EgressError::ResponseTimeout,
    ),
    (
        "drips its head",
        |stream| drip(stream, "HTTP/1.1 200 OK\r\nx-a: ", "x"),
        EgressError::ResponseTimeout,
    ),
    (
        "drips its body",
        |stream| drip(stream, "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", "x"),
        EgressError::ReadTimeout,
    ),
    (
        "drips chunks",
        |stream| {
            drip(stream, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\nx\r\n")
        },
        EgressError::ReadTimeout,
    ),
    (
        "hangs within the body",
        |stream| say(stream, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"),
        EgressError::ReadTimeout,
    ),
    (
        "never ends its body",
        |stream| flood(stream, "HTTP/1.1 200 OK\r\n\r\n", "x"),
        EgressError::ResponseBodySize(MEBIBYTE),
    ),
    (
        "never ends its chunks",
        |stream| {
            flood(stream, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\nx\r\n")
        },
        EgressError::ResponseBodySize(MEBIBYTE),
    ),
    (
        "never ends one header",
        |stream| flood(stream, "HTTP/1.1 200 OK\r\nx-a: ", "x"),
        EgressError::ResponseHeaderSize,
    ),
    (
        "never ends its headers",
        |stream| flood(stream, "HTTP/1.1 200 OK\r\n", "x-a: b\r\n"),
        EgressError::ResponseHeaderSize,
    ),
    (
        "never ends its trailers",
        |stream| {
            flood(
                stream,
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
                "x-a: b\r\n",
            )
        },
        EgressError::Protocol,
    ),
    (
        "promises for ever",
        |stream| flood(stream, "", "HTTP/1.1 103 Early Hints\r\n\r\n"),
        EgressError::ResponseTimeout,
    ),
    (
        "switches protocols unasked",
        |stream| say(stream, "HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
        EgressError::Protocol,
    ),
    (
        "ends its body too early",
        |stream| say_and_close(stream, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"),
        EgressError::Incomplete,
    ),
    (
        "ends its chunks too early",
        |stream| {
            say_and_close(stream, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nha")
        },
        EgressError::Incomplete,
    ),
    (
        "speaks SSH",
        |stream| say_and_close(stream, "SSH-2.0-OpenSSH_10.0\r\n"),
        EgressError::Protocol,
    ),
    ("speaks NATS", |stream| say(stream, "INFO {\"server_id\":\"x\"}\r\n"), EgressError::Protocol),
    (
        "speaks HTTP/0.9",
        |stream| say_and_close(stream, "<html>hello</html>"),
        EgressError::Protocol,
    ),
    (
        "speaks HTTP/2",
        |stream| say(stream, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        EgressError::Protocol,
    ),
    (
        "folds its headers",
        |stream| say(stream, "HTTP/1.1 200 OK\r\nx-a: b\r\n  c\r\n\r\n"),
        EgressError::Protocol,
    ),
    (
        "has two lengths",
        |stream| say(stream, "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"),
        EgressError::Protocol,
    ),
    (
        "has no length in a chunk",
        |stream| say(stream, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
        EgressError::Protocol,
    ),
];

async fn keep(stream: DuplexStream) {
    std::future::pending::<()>().await;
    drop(stream);
}

fn say(mut stream: DuplexStream, text: &'static str) -> BoxFuture {
    Box::pin(async move {
        let _ = stream.write_all(text.as_bytes()).await;
        keep(stream).await;
    })
}

fn say_and_close(mut stream: DuplexStream, text: &'static str) -> BoxFuture {
    Box::pin(async move {
        let _ = stream.write_all(text.as_bytes()).await;
    })
}

/// One piece each second.
fn drip(mut stream: DuplexStream, begin: &'static str, piece: &'static str) -> BoxFuture {
    Box::pin(async move {
        let _ = stream.write_all(begin.as_bytes()).await;
        while stream.write_all(piece.as_bytes()).await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
    })
}

/// As much as is taken.
fn flood(mut stream: DuplexStream, begin: &'static str, piece: &'static str) -> BoxFuture {
    Box::pin(async move {
        let _ = stream.write_all(begin.as_bytes()).await;
        let many = piece.repeat(4096);
        while stream.write_all(many.as_bytes()).await.is_ok() {
            // So that time goes on for the others.
            sleep(Duration::from_millis(1)).await;
        }
    })
}

#[tokio::test(start_paused = true)]
async fn hostile_receivers_cost_no_more_than_the_limits() {
    let short = Duration::from_secs(5);
    let timeouts = Timeouts { connect: short, first_byte: short, between_bytes: short };
    for (what, receiver, expected) in RECEIVERS {
        let script = Script::new(move |mut stream| async move {
            if read_head(&mut stream).await.is_some() {
                receiver(stream).await;
            }
        });
        let egress = egress_to(&script);
        let permit = permit(&egress, &[URL]);
        let before = Instant::now();
        let outcome = async {
            let answer = egress.send(&permit, get(URL), timeouts).await?;
            answer.into_body().collect().await
        };
        assert_eq!(outcome.await.unwrap_err(), *expected, "{what}");
        assert!(before.elapsed() <= Duration::from_secs(31), "{what}: {:?}", before.elapsed());
        assert_eq!(script.dialled().len(), 1, "{what}");
    }
}

#[tokio::test]
async fn an_answer_of_a_mebibyte_is_read_to_its_end() {
    let script = Script::new(|mut stream: DuplexStream| async move {
        read_head(&mut stream).await;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {MEBIBYTE}\r\n\r\n");
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.write_all(&vec![b'x'; 1024 * 1024]).await;
    });
    let egress = egress_to(&script);
    let (status, body) = fetch(&egress, &permit(&egress, &[URL]), URL).await.unwrap();
    assert_eq!((status, body.len() as u64), (200, MEBIBYTE));
}

#[tokio::test]
async fn a_connection_that_is_reset_within_the_body_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // Unread bytes make a reset of a close.
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
        stream.write_all(head).await.unwrap();
    });
    let egress = Egress::new(EgressConfig::default()).unwrap();
    let error = fetch(&egress, &permit(&egress, &[&url]), &url).await.unwrap_err();
    assert!(
        matches!(error, EgressError::ConnectionTerminated | EgressError::Incomplete),
        "{error:?}"
    );
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let egress = Egress::new(EgressConfig::default()).unwrap();
    let permit = permit(&egress, &[&url]);
    let error = send(&egress, &permit, get(&url)).await.unwrap_err();
    assert_eq!(error, EgressError::ConnectionRefused);
}
