//! A network of one peer, who is every host: it answers as it was told and keeps
//! what it was sent. The broker before it is the host's own.

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context as _;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use pairing_egress::{Dial, Egress, EgressConfig, Resolve, Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio_rustls::TlsAcceptor;

use super::{certificates::Certificates, vector::Answer};

/// All names lead there; nobody is ever asked.
const ANYWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1));
/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// A request as the peer got it, with secrets as placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recorded {
    /// In capitals.
    pub(super) method: String,
    /// Whole.
    pub(super) url: String,
    /// By names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    /// As text.
    pub(super) body: String,
}

/// The peer. Clones share everything.
#[derive(Clone)]
pub(super) struct Network(Arc<Inner>);

struct Inner {
    tls: TlsAcceptor,
    secrets: BTreeMap<String, String>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    answers: VecDeque<Answer>,
    requests: Vec<Recorded>,
}

impl Network {
    /// A peer that finds these secrets in what it is sent, and the broker that
    /// leads to it.
    ///
    /// # Errors
    /// There is no certificate to be made.
    pub(super) fn new(secrets: BTreeMap<String, String>) -> anyhow::Result<(Self, Egress)> {
        let certificates = Certificates::new().context("could not make a certificate")?;
        let root = certificates.root();
        let tls = certificates.acceptor().context("could not make a certificate")?;
        let network = Self(Arc::new(Inner { tls, secrets, state: Mutex::default() }));
        let config = EgressConfig { roots: vec![root], ..EgressConfig::default() };
        let (resolver, dialer) = (Arc::new(network.clone()), Arc::new(network.clone()));
        let egress = Egress::with_network(config, resolver, dialer)
            .context("the certificate is not accepted")?;
        Ok((network, egress))
    }

    /// Forgets what was sent, and answers so from now on; afterwards with 200.
    pub(super) fn expect(&self, answers: impl IntoIterator<Item = Answer>) {
        *self.state() = State { answers: answers.into_iter().collect(), requests: Vec::new() };
    }

    /// What was sent.
    pub(super) fn requests(&self) -> Vec<Recorded> {
        self.state().requests.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(self, stream: DuplexStream) -> io::Result<()> {
        let mut stream = stream;
        let first = stream.read_u8().await?;
        // What was looked at goes before the rest.
        let (mut front, whole) = tokio::io::duplex(64 << 10);
        front.write_u8(first).await?;
        let relay =
            tokio::spawn(
                async move { tokio::io::copy_bidirectional(&mut stream, &mut front).await },
            );
        if first == HANDSHAKE {
            let stream = self.0.tls.accept(whole).await?;
            self.answer("https", stream).await;
        } else {
            self.answer("http", whole).await;
        }
        relay.abort();
        Ok(())
    }

    async fn answer(&self, scheme: &'static str, stream: impl Stream + 'static) {
        let service = service_fn(|request: Request<Incoming>| async move {
            Ok::<_, Infallible>(self.respond(scheme, request).await)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service);
        // A handler may hang up whenever it likes.
        let _ = connection.await;
    }

    async fn respond(&self, scheme: &str, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let text = |value: &[u8]| self.without_secrets(&String::from_utf8_lossy(value));
        let host = parts.headers.get(header::HOST).map(|host| text(host.as_bytes()));
        let headers = parts.headers.iter();
        let recorded = Recorded {
            method: parts.method.to_string(),
            url: format!("{scheme}://{}{}", host.unwrap_or_default(), parts.uri),
            headers: headers
                .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
                .collect(),
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        let mut state = self.state();
        state.requests.push(recorded);
        state.answers.pop_front().map_or_else(Response::default, response)
    }

    fn without_secrets(&self, text: &str) -> String {
        let secrets = self.0.secrets.iter().filter(|(_, value)| !value.is_empty());
        secrets.fold(text.to_owned(), |text, (name, value)| {
            text.replace(value, &format!("{{{{secret:{name}}}}}"))
        })
    }
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let body = answer.json.map_or(answer.body, |json| json.to_string());
    let mut builder = Response::builder()
        .status(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::IM_A_TEAPOT));
    for (name, value) in &answer.headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::from(body)).unwrap_or_default()
}

#[async_trait]
impl Resolve for Network {
    async fn resolve(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![ANYWHERE])
    }
}

#[async_trait]
impl Dial for Network {
    async fn dial(&self, _address: SocketAddr) -> io::Result<Box<dyn Stream>> {
        let (ours, theirs) = tokio::io::duplex(64 << 10);
        tokio::spawn(self.clone().serve(theirs));
        Ok(Box::new(ours))
    }
}
