//! Socket.IO for FinBot's front end, which connects with `auth: {token}`, polling
//! first or by WebSocket alone, and hears of all sessions without asking.
//!
//! `subscribe` with `{sessionName}` narrows that to the named sessions,
//! `unsubscribe` takes one back; after the last one it is all sessions again.

use std::{collections::BTreeSet, time::Duration};

use pairing_core::{
    fan_out::{Interest, Transport},
    id::SessionName,
};
use pairing_sessions::SubscriptionEnd;
use serde::Deserialize;
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, Extension, SocketRef, TryData},
    handler::ConnectHandler,
    layer::SocketIoLayer,
};
use tokio::sync::watch;

use crate::{
    auth::{Principal, bearer_token},
    gateway::Feed,
    state::Api,
};

/// Frames that may wait for a slow reader before it is cut off.
const OUTBOX: usize = 256;

/// What the client says of itself when it connects.
#[derive(Debug, Deserialize)]
struct Auth {
    token: String,
}

/// The answer to a client that may not connect.
#[derive(Debug, thiserror::Error)]
#[error("unauthorized")]
struct Refused;

/// Which sessions a client wants to hear of; none means all.
type Wanted = watch::Sender<Option<BTreeSet<SessionName>>>;

/// The layer that answers at `/socket.io`.
pub(crate) fn layer(api: &Api) -> SocketIoLayer {
    let (layer, io) = SocketIo::builder()
        .ping_interval(Duration::from_secs(25))
        .ping_timeout(Duration::from_secs(20))
        .connect_timeout(Duration::from_secs(10))
        .max_payload(64 * 1024)
        .max_buffer_size(OUTBOX)
        .ws_read_buffer_size(4 * 1024)
        .ws_max_message_size(64 * 1024)
        .ws_max_frame_size(64 * 1024)
        .build_layer();
    let (for_auth, for_connect) = (api.clone(), api.clone());
    let authenticate = async move |socket: SocketRef, TryData(auth): TryData<Auth>| {
        let from_header = || bearer_token(&socket.req_parts().headers).map(str::to_owned);
        let token = auth.ok().map(|auth| auth.token).or_else(from_header).ok_or(Refused)?;
        let caller = for_auth.admit(&token).await.map_err(|_| Refused)?;
        socket.extensions.insert(caller);
        Ok::<_, Refused>(())
    };
    let connect = async move |socket: SocketRef, Extension(caller): Extension<Principal>| {
        let wanted = Wanted::new(None);
        let narrowed = wanted.subscribe();
        listen(&socket, &wanted);
        let api = for_connect.clone();
        let task = serve(api.clone(), socket, caller, narrowed);
        api.sockets.spawn(task);
    };
    io.ns("/", connect.with(authenticate));
    layer
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscribe {
    session_name: SessionName,
}

fn listen(socket: &SocketRef, wanted: &Wanted) {
    let add = wanted.clone();
    socket.on("subscribe", async move |TryData(body): TryData<Subscribe>, ack: AckSender| {
        let body = body.map(|body| {
            add.send_modify(|names| {
                names.get_or_insert_default().insert(body.session_name.clone());
            });
        });
        answer(ack, body.is_ok());
    });
    let remove = wanted.clone();
    socket.on("unsubscribe", async move |TryData(body): TryData<Subscribe>, ack: AckSender| {
        let body = body.map(|body| {
            remove.send_modify(|names| {
                if let Some(some) = names {
                    some.remove(&body.session_name);
                    if some.is_empty() {
                        *names = None;
                    }
                }
            });
        });
        answer(ack, body.is_ok());
    });
}

fn answer(ack: AckSender, is_understood: bool) {
    let answer = if is_understood {
        json!({ "success": true })
    } else {
        json!({ "success": false, "message": "send {sessionName} with a session's name" })
    };
    // Fails when the client has gone, or wanted no answer.
    let _ = ack.send(&answer);
}

async fn serve(
    api: Api,
    socket: SocketRef,
    caller: Principal,
    mut narrowed: watch::Receiver<Option<BTreeSet<SessionName>>>,
) {
    let mut last = None;
    while socket.connected() {
        let sessions = narrowed.borrow_and_update().clone();
        let interest = Interest { transport: Transport::SocketIo, sessions, types: None };
        let mut feed = match Feed::open(&api, interest, last).await {
            Ok(feed) => feed,
            Err(error) => {
                tracing::warn!(%error, "a Socket.IO client can't be fed");
                break;
            }
        };
        let is_narrowed = tokio::select! {
            () = feed_on(&socket, &mut feed) => false,
            () = api.until_void(&caller) => false,
            () = api.stopping.cancelled() => false,
            changed = narrowed.changed() => changed.is_ok(),
        };
        last = Some(feed.last());
        if !is_narrowed {
            break;
        }
    }
    // Fails when the client has gone already.
    let _ = socket.disconnect();
}

/// Returns when the client is too slow, has gone, or the host stops.
async fn feed_on(socket: &SocketRef, feed: &mut Feed) {
    loop {
        let routed = match feed.next().await {
            Ok(routed) => routed,
            Err(SubscriptionEnd::Overflow { .. } | SubscriptionEnd::HostStopping) => return,
        };
        let payload: Value = serde_json::from_str(&routed.body).unwrap_or_default();
        // An outbox that is full means a reader that is too slow.
        if socket.emit(&routed.name, &payload).is_err() {
            return;
        }
    }
}
