//! How much at once, and how much a second. Time is Tokio's, and stands still
//! unless all wait.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::Request;
use http_body_util::{Full, StreamBody};
use pairing_core::subscription::Grants;
use pairing_egress::{EgressError, Permit};
use tokio::{
    io::{AsyncWriteExt, DuplexStream},
    time::Instant,
};

use crate::peers::{
    BoxFuture, Script, TIMEOUTS, answer_ok, answer_once, egress_to, fetch, get, grant, permit,
    permit_with, read_head, send,
};

#[derive(Default)]
struct Busy {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// Takes a second for each answer, and counts how many it works on.
fn slow(busy: &Arc<Busy>) -> impl Fn(DuplexStream) -> BoxFuture + Send + Sync + 'static {
    let busy = busy.clone();
    move |mut stream| {
        let busy = busy.clone();
        Box::pin(async move {
            while read_head(&mut stream).await.is_some() {
                let now = busy.now.fetch_add(1, Ordering::SeqCst) + 1;
                busy.most.fetch_max(now, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(1)).await;
                busy.now.fetch_sub(1, Ordering::SeqCst);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn eight_go_to_one_destination_and_ten_to_all_at_once() {
    for (urls, at_once) in [
        (vec!["http://a.example/"], 8),
        (vec!["http://a.example/", "http://b.example/"], 10),
        (vec!["http://a.example/", "http://a.example:81/", "https://c.example/"], 10),
    ] {
        let busy = Arc::new(Busy::default());
        let egress = egress_to(&Script::new(slow(&busy)));
        let permit = permit(&egress, &urls);
        let plain = urls.iter().filter(|url| url.starts_with("http:")).copied();
        let plain: Vec<String> = plain.map(str::to_owned).collect();
        let tasks = (0..40).map(|number| {
            let (egress, permit) = (egress.clone(), permit.clone());
            let url = plain[number % plain.len()].clone();
            tokio::spawn(async move { fetch(&egress, &permit, &url).await })
        });
        for task in tasks.collect::<Vec<_>>() {
            assert_eq!(task.await.unwrap().unwrap().0, 200);
        }
        assert_eq!(busy.most.load(Ordering::SeqCst), at_once, "{urls:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_permits_do_not_wait_for_each_other() {
    let busy = Arc::new(Busy::default());
    let egress = egress_to(&Script::new(slow(&busy)));
    let permits = [(); 3].map(|()| permit(&egress, &["http://a.example/"]));
    let tasks = (0..24).map(|number| {
        let (egress, permit) = (egress.clone(), permits[number % 3].clone());
        tokio::spawn(async move { fetch(&egress, &permit, "http://a.example/").await })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap().unwrap();
    }
    assert_eq!(busy.most.load(Ordering::SeqCst), 24);
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_for_a_turn_is_told() {
    let script = Script::new(|mut stream: DuplexStream| async move {
        read_head(&mut stream).await;
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n";
        stream.write_all(head).await.unwrap();
        std::future::pending().await
    });
    let egress = egress_to(&script);
    let permit = permit(&egress, &["http://a.example/", "http://b.example/"]);
    // Answers that are held, and not read.
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(send(&egress, &permit, get("http://a.example/")).await.unwrap());
    }
    let before = Instant::now();
    let error = send(&egress, &permit, get("http://a.example/")).await.unwrap_err();
    assert_eq!(error, EgressError::TooMany);
    assert_eq!(before.elapsed().as_secs(), 30);
    assert_eq!(script.dialled().len(), 8);
    // Another destination has room for two more.
    held.push(send(&egress, &permit, get("http://b.example/")).await.unwrap());
    held.push(send(&egress, &permit, get("http://b.example/")).await.unwrap());
    let error = send(&egress, &permit, get("http://b.example/")).await.unwrap_err();
    assert_eq!(error, EgressError::TooMany);
    drop(held);
    send(&egress, &permit, get("http://a.example/")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_exchange_takes_longer_than_the_broker_allows() {
    let script = Script::new(|stream: DuplexStream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    });
    let egress = egress_to(&script);
    let permit = permit(&egress, &["http://a.example/"]);
    let long = Duration::from_secs(600);
    let timeouts =
        pairing_egress::Timeouts { connect: long, first_byte: long, between_bytes: long };
    let before = Instant::now();
    let error = egress.send(&permit, get("http://a.example/"), timeouts).await.unwrap_err();
    assert_eq!(error, EgressError::ResponseTimeout);
    assert_eq!(before.elapsed().as_secs(), 30);
}

fn limited(egress: &pairing_egress::Egress, per_second: Option<u32>) -> Permit {
    let http = vec![grant("http://a.example/")];
    let grants = Grants { http, http_per_second: per_second, ..Grants::default() };
    egress.permit("crm".parse().unwrap(), &grants, Default::default())
}

#[tokio::test(start_paused = true)]
async fn requests_beyond_the_rate_wait() {
    let egress = egress_to(&Script::new(answer_ok));
    for (per_second, requests, seconds) in [(None, 500, 9), (Some(10), 100, 9), (Some(1), 5, 4)] {
        let permit = limited(&egress, per_second);
        let before = Instant::now();
        for _ in 0..requests {
            fetch(&egress, &permit, "http://a.example/").await.unwrap();
        }
        assert_eq!(before.elapsed().as_millis().div_ceil(100).div_euclid(10), seconds);
    }
}

#[tokio::test]
async fn a_body_of_a_mebibyte_is_sent_and_no_more() {
    let script = Script::new(|mut stream: DuplexStream| async move {
        let head = read_head(&mut stream).await.unwrap();
        let is_chunked = head.contains("transfer-encoding: chunked");
        let mut length: u64 = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        let mut buffer = vec![0; 64 * 1024];
        while length > 0 || is_chunked {
            match tokio::io::AsyncReadExt::read(&mut stream, &mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(read) => length = length.saturating_sub(read as u64),
            }
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    });
    let egress = egress_to(&script);
    let permit = permit_with(&egress, vec![grant("http://a.example/")], &[]);
    let post = |size: usize| {
        Request::post("http://a.example/").body(Full::from(vec![b'x'; size])).unwrap()
    };
    const MOST: usize = 1024 * 1024;
    assert_eq!(send(&egress, &permit, post(MOST)).await.unwrap().status(), 200);
    let too_long = EgressError::RequestBodySize(MOST as u64);
    assert_eq!(send(&egress, &permit, post(MOST + 1)).await.unwrap_err(), too_long);
    let mut lies = post(3);
    lies.headers_mut().insert("content-length", (MOST + 1).into());
    assert_eq!(send(&egress, &permit, lies).await.unwrap_err(), too_long);

    // In pieces, of which nobody knows how many will come.
    let pieces = std::iter::repeat_with(|| {
        Ok::<_, std::io::Error>(http_body::Frame::data(bytes::Bytes::from_static(&[b'x'; 4096])))
    });
    let body = StreamBody::new(futures::stream::iter(pieces));
    let request = Request::post("http://a.example/").body(body).unwrap();
    assert_eq!(egress.send(&permit, request, TIMEOUTS).await.unwrap_err(), too_long);

    // A body that breaks off.
    let broken = [Err::<http_body::Frame<bytes::Bytes>, _>(std::io::Error::other("secret detail"))];
    let body = StreamBody::new(futures::stream::iter(broken.into_iter()));
    let request = Request::post("http://a.example/").body(body).unwrap();
    let error = egress.send(&permit, request, TIMEOUTS).await.unwrap_err();
    assert_eq!(error, EgressError::RequestBody);
}

#[tokio::test]
async fn headers_have_limits_and_the_connections_own_are_left_out() {
    let (heads, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let script = Script::new(move |mut stream: DuplexStream| {
        let heads = heads.clone();
        async move {
            let head = read_head(&mut stream).await.unwrap();
            heads.send(head).unwrap();
            let answer = "HTTP/1.1 200 OK\r\nconnection: x-hop\r\nx-hop: 1\r\nkeep-alive: timeout=5\r\n\
                          x-end: 2\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let egress = egress_to(&script);
    let permit = permit(&egress, &["http://a.example:8080/"]);
    let request = Request::get("http://A.example.:8080/a/../b?c=d")
        .header("host", "evil.test")
        .header("connection", "close, x-mine")
        .header("x-mine", "1")
        .header("keep-alive", "timeout=600")
        .header("proxy-authorization", "Basic x")
        .header("proxy-connection", "keep-alive")
        .header("te", "trailers")
        .header("trailer", "x")
        .header("transfer-encoding", "chunked")
        .header("upgrade", "websocket")
        .header("expect", "100-continue")
        .header("http2-settings", "x")
        .header("content-length", "3")
        .header("content-length", "4")
        .header("x-good", "one")
        .header("x-good", "two")
        .body(Full::default())
        .unwrap();
    let answer = send(&egress, &permit, request).await.unwrap();
    let expected =
        "GET /b?c=d HTTP/1.1\r\nhost: a.example:8080\r\nx-good: one\r\nx-good: two\r\n\r\n";
    assert_eq!(seen.recv().await.unwrap(), expected);
    let names: Vec<&str> = answer.headers().keys().map(http::HeaderName::as_str).collect();
    assert_eq!(names, ["x-end", "content-length"]);

    let too_long = EgressError::RequestHeaderSize(16 * 1024);
    let mut many = get("http://a.example:8080/");
    for number in 0..64 {
        many.headers_mut()
            .insert(http::HeaderName::try_from(format!("x-{number}")).unwrap(), 1.into());
    }
    assert_eq!(send(&egress, &permit, many).await.unwrap_err(), too_long);
    let mut long = get("http://a.example:8080/");
    long.headers_mut().insert("x-long", "x".repeat(16 * 1024).parse().unwrap());
    assert_eq!(send(&egress, &permit, long).await.unwrap_err(), too_long);
    let far = format!("http://a.example:8080/{}", "x".repeat(16 * 1024));
    assert_eq!(send(&egress, &permit, get(&far)).await.unwrap_err(), too_long);
}

#[tokio::test]
async fn methods_are_granted_too_and_two_are_never_sent() {
    let egress = egress_to(&Script::new(answer_once));
    let mut only_post = grant("http://a.example/hook");
    only_post.methods = Some(["POST".to_owned()].into());
    let permit = permit_with(&egress, vec![only_post, grant("http://a.example/all")], &[]);
    for (method, path, is_allowed) in [
        ("POST", "/hook", true),
        ("GET", "/hook", false),
        ("post", "/hook", false),
        ("DELETE", "/all", true),
        ("PURGE", "/all", true),
        ("CONNECT", "/all", false),
        ("TRACE", "/all", false),
    ] {
        let request = Request::builder().method(method).uri(format!("http://a.example{path}"));
        let outcome = send(&egress, &permit, request.body(Full::default()).unwrap()).await;
        let expected = if is_allowed { None } else { Some(EgressError::Denied) };
        assert_eq!(outcome.err(), expected, "{method} {path}");
    }
}
