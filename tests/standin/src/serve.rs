//! Accepting connections, plain or TLS, until told to stop.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Everything that one listener's tasks need.
#[derive(Clone)]
pub(crate) struct Serving {
    pub(crate) router: Router,
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl Serving {
    /// Binds and serves in the background; gives the address that was bound.
    pub(crate) async fn listen(self, address: SocketAddr) -> anyhow::Result<SocketAddr> {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("could not listen on {address}"))?;
        let bound = listener.local_addr().context("could not read the bound address")?;
        let tasks = self.tasks.clone();
        tasks.spawn(self.accept(listener));
        Ok(bound)
    }

    async fn accept(self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.stop.cancelled() => return,
            };
            match accepted {
                Ok((stream, _)) => drop(self.tasks.spawn(self.clone().connection(stream))),
                Err(error) => tracing::warn!(%error, "could not accept a connection"),
            }
        }
    }

    async fn connection(self, stream: TcpStream) {
        // Small frames: waiting to fill a packet would only add time.
        let _ = stream.set_nodelay(true);
        match self.tls.clone() {
            None => self.http(stream).await,
            Some(config) => match TlsAcceptor::from(config).accept(stream).await {
                Ok(stream) => self.http(stream).await,
                Err(error) => tracing::debug!(%error, "TLS handshake failed"),
            },
        }
    }

    async fn http<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) {
        let builder = Builder::new(TokioExecutor::new());
        let service = TowerToHyperService::new(self.router);
        let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        tokio::select! {
            served = serving => if let Err(error) = served {
                tracing::debug!(%error, "connection ended");
            },
            () = self.stop.cancelled() => {}
        }
    }
}
