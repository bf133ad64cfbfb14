//! Accepts connections, serves them, and drains them when the host stops.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, extract::DefaultBodyLimit, routing::any};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    client::Peer,
    gateway, layers,
    problem::{Code, Problem},
    routes, socketio,
    state::Api,
};

/// Time for a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How often what has served its time is forgotten.
const HOUSEKEEPING: Duration = Duration::from_secs(600);

/// The listener's certificate chain and key.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

/// The listener can't serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Certificate or key can't be used.
    #[error("the TLS certificate or key can't be used: {0}")]
    Tls(String),
}

impl Tls {
    /// Takes PEM text.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, ServeError> {
        use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
        let unusable = |error: &dyn std::fmt::Display| ServeError::Tls(error.to_string());
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unusable(&error))?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| unusable(&error))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| unusable(&error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }
}

/// All routes, sockets and layers. Read the layers from the bottom: a request
/// passes the last one first.
pub fn app(api: &Api) -> Router {
    routes::router()
        .route("/ws", any(gateway::open_socket))
        .with_state(api.clone())
        .layer(DefaultBodyLimit::max(api.config.limits.body_bytes))
        // A panic is a problem like any other; the log has its place.
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            axum::response::IntoResponse::into_response(Problem::new(
                Code::Internal,
                "the host failed at this request; the log says where",
            ))
        }))
        .layer(socketio::layer(api))
        .layer(axum::middleware::from_fn_with_state(api.clone(), layers::guard))
        // Outermost, so that refusals can be read by the pages that may call.
        .layer(layers::cors(api))
}

/// Serves until the host stops; returns when requests in flight have ended and
/// sockets are closed, or the drain's time is up.
pub async fn serve(listener: TcpListener, tls: Option<Tls>, api: Api) {
    let app = app(&api);
    let drain = GracefulShutdown::new();
    let places = Arc::new(Places::default());
    let mut housekeeping = tokio::time::interval(HOUSEKEEPING);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = housekeeping.tick() => { api.sockets.spawn(keep_house(api.clone())); continue }
            () = api.stopping.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files: more tries at once would only burn the processor.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(place) = Places::take(&places, &api, peer.ip()) else {
            tracing::debug!("a connection was refused: too many are open");
            continue;
        };
        let watcher = drain.watcher();
        let (app, api, tls) = (app.clone(), api.clone(), tls.clone());
        tokio::spawn(async move {
            let _place = place;
            // Small answers must not wait for more.
            let _ = stream.set_nodelay(true);
            match tls {
                None => connection(stream, peer, app, &api, watcher).await,
                Some(tls) => {
                    if let Some(stream) = handshake(tls, stream).await {
                        connection(stream, peer, app, &api, watcher).await;
                    }
                }
            }
        });
    }
    drop(listener);
    api.sockets.close();
    let drained = async {
        drain.shutdown().await;
        api.sockets.wait().await;
    };
    if tokio::time::timeout(api.config.limits.drain, drained).await.is_err() {
        tracing::warn!("requests were still in flight when the time to drain was up");
    }
}

async fn keep_house(api: Api) {
    api.limits.shrink();
    api.metrics.run_upkeep();
    let before = api.clock.now().before(routes::LOGIN_LIFETIME);
    if let Err(error) = api.store.purge_logins(before).await {
        tracing::warn!(%error, "ended sign-ins could not be removed; trying again later");
    }
}

async fn handshake(
    tls: Tls,
    stream: TcpStream,
) -> Option<tokio_rustls::server::TlsStream<TcpStream>> {
    tokio::time::timeout(HANDSHAKE, tls.0.accept(stream)).await.ok()?.ok()
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    app: Router,
    api: &Api,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let limits = &api.config.limits;
    let heard = CancellationToken::new();
    let hears = heard.clone();
    let app = app.map_request(move |mut request: http::Request<hyper::body::Incoming>| {
        hears.cancel();
        request.extensions_mut().insert(Peer(peer));
        request
    });
    let mut builder = Builder::new(TokioExecutor::new());
    // hyper has a time-out for the head, which does nothing without a timer.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.head_bytes);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .max_header_list_size(32 * 1024)
        .keep_alive_interval(Duration::from_secs(30));
    let served =
        builder.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(app));
    // The time-out for the head begins only once it is known which HTTP is spoken:
    // who says nothing, or half of HTTP/2's preface, would keep its place for ever.
    let silence = async {
        if tokio::time::timeout(limits.header_timeout, heard.cancelled()).await.is_ok() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        served = watcher.watch(served.into_owned()) => if let Err(error) = served {
            tracing::debug!(%error, "a connection ended early");
        },
        () = silence => tracing::debug!("a connection was closed: no request came"),
    }
}

/// Open connections, in all and by address.
#[derive(Default)]
struct Places(Mutex<HashMap<IpAddr, usize>>);

struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

impl Places {
    fn take(places: &Arc<Self>, api: &Api, address: IpAddr) -> Option<Place> {
        let mut open = places.0.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = &api.config.limits;
        let of_address = open.get(&address).copied().unwrap_or(0);
        let is_trusted = api.config.trusted_proxies.iter().any(|proxy| proxy.contains(&address));
        let has_room =
            of_address < limits.connections_per_address || is_trusted || !api.config.rate_limits;
        if !has_room || open.values().sum::<usize>() >= limits.connections {
            return None;
        }
        open.insert(address, of_address + 1);
        Some(Place { places: places.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}
