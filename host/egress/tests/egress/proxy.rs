//! Proxies of the environment. A process's environment is one for all its
//! threads, so the test runs itself once more with another.

use std::process::Command;

use pairing_egress::{Egress, EgressConfig};
use tokio::{io::AsyncWriteExt, net::TcpListener};

use crate::peers::{fetch, permit, read_head};

const RECEIVER: &str = "TEST_RECEIVER";

#[tokio::test]
async fn proxies_of_the_environment_are_not_asked() {
    let (receiver, proxy) = (
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
    );
    let url = format!("http://{}/", receiver.local_addr().unwrap());
    let proxy_url = format!("http://{}/", proxy.local_addr().unwrap());
    let child = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "proxy::asks_the_receiver", "--ignored"]).env(RECEIVER, url);
        for name in
            ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]
        {
            command.env(name, &proxy_url);
        }
        command.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap()
    });
    tokio::select! {
        stream = receiver.accept() => {
            let mut stream = stream.unwrap().0;
            assert!(read_head(&mut stream).await.unwrap().starts_with("GET / HTTP/1.1\r\n"));
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        }
        _ = proxy.accept() => panic!("the proxy was asked"),
    }
    let output = child.await.unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
#[ignore = "run by the test above"]
async fn asks_the_receiver() {
    let url = std::env::var(RECEIVER).unwrap();
    let egress = Egress::new(EgressConfig::default()).unwrap();
    assert_eq!(fetch(&egress, &permit(&egress, &[&url]), &url).await.unwrap().0, 204);
}
