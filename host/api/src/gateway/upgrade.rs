//! From an HTTP request at `/ws` to a WebSocket.

use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::derive_accept_key,
        protocol::{Role, WebSocketConfig},
    },
};

use super::connection;
use crate::{
    auth::{Principal, bearer_token},
    client::Client,
    problem::{Code, Problem},
    rate_limit::Limit,
    state::Api,
};

/// The one protocol that we speak.
const PROTOCOL: &str = "pairing.v1";
/// A ticket may come as a second protocol: browsers can send no header.
const TICKET: &str = "ticket.";

/// Upgrades. Who calls is told by `Authorization`, by a ticket among the
/// protocols, or by the first frame.
pub(crate) async fn open_socket(
    State(api): State<Api>,
    client: Client,
    mut request: Request,
) -> Response {
    match upgrade(&api, client, &mut request).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn upgrade(api: &Api, client: Client, request: &mut Request) -> Result<Response, Problem> {
    let headers = request.headers();
    let has = |name, text: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case(text))
    };
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let is_handshake = has(header::UPGRADE, "websocket")
        && has(header::CONNECTION, "upgrade")
        && has(header::SEC_WEBSOCKET_VERSION, "13");
    let Some(accept) = key.filter(|_| is_handshake) else {
        return Err(Problem::new(Code::BodyInvalid, "open this address as a WebSocket"));
    };
    let caller = match caller(api, headers).await {
        Ok(caller) => caller,
        Err(problem) => {
            // As for any request: guessing is limited by address.
            api.limits.check(Limit::Anonymous, client.key())?;
            return Err(problem);
        }
    };
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let origin = origin.map(str::to_owned);
    let speaks_ours = has(header::SEC_WEBSOCKET_PROTOCOL, PROTOCOL);

    let upgraded = hyper::upgrade::on(request);
    let connections = api.clone();
    api.sockets.spawn(async move {
        let Ok(upgraded) = upgraded.await else { return };
        let io = TokioIo::new(upgraded);
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(limits())).await;
        connection::serve(connections, socket, caller, client, origin).await;
    });
    let response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept);
    let response = match speaks_ours {
        true => response.header(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL)),
        false => response,
    };
    response.body(Body::empty()).map_err(|error| Problem::new(Code::Internal, error.to_string()))
}

/// None: the first frame will tell. What was told must be right.
async fn caller(api: &Api, headers: &HeaderMap) -> Result<Option<Principal>, Problem> {
    if headers.contains_key(header::AUTHORIZATION) {
        let token = bearer_token(headers).ok_or_else(Problem::unauthorized)?;
        return api.admit(token).await.map(Some);
    }
    let protocols = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let mut words =
        protocols.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    match words.find_map(|word| word.trim().strip_prefix(TICKET)) {
        Some(ticket) => {
            let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
            api.tickets.take(ticket, origin).map(Some).ok_or_else(Problem::unauthorized)
        }
        None => Ok(None),
    }
}

/// tungstenite's own defaults hold 128 KiB for each idle reader, and buffer
/// without bound for a slow one.
fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .write_buffer_size(16 * 1024)
        .max_write_buffer_size(1024 * 1024)
        .max_message_size(Some(64 * 1024))
        .max_frame_size(Some(64 * 1024))
}
