//! Who can reach the browser.

use std::{fs, time::Duration};

use futures::SinkExt;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use crate::harness::{Debugger, Family, Home, Keeper, inner_of};

const LONG: Duration = Duration::from_secs(45);

async fn refusal(request: impl IntoClientRequest + Unpin) -> u16 {
    match connect_async(request).await {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was let in"),
    }
}

#[tokio::test]
async fn only_one_client_that_knows_the_path_gets_to_the_browser() {
    let home = Home::new();
    let keeper = Keeper::start(&home, &home.fake(&[]), LONG);
    let (door, path) = keeper.address.rsplit_once('/').unwrap();
    assert_eq!((path.len(), &door[..15]), (32, "ws://127.0.0.1:"), "128 bits, on loopback");
    let other = format!("{}{}", &path[..31], if path.ends_with('0') { '1' } else { '0' });
    for wrong in ["", "devtools/browser", "json/version", &path[..31], &other, &format!("{path}/")]
    {
        assert_eq!(refusal(format!("{door}/{wrong}")).await, 404, "{wrong}");
    }
    let mut of_a_page = keeper.address.as_str().into_client_request().unwrap();
    of_a_page.headers_mut().insert("origin", "http://localhost".parse().unwrap());
    assert_eq!(refusal(of_a_page).await, 404);
    // Not a WebSocket at all.
    let mut plain = TcpStream::connect(door.strip_prefix("ws://").unwrap()).await.unwrap();
    plain.write_all(format!("GET /{path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut said = Vec::new();
    // It may be closed with a reset.
    let _ = plain.read_to_end(&mut said).await;
    assert!(!String::from_utf8_lossy(&said).contains(" 200 "));

    let mut first = Debugger::attach(&keeper.address).await;
    assert_eq!(refusal(keeper.address.as_str()).await, 409, "one at a time");
    let answer = first.ask("", "Browser.getVersion", json!({})).await;
    assert_eq!(answer["asked"], "Browser.getVersion");
    drop(first);
    // The next one may enter as soon as the first has left.
    let mut second = loop {
        match connect_async(&keeper.address).await {
            Ok((socket, _)) => break socket,
            Err(Error::Http(_)) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(error) => panic!("{error}"),
        }
    };
    second.close(None).await.unwrap();
}

#[tokio::test]
async fn messages_of_many_mebibytes_pass_both_ways() {
    let home = Home::new();
    let keeper = Keeper::start(&home, &home.fake(&[]), LONG);
    let mut debugger = Debugger::attach(&keeper.address).await;
    // The fake browser repeats the method.
    let method = "x".repeat(20 << 20);
    let answer = debugger.ask("", &method, json!({})).await;
    assert!(answer["asked"] == method.as_str());
}

#[tokio::test]
async fn two_messages_in_one_are_not_passed_on() {
    let home = Home::new();
    let keeper = Keeper::start(&home, &home.fake(&[]), LONG);
    let (mut socket, _) = connect_async(&keeper.address).await.unwrap();
    let two = "{\"id\":1,\"method\":\"a\"}\0{\"id\":2,\"method\":\"Browser.close\"}";
    socket.send(Message::text(two)).await.unwrap();
    let next = futures::StreamExt::next(&mut socket).await;
    assert!(!matches!(next, Some(Ok(Message::Text(_)))), "{next:?}");
    assert!(!Family::of(keeper.sentinel).left().is_empty(), "the browser lives");
}

#[tokio::test]
async fn the_secret_is_in_no_command_line_environment_or_file_of_others() {
    let home = Home::new();
    let keeper = Keeper::start(&home, &home.fake(&["--children=2"]), LONG);
    let secret = keeper.address.rsplit_once('/').unwrap().1;
    let family = Family::of(keeper.sentinel);
    assert_eq!(family.listeners(), [(inner_of(keeper.sentinel).as_raw(), 1)], "one door");
    for id in family.ids() {
        for file in ["cmdline", "environ"] {
            let text = fs::read(format!("/proc/{id}/{file}")).unwrap();
            assert!(!String::from_utf8_lossy(&text).contains(secret), "{id} {file}");
        }
    }
    let inner = inner_of(keeper.sentinel);
    for id in family.ids().filter(|id| ![keeper.sentinel.as_raw(), inner.as_raw()].contains(id)) {
        let files = fs::read_dir(format!("/proc/{id}/fd")).unwrap();
        let mut files: Vec<i32> = files
            .map(|file| file.unwrap().file_name().to_str().unwrap().parse().unwrap())
            .collect();
        files.sort_unstable();
        assert_eq!(files, [0, 1, 2, 3, 4], "a browser has its pipe, and nothing of ours");
    }
    let environment = fs::read(format!("/proc/{}/environ", keeper.sentinel)).unwrap();
    assert!(environment.is_empty(), "a sentinel has no environment");
}
