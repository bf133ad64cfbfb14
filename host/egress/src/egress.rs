//! The broker.

use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri};
use http_body::Body;
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use pairing_core::{handler::HandlerName, subscription::Grants};
use rustls::{RootCertStore, pki_types::CertificateDer};
use secrecy::SecretString;
use tokio::time::{Instant, timeout, timeout_at};

use crate::{
    answer::{AnswerBody, Held},
    connection::{Connection, Tls},
    destination::Destination,
    dial::{Dial, TcpDialer},
    error::EgressError,
    headers::{Prepared, clean_answer, prepare},
    mask::Mask,
    permit::Permit,
    resolve::{DnsResolver, Resolve},
    target::Target,
    upload::Upload,
};

/// So many of a name's addresses are tried.
const ATTEMPTS: usize = 4;

/// An answer's body, to be read within the timeouts; what is not read within the
/// limit of 1 MiB ends as an error.
pub type Answer = UnsyncBoxBody<Bytes, EgressError>;

/// Settings of the broker.
#[derive(Debug, Clone)]
pub struct EgressConfig {
    /// Certificates to trust beside those of the public web.
    pub roots: Vec<CertificateDer<'static>>,
    /// One exchange may take so long, from `send` to the last byte of the answer,
    /// whatever its timeouts are.
    pub exchange: Duration,
}

impl Default for EgressConfig {
    fn default() -> Self {
        Self { roots: Vec::new(), exchange: Duration::from_secs(30) }
    }
}

/// How long to wait for each part of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until there is a connection: look-up, dialling and TLS.
    pub connect: Duration,
    /// From then until the answer's headers are there.
    pub first_byte: Duration,
    /// From one piece of the answer's body to the next.
    pub between_bytes: Duration,
}

/// Sends requests of handlers. Clones share everything. Connections live on the
/// Tokio runtime on which `send` was first called for them.
#[derive(Clone)]
pub struct Egress {
    tls: Tls,
    resolver: Arc<dyn Resolve>,
    dialer: Arc<dyn Dial>,
    exchange: Duration,
}

impl Egress {
    /// With the system's name servers. Fails if a certificate is none.
    pub fn new(config: EgressConfig) -> io::Result<Self> {
        Self::with_resolver(config, Arc::new(DnsResolver::from_system()?))
    }

    /// With another resolver. What it says is judged all the same.
    pub fn with_resolver(config: EgressConfig, resolver: Arc<dyn Resolve>) -> io::Result<Self> {
        Self::with_network(config, resolver, Arc::new(TcpDialer))
    }

    /// With another resolver and another way to connect.
    pub fn with_network(
        config: EgressConfig,
        resolver: Arc<dyn Resolve>,
        dialer: Arc<dyn Dial>,
    ) -> io::Result<Self> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
        for root in config.roots {
            roots.add(root).map_err(io::Error::other)?;
        }
        let tls = Tls::new(roots).map_err(io::Error::other)?;
        Ok(Self { tls, resolver, dialer, exchange: config.exchange })
    }

    /// One subscription's permit, with its quotas: 10 requests under way, 8
    /// connections to each destination, and `http_per_second` (50). What is beyond
    /// waits. Secrets are by name.
    pub fn permit(
        &self,
        handler: HandlerName,
        grants: &Grants,
        secrets: BTreeMap<String, SecretString>,
    ) -> Permit {
        Permit::new(handler, grants, secrets)
    }

    /// Sends a request, whose URI is absolute, and returns with the answer's
    /// headers. Its slot is taken until the body was read or dropped.
    pub async fn send<B>(
        &self,
        permit: &Permit,
        request: Request<B>,
        timeouts: Timeouts,
    ) -> Result<Response<Answer>, EgressError>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        let mut outcome = Outcome { handler: permit.handler(), result: "abandoned" };
        let answer = self.exchange(permit, request, timeouts).await;
        outcome.result = answer.as_ref().map_or_else(EgressError::kind, |_| "answered");
        answer
    }

    async fn exchange<B>(
        &self,
        permit: &Permit,
        request: Request<B>,
        timeouts: Timeouts,
    ) -> Result<Response<Answer>, EgressError>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        let deadline = Instant::now() + self.exchange;
        let (parts, body) = request.into_parts();
        let refused = |why: &str| {
            let host = parts.uri.host().unwrap_or_default();
            tracing::debug!(handler = %permit.handler(), host, "a handler's request is refused: {why}");
            EgressError::Denied
        };
        let is_plain = parts.uri.authority().is_some_and(|part| !part.as_str().contains('@'));
        if !is_plain {
            return Err(refused("it names no host, or a user"));
        }
        let target = Target::parse(&parts.uri.to_string()).map_err(refused)?;
        let Some(destination) = permit.destination(&parts.method, &target) else {
            return Err(refused("there is no grant for it"));
        };
        let Prepared { headers, secrets } = prepare(parts.headers, &target, permit.secrets())?;
        let upload = Upload::new(body, permit.sent())?;
        let upload_done = upload.done();
        let mut request = Request::new(upload);
        *request.method_mut() = parts.method;
        *request.uri_mut() =
            Uri::try_from(target.path_and_query()).map_err(|_| refused("its path is none"))?;
        *request.headers_mut() = headers;

        let slot = timeout_at(deadline, permit.slot(&destination));
        let slot = slot.await.map_err(|_| EgressError::TooMany)??;
        let (connection, answer) = timeout_at(deadline, self.ask(&destination, request, timeouts))
            .await
            .map_err(|_| EgressError::ResponseTimeout)??;
        let (mut parts, incoming) = answer.into_parts();
        // Nobody asked for it.
        if parts.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(EgressError::Protocol);
        }
        let mask = Mask::new(secrets.into_values());
        clean_answer(&mut parts.headers, &mask);
        parts.extensions.clear();
        let held = Held { connection, destination, upload_done, _slot: slot };
        let Timeouts { between_bytes, .. } = timeouts;
        let received = permit.received();
        let body = AnswerBody::new(incoming, held, mask, received, between_bytes, deadline);
        Ok(Response::from_parts(parts, body.boxed_unsync()))
    }

    /// Sends over a connection that was kept, or else over a new one.
    async fn ask(
        &self,
        destination: &Destination,
        mut request: Request<Upload>,
        timeouts: Timeouts,
    ) -> Result<(Connection, Response<Incoming>), EgressError> {
        loop {
            let kept = destination.take_idle();
            let is_kept = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                None => self.connect(destination, timeouts.connect).await?,
            };
            let answer = async {
                // An error here is found again by the next line, which then gives the
                // request back.
                let _ = connection.sender.ready().await;
                connection.sender.try_send_request(request).await
            };
            let answer = timeout(timeouts.first_byte, answer);
            match answer.await.map_err(|_| EgressError::ResponseTimeout)? {
                Ok(answer) => return Ok((connection, answer)),
                // The peer closed it in the meantime, and nothing was sent.
                Err(mut failed) => match failed.take_message() {
                    Some(unsent) if is_kept => request = unsent,
                    _ => return Err(EgressError::from(failed.error())),
                },
            }
        }
    }

    async fn connect(
        &self,
        destination: &Destination,
        limit: Duration,
    ) -> Result<Connection, EgressError> {
        let deadline = Instant::now() + limit;
        let addresses = timeout_at(deadline, destination.judged_addresses(&*self.resolver));
        let addresses = addresses.await.map_err(|_| EgressError::DnsTimeout)??;
        let attempts = addresses.len().min(ATTEMPTS);
        let mut failure = EgressError::ConnectionTimeout;
        for (number, address) in addresses.into_iter().take(attempts).enumerate() {
            // An address that does not answer must leave time for the others.
            let left = deadline.saturating_duration_since(Instant::now());
            let share = left / u32::try_from(attempts - number).unwrap_or(1);
            match timeout(share, self.open(destination, address)).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => failure = error,
                Err(_) => failure = EgressError::ConnectionTimeout,
            }
        }
        Err(failure)
    }

    async fn open(
        &self,
        destination: &Destination,
        address: SocketAddr,
    ) -> Result<Connection, EgressError> {
        let stream = self.dialer.dial(address).await;
        let mut stream = stream.map_err(|error| EgressError::of_dialling(&error))?;
        if destination.origin.is_tls {
            stream = self.tls.wrap(&destination.origin, stream).await?;
        }
        Connection::open(stream, self.exchange).await
    }
}

/// Counts a request however it ends.
struct Outcome {
    handler: HandlerName,
    result: &'static str,
}

impl Drop for Outcome {
    fn drop(&mut self) {
        metrics::counter!("handler_http_requests_total", "handler" => self.handler.to_string(), "result" => self.result)
            .increment(1);
    }
}
