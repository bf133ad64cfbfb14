//! What stands in for the network.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use pairing_core::subscription::{Grants, HttpGrant};
use pairing_egress::{
    Answer, Dial, Egress, EgressConfig, EgressError, Permit, Resolve, Stream, Timeouts,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// An address of the public internet. Nothing is ever sent there: tests dial it
/// with [`Script`].
pub(crate) const PUBLIC: &str = "93.184.215.14";

pub(crate) const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(20),
    first_byte: Duration::from_secs(20),
    between_bytes: Duration::from_secs(20),
};

/// Answers by a function of the name.
pub(crate) struct Names<F>(pub(crate) F);

#[async_trait]
impl<F> Resolve for Names<F>
where
    F: Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
{
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        (self.0)(name)
    }
}

/// What a peer does with a connection.
pub(crate) type Peer = fn(DuplexStream) -> BoxFuture;
pub(crate) type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// All names lead here.
pub(crate) fn all_lead_to(address: &str) -> Arc<dyn Resolve> {
    let address: IpAddr = address.parse().unwrap();
    Arc::new(Names(move |_: &str| Ok(vec![address])))
}

/// Every dial reaches a peer in memory, and is written down.
pub(crate) struct Script<F> {
    peer: F,
    dialled: Mutex<Vec<SocketAddr>>,
}

impl<F> Script<F> {
    pub(crate) fn new(peer: F) -> Arc<Self> {
        Arc::new(Self { peer, dialled: Mutex::default() })
    }

    pub(crate) fn dialled(&self) -> Vec<SocketAddr> {
        self.dialled.lock().unwrap().clone()
    }

    pub(crate) fn forget(&self) -> Vec<SocketAddr> {
        std::mem::take(&mut *self.dialled.lock().unwrap())
    }
}

#[async_trait]
impl<F, Fut> Dial for Script<F>
where
    F: Fn(DuplexStream) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    async fn dial(&self, address: SocketAddr) -> io::Result<Box<dyn Stream>> {
        self.dialled.lock().unwrap().push(address);
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        tokio::spawn((self.peer)(theirs));
        Ok(Box::new(ours))
    }
}

/// One head of a request, up to the empty line; none when the peer is gone.
pub(crate) async fn read_head(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// Answers each request (without a body) with `ok`, for ever.
pub(crate) async fn answer_ok(mut stream: DuplexStream) {
    while read_head(&mut stream).await.is_some() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

/// Answers one request and closes.
pub(crate) async fn answer_once(mut stream: DuplexStream) {
    if read_head(&mut stream).await.is_some() {
        let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
        let _ = stream.write_all(answer).await;
    }
}

/// A broker whose names all lead to [`PUBLIC`], where this peer is.
pub(crate) fn egress_to<D: Dial>(script: &Arc<D>) -> Egress {
    let config = EgressConfig::default();
    Egress::with_network(config, all_lead_to(PUBLIC), script.clone()).unwrap()
}

pub(crate) fn grant(url: &str) -> HttpGrant {
    HttpGrant { url: url.parse().unwrap(), methods: None, networks: Vec::new() }
}

/// Grants these URLs, and as many requests as one likes.
pub(crate) fn permit(egress: &Egress, urls: &[&str]) -> Permit {
    permit_with(egress, urls.iter().map(|url| grant(url)).collect(), &[])
}

pub(crate) fn permit_with(
    egress: &Egress,
    http: Vec<HttpGrant>,
    secrets: &[(&str, &str)],
) -> Permit {
    let grants = Grants { http, http_per_second: Some(1_000_000), ..Grants::default() };
    let secrets: BTreeMap<_, _> =
        secrets.iter().map(|&(name, value)| (name.to_owned(), value.into())).collect();
    egress.permit("crm".parse().unwrap(), &grants, secrets)
}

pub(crate) fn get(url: &str) -> Request<Full<Bytes>> {
    Request::get(url).body(Full::default()).unwrap()
}

pub(crate) async fn send(
    egress: &Egress,
    permit: &Permit,
    request: Request<Full<Bytes>>,
) -> Result<Response<Answer>, EgressError> {
    egress.send(permit, request, TIMEOUTS).await
}

/// Status and body.
pub(crate) async fn fetch(
    egress: &Egress,
    permit: &Permit,
    url: &str,
) -> Result<(u16, Bytes), EgressError> {
    let answer = send(egress, permit, get(url)).await?;
    let status = answer.status().as_u16();
    Ok((status, answer.into_body().collect().await?.to_bytes()))
}
