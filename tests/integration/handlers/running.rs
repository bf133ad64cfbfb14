//! `pairing-host plugin run`: a handler on a host of its own, renewed on save.

use std::process::Stdio;

use nix::sys::signal::Signal;
use pairing_tests::{kill, until};

use super::{author::Author, chat::Chat};

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_is_renewed_whenever_it_is_saved() {
    let (chat, author) = (Chat::open().await, Author::of("chat-alert", "rust"));
    author.edit("plugin.toml", "127.0.0.1:9000", &chat.place());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = author.folder().join("../output");
    let file = std::fs::File::create(&output).unwrap();
    let listen = format!("127.0.0.1:{port}");
    let mut running = author
        .command(&author.folder(), &["run", "--listen", &listen])
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap();
    let said = || std::fs::read_to_string(&output).unwrap();
    let heard = chat.until("pretended is disconnected: unlinked-from-phone").await;
    assert_eq!(heard.authorization, "Bearer only-for-trying");
    until("its lines are shown", async || {
        said().contains("told the chat that pretended is disconnected").then_some(())
    })
    .await;

    author.edit("src/lib.rs", "let text = format!", "let text = no such thing");
    until("the mistake is told", async || said().contains("-- not activated").then_some(())).await;
    author.edit("src/lib.rs", "let text = no such thing", "let text = format!");
    author.edit("src/lib.rs", "{name} is disconnected: {}", "{name} has gone: {}");
    chat.until("pretended has gone: unlinked-from-phone").await;

    kill(running.id().cast_signed(), Signal::SIGINT);
    let status = until("it ends", async || running.try_wait().unwrap()).await;
    assert!(status.success(), "{status}: {}", said());
}
