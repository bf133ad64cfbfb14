//! Redirects are answers.

use tokio::{
    io::{AsyncWriteExt, DuplexStream},
    net::TcpListener,
};

use crate::peers::{Script, egress_to, get, permit, read_head, send};

#[tokio::test]
async fn redirects_are_handed_back_and_never_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let location = format!("http://{}/", elsewhere.local_addr().unwrap());
    for status in [300, 301, 302, 303, 305, 307, 308] {
        let text = format!(
            "HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\nrefresh: 0;url={location}\r\n\
             content-length: 0\r\n\r\n"
        );
        let script = Script::new(move |mut stream: DuplexStream| {
            let text = text.clone();
            async move {
                read_head(&mut stream).await;
                stream.write_all(text.as_bytes()).await.unwrap();
            }
        });
        let egress = egress_to(&script);
        // Even to where it may go anyhow, it goes only when asked to.
        let permit = permit(&egress, &["http://api.example.com/", &location]);
        let answer = send(&egress, &permit, get("http://api.example.com/")).await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        assert_eq!(answer.headers()["location"], location);
        assert_eq!(script.dialled().len(), 1);
    }
    let nobody = now(elsewhere.accept());
    assert!(nobody.is_none(), "somebody followed a redirect");
}

/// What a future has to say without waiting.
fn now<F: Future>(future: F) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}
