//! HTTP/1.1 over one stream.

use std::{sync::Arc, time::Duration};

use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;
use url::Host;

use crate::{dial::Stream, error::EgressError, target::Origin, upload::Upload};

/// A connection is used again within this time: less than the 5 s after which
/// common servers (Node.js) close, since a request that crosses with the closing
/// is lost.
const IDLE: Duration = Duration::from_secs(4);
/// And is not used when it is older: then the name is looked up, and judged, anew.
const AGE: Duration = Duration::from_secs(60);
/// What the peer may send before its headers are complete.
const HEADERS: usize = 32 * 1024;
/// Read at once; also the longest piece of a body.
const BUFFER: usize = 64 * 1024;

pub(crate) struct Connection {
    pub(crate) sender: SendRequest<Upload>,
    opened: Instant,
    used: Instant,
    /// Drives it; ends with it, and the socket is closed.
    _driver: AbortOnDropHandle<()>,
}

impl Connection {
    /// `exchange` is how long a request may take.
    pub(crate) async fn open(
        stream: Box<dyn Stream>,
        exchange: Duration,
    ) -> Result<Self, EgressError> {
        let (sender, connection) = Builder::new()
            .max_buf_size(BUFFER)
            .max_header_size(HEADERS)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| EgressError::from(&error))?;
        // Nobody need sweep: whoever was idle for long, or is stuck, is closed here.
        let driver = tokio::spawn(async move {
            let _ = tokio::time::timeout(AGE + exchange, connection).await;
        });
        let now = Instant::now();
        Ok(Self { sender, opened: now, used: now, _driver: AbortOnDropHandle::new(driver) })
    }

    /// Marks the end of an exchange.
    pub(crate) fn used_now(mut self) -> Self {
        self.used = Instant::now();
        self
    }

    pub(crate) fn is_fresh(&self) -> bool {
        !self.sender.is_closed() && self.used.elapsed() < IDLE && self.opened.elapsed() < AGE
    }
}

/// TLS towards peers.
#[derive(Clone)]
pub(crate) struct Tls(TlsConnector);

impl Tls {
    pub(crate) fn new(roots: RootCertStore) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    pub(crate) async fn wrap(
        &self,
        origin: &Origin,
        stream: Box<dyn Stream>,
    ) -> Result<Box<dyn Stream>, EgressError> {
        let name = match &origin.host {
            Host::Domain(name) => {
                ServerName::try_from(name.clone()).map_err(|_| EgressError::Tls)?
            }
            Host::Ipv4(address) => ServerName::from(std::net::IpAddr::from(*address)),
            Host::Ipv6(address) => ServerName::from(std::net::IpAddr::from(*address)),
        };
        let stream = self.0.connect(name, stream).await;
        Ok(Box::new(stream.map_err(|error| EgressError::of_tls(&error))?))
    }
}
