//! Connections that are used again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use pairing_egress::{Egress, EgressConfig};
use tokio::io::{AsyncWriteExt, DuplexStream};

use crate::peers::{
    Names, PUBLIC, Peer, Script, answer_ok, answer_once, egress_to, fetch, get, permit, read_head,
    send,
};

const URL: &str = "http://a.example/";

#[tokio::test]
async fn one_after_the_other_share_a_connection_and_permits_do_not() {
    let script = Script::new(answer_ok);
    let egress = egress_to(&script);
    let (mine, yours) = (permit(&egress, &[URL]), permit(&egress, &[URL]));
    for _ in 0..100 {
        assert_eq!(fetch(&egress, &mine, URL).await.unwrap().0, 200);
    }
    assert_eq!(script.dialled().len(), 1);
    fetch(&egress, &yours, URL).await.unwrap();
    assert_eq!(script.dialled().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_reads_keeps_its_connection_if_it_is_small() {
    let script = Script::new(answer_ok);
    let egress = egress_to(&script);
    let permit = permit(&egress, &[URL]);
    for _ in 0..20 {
        drop(send(&egress, &permit, get(URL)).await.unwrap());
        // The rest is read by a task of its own; time stands still until it is done.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(script.dialled().len(), 1);
}

#[tokio::test]
async fn a_connection_that_the_peer_has_closed_is_replaced() {
    let peers: [Peer; 2] =
        [|stream| Box::pin(answer_once(stream)), |stream| Box::pin(silently_once(stream))];
    for peer in peers {
        let script = Script::new(peer);
        let egress = egress_to(&script);
        let permit = permit(&egress, &[URL]);
        for _ in 0..20 {
            assert_eq!(fetch(&egress, &permit, URL).await.unwrap().0, 200);
            tokio::task::yield_now().await;
        }
        assert_eq!(script.dialled().len(), 20);
    }
}

/// Closes without having said so.
async fn silently_once(mut stream: DuplexStream) {
    read_head(&mut stream).await;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_idle_or_old_connection_is_not_used_again_and_the_name_is_judged_anew() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let names = Arc::new(Names(move |_: &str| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok(vec![PUBLIC.parse().unwrap()])
    }));
    let gone = Arc::new(AtomicUsize::new(0));
    let (script, counter) = (gone.clone(), gone.clone());
    let script = Script::new(move |stream| {
        let gone = script.clone();
        async move {
            answer_ok(stream).await;
            gone.fetch_add(1, Ordering::SeqCst);
        }
    });
    let egress = Egress::with_network(EgressConfig::default(), names, script).unwrap();
    let permit = permit(&egress, &[URL]);
    for _ in 0..2 {
        fetch(&egress, &permit, URL).await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    for _ in 0..120 {
        fetch(&egress, &permit, URL).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    // Nobody asks any more, and all are closed in the end.
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(counter.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_any_more_closes_its_connection() {
    let (closed, mut is_closed) = tokio::sync::mpsc::unbounded_channel();
    let (asked, mut is_asked) = tokio::sync::mpsc::unbounded_channel();
    let script = Script::new(move |mut stream: DuplexStream| {
        let (closed, asked) = (closed.clone(), asked.clone());
        async move {
            read_head(&mut stream).await;
            asked.send(()).unwrap();
            assert_eq!(read_head(&mut stream).await, None);
            closed.send(()).unwrap();
        }
    });
    let egress = egress_to(&script);
    let permit = permit(&egress, &[URL]);
    // More than may be under way at once, so each must have left its place.
    for _ in 0..20 {
        let task = tokio::spawn({
            let (egress, permit) = (egress.clone(), permit.clone());
            async move { fetch(&egress, &permit, URL).await }
        });
        is_asked.recv().await.unwrap();
        task.abort();
        is_closed.recv().await.unwrap();
    }
}
