//! Socket.IO for FinBot's front end, which connects with `auth: {token}`, polling
//! first or by WebSocket alone, and hears of all sessions without asking.
//!
//! `subscribe` with `{sessionName}` narrows that to the named sessions,
//! `unsubscribe` takes one back; after the last one it is all sessions again. Who
//! names a session watches it; who hears of all does not.
//!
//! How a socket ends decides whether the client comes back by itself. One whose
//! token has ended is told so and disconnected: trying again is no use. When the
//! host stops, transports are closed, and clients try until it is there again. A
//! reader that is too slow is fed from the journal once it reads on.

use std::{collections::BTreeMap, time::Duration};

use pairing_core::{
    event::Cursor,
    fan_out::{Interest, Transport},
    id::SessionName,
};
use pairing_sessions::{EventsError, SubscriptionEnd, WatchGuard};
use serde::Deserialize;
use serde_json::{Value, json};
use socketioxide::{
    SendError, SocketError, SocketIo,
    extract::{AckSender, Extension, SocketRef, TryData},
    handler::ConnectHandler,
    layer::SocketIoLayer,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    auth::{Principal, bearer_token},
    gateway::Feed,
    rate_limit::Limit,
    state::Api,
};

/// Frames that may wait for a slow reader.
const OUTBOX: usize = 256;
/// How soon it is looked whether a slow reader reads on.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What the client says of itself when it connects.
#[derive(Debug, Deserialize)]
struct Auth {
    token: String,
}

/// The answer to a client that may not connect.
#[derive(Debug, thiserror::Error)]
#[error("unauthorized")]
struct Refused;

/// Which sessions a client wants to hear of, and so watches; none means all.
type Named = Option<BTreeMap<String, WatchGuard>>;
type Wanted = watch::Sender<Named>;

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
        let auth = auth.ok().map(|auth| auth.token);
        let caller = admit(&for_auth, &socket, auth).await.ok_or(Refused)?;
        socket.extensions.insert(caller);
        Ok::<_, Refused>(())
    };
    let connect = async move |socket: SocketRef, Extension(caller): Extension<Principal>| {
        let wanted = Wanted::new(None);
        let gone = CancellationToken::new();
        let client = Client {
            api: for_connect.clone(),
            wanted: wanted.subscribe(),
            gone: gone.clone(),
            socket: socket.clone(),
        };
        listen(&client.api, &socket, &wanted);
        socket.on_disconnect(async move || {
            gone.cancel();
            wanted.send_replace(None);
        });
        for_connect.sockets.spawn(client.serve(caller));
    };
    io.ns("/", connect.with(authenticate));
    let stopping = api.stopping.clone();
    api.sockets.spawn(async move {
        stopping.cancelled().await;
        io.close().await;
    });
    layer
}

async fn admit(api: &Api, socket: &SocketRef, token: Option<String>) -> Option<Principal> {
    let from_header = || bearer_token(&socket.req_parts().headers).map(str::to_owned);
    let caller = match token.or_else(from_header) {
        Some(token) => api.admit(&token).await.ok(),
        None => None,
    };
    if caller.is_none() {
        let client = api.client(socket.req_parts());
        // Only counted: who guesses is refused here, and at other doors too.
        let _ = api.limits.check(Limit::Anonymous, client.key());
    }
    caller
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscribe {
    session_name: SessionName,
}

fn listen(api: &Api, socket: &SocketRef, wanted: &Wanted) {
    let (add, sessions) = (wanted.clone(), api.sessions.clone());
    socket.on("subscribe", async move |TryData(body): TryData<Subscribe>, ack: AckSender| {
        let body = body.map(|body| {
            let guard = sessions.watch(&body.session_name);
            add.send_modify(|names| {
                names.get_or_insert_default().insert(body.session_name.to_string(), guard);
            });
        });
        answer(ack, body.is_ok());
    });
    let remove = wanted.clone();
    socket.on("unsubscribe", async move |TryData(body): TryData<Subscribe>, ack: AckSender| {
        let body = body.map(|body| {
            remove.send_modify(|names| {
                if let Some(some) = names {
                    some.remove(body.session_name.as_str());
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

/// A client that was let in.
struct Client {
    api: Api,
    socket: SocketRef,
    wanted: watch::Receiver<Named>,
    gone: CancellationToken,
}

/// Why a client is not fed any further.
enum End {
    /// It has fallen behind: go on after the last event.
    FeedAnew,
    /// Its token or sign-in has ended.
    Void,
    /// It has gone, or the host stops.
    Over,
}

impl Client {
    async fn serve(self, caller: Principal) {
        let api = self.api.clone();
        let void = api.until_void(&caller);
        tokio::pin!(void);
        let mut last = None;
        loop {
            let end = tokio::select! {
                end = self.feed_from(&mut last) => end,
                () = &mut void => End::Void,
                () = self.gone.cancelled() => End::Over,
                () = api.stopping.cancelled() => End::Over,
            };
            match end {
                End::FeedAnew => {}
                End::Void => break,
                End::Over => return,
            }
        }
        let told =
            json!({ "code": "unauthorized", "message": "the token or the sign-in has ended" });
        while matches!(self.try_emit("connection-closed", &told), Err(Full))
            && !self.gone.is_cancelled()
        {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        while matches!(self.socket.clone().disconnect(), Err(SocketError::InternalChannelFull)) {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Feeds from after `last`, and keeps it up to date.
    async fn feed_from(&self, last: &mut Option<Cursor>) -> End {
        // All clients share one interest, which is routed once; see `is_wanted`.
        let interest = Interest { transport: Transport::SocketIo, sessions: None, types: None };
        let mut feed = match Feed::open(&self.api, interest, *last).await {
            Ok(feed) => feed,
            Err(error) => {
                tracing::warn!(%error, "a Socket.IO client can't be fed now");
                if matches!(error, EventsError::CursorExpired { .. }) {
                    *last = None;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
                return End::FeedAnew;
            }
        };
        loop {
            *last = Some(feed.last());
            let routed = match feed.next().await {
                Ok(routed) => routed,
                Err(SubscriptionEnd::Overflow { .. }) => return End::FeedAnew,
                Err(SubscriptionEnd::HostStopping) => return End::Over,
            };
            let payload: Value = serde_json::from_str(&routed.body).unwrap_or_default();
            // Meanwhile events pile up in the feed, until it overflows.
            while self.is_wanted(&payload) && self.try_emit(&routed.name, &payload).is_err() {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }

    fn is_wanted(&self, payload: &Value) -> bool {
        match (&*self.wanted.borrow(), payload["sessionName"].as_str()) {
            (Some(names), Some(name)) => names.contains_key(name),
            _ => true,
        }
    }

    /// For a client that has gone it is as good as sent.
    fn try_emit(&self, name: &str, payload: &Value) -> Result<(), Full> {
        match self.socket.emit(name, payload) {
            Err(SendError::Socket(SocketError::InternalChannelFull)) => Err(Full),
            _ => Ok(()),
        }
    }
}

/// The outbox is full.
struct Full;
