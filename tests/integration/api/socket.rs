//! A client of `/ws`, as integrators write them.

use futures::{SinkExt, StreamExt};
use pairing_tests::{TestApi, read};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::{HeaderValue, Request},
    },
};

/// It panics at whatever it does not expect.
pub(crate) struct Socket(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

pub(crate) fn request(host: &TestApi, headers: &[(&'static str, &str)]) -> Request<()> {
    let url = format!("ws://{}/ws", host.address);
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
    }
    request
}

impl Socket {
    pub(crate) async fn open(host: &TestApi, headers: &[(&'static str, &str)]) -> Self {
        Self(connect_async(request(host, headers)).await.unwrap().0)
    }

    /// The status that refused the upgrade.
    pub(crate) async fn refused(host: &TestApi, headers: &[(&'static str, &str)]) -> u16 {
        match connect_async(request(host, headers)).await {
            Err(Error::Http(response)) => response.status().as_u16(),
            Err(error) => panic!("{error}"),
            Ok(_) => 101,
        }
    }

    pub(crate) async fn open_with_token(host: &TestApi, token: &str) -> Self {
        let mut socket = Self::open(host, &[("authorization", &format!("Bearer {token}"))]).await;
        assert_eq!(socket.next().await["type"], "ready");
        socket
    }

    /// As the console does.
    pub(crate) async fn open_with_ticket(host: &TestApi, token: &str) -> Self {
        let ticket = ticket(host, token, &host.url()).await;
        let protocols = format!("pairing.v1, ticket.{ticket}");
        let headers = [("sec-websocket-protocol", protocols.as_str()), ("origin", &host.url())];
        let mut socket = Self::open(host, &headers).await;
        assert_eq!(socket.next().await["type"], "ready");
        socket
    }

    pub(crate) async fn say(&mut self, frame: Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// The next frame that is JSON.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("no frame but {other:?}"),
            }
        }
    }

    /// The next event, without what is beside it.
    pub(crate) async fn event(&mut self) -> Value {
        loop {
            let frame = self.next().await;
            if frame["type"] == "event" {
                return frame["event"].clone();
            }
        }
    }

    pub(crate) async fn until_event(&mut self, kind: &str) -> Value {
        loop {
            let event = self.event().await;
            if event["type"] == kind {
                return event;
            }
        }
    }

    /// Subscribes; gives the cursor.
    pub(crate) async fn subscribe(&mut self, what: Value) -> String {
        let mut frame = json!({ "type": "subscribe" });
        frame.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        self.say(frame).await;
        loop {
            let frame = self.next().await;
            if frame["type"] == "subscribed" {
                return frame["cursor"].as_str().unwrap().to_owned();
            }
        }
    }

    /// Code and reason of the close.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Close(Some(close)))) => {
                    return (close.code.into(), close.reason.as_str().to_owned());
                }
                Some(Ok(_)) => {}
                other => panic!("not closed with a reason but {other:?}"),
            }
        }
    }
}

pub(crate) async fn ticket(host: &TestApi, token: &str, origin: &str) -> String {
    let request = host.anonymous(Method::POST, "/auth/ws-ticket").bearer_auth(token);
    let request = if origin.is_empty() { request } else { request.header("origin", origin) };
    let (status, body) = read(request).await;
    assert_eq!(status, 200, "{body}");
    body["ticket"].as_str().unwrap().to_owned()
}
