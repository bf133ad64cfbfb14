//! One task for each WebSocket: it reads frames, feeds events, and closes with a
//! reason.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use pairing_core::{
    clock::Timestamp,
    fan_out::{Interest, Transport},
    id::SessionName,
};
use pairing_sessions::{EventsError, SubscriptionEnd, WatchGuard};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use super::{
    feed::Feed,
    protocol::{Closed, FromClient, FromHost},
};
use crate::{auth::Principal, client::Client, rate_limit::Limit, state::Api};

/// Time for the first frame, where it must say who calls.
const AUTH_DEADLINE: Duration = Duration::from_secs(5);
const HEARTBEAT: Duration = Duration::from_secs(25);
const MAX_SILENT_BEATS: u32 = 3;
/// A reader that takes nothing for so long is cut off.
const SEND_DEADLINE: Duration = Duration::from_secs(30);
const FRAMES_A_MINUTE: u32 = 100;

pub(super) async fn serve<S>(
    api: Api,
    socket: WebSocketStream<S>,
    caller: Option<Principal>,
    client: Client,
    origin: Option<String>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut connection = Connection {
        api,
        socket,
        client,
        origin,
        feed: None,
        subscribed: Vec::new(),
        watched: Vec::new(),
        minute: Timestamp(0),
        frames: 0,
        silent_beats: 0,
    };
    let end = connection.run(caller).await;
    if let Err(Some(closed)) = end {
        connection.close(closed).await;
    }
}

/// `Err(None)`: the other end has gone.
type Step<T = ()> = Result<T, Option<Closed>>;

struct Connection<S> {
    api: Api,
    socket: WebSocketStream<S>,
    client: Client,
    /// The page that opened the socket; tickets are bound to it.
    origin: Option<String>,
    feed: Option<Feed>,
    /// Sessions that the subscription names.
    subscribed: Vec<WatchGuard>,
    /// Sessions that are open in a console.
    watched: Vec<WatchGuard>,
    minute: Timestamp,
    frames: u32,
    /// Heartbeats since anything was heard.
    silent_beats: u32,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<S> {
    async fn run(&mut self, caller: Option<Principal>) -> Step {
        let caller = match caller {
            Some(caller) => caller,
            None => match tokio::time::timeout(AUTH_DEADLINE, self.ask_who()).await {
                Ok(caller) => caller?,
                Err(_) => return Err(Some(Closed::Unauthorized)),
            },
        };
        let server_time = self.api.clock.now().to_string();
        self.say(&FromHost::Ready { server_time, heartbeat_seconds: HEARTBEAT.as_secs() }).await?;
        let api = self.api.clone();
        let void = api.until_void(&caller);
        tokio::pin!(void);
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        heartbeat.reset();
        loop {
            tokio::select! {
                message = self.socket.next() => self.hear(message).await?,
                routed = next_of(&mut self.feed) => {
                    let routed = routed.map_err(|end| Some(match end {
                        SubscriptionEnd::Overflow { last } => Closed::Slow(last),
                        SubscriptionEnd::HostStopping => Closed::HostStopping,
                    }))?;
                    self.send(Message::text(&*routed.body)).await?;
                }
                _ = heartbeat.tick() => self.beat().await?,
                () = &mut void => return Err(Some(Closed::Ended)),
                () = api.stopping.cancelled() => return Err(Some(Closed::HostStopping)),
            }
        }
    }

    async fn ask_who(&mut self) -> Step<Principal> {
        let message = self.socket.next().await;
        let text = text(message)?.ok_or(Some(Closed::Unauthorized))?;
        let caller = match serde_json::from_str(&text) {
            Ok(FromClient::Auth { ticket: Some(ticket), token: None }) => {
                self.api.tickets.take(&ticket, self.origin.as_deref())
            }
            Ok(FromClient::Auth { ticket: None, token: Some(token) }) => {
                self.api.admit(&token).await.ok()
            }
            _ => None,
        };
        if caller.is_none() {
            // Only counted: who guesses is refused here, and at other doors too.
            let _ = self.api.limits.check(Limit::Anonymous, self.client.key());
        }
        caller.ok_or(Some(Closed::Unauthorized))
    }

    /// Says that the host is there, and gives up a client that has gone without a
    /// word. The second ping is one that every client answers by itself.
    async fn beat(&mut self) -> Step {
        self.silent_beats += 1;
        if self.silent_beats > MAX_SILENT_BEATS {
            return Err(None);
        }
        let server_time = self.api.clock.now().to_string();
        self.say(&FromHost::Ping { server_time }).await?;
        self.send(Message::Ping(Bytes::new())).await
    }

    async fn hear(&mut self, message: Option<Result<Message, Error>>) -> Step {
        self.silent_beats = 0;
        let Some(text) = text(message)? else { return Ok(()) };
        self.count_frame()?;
        match serde_json::from_str(&text) {
            Ok(FromClient::Subscribe { sessions, types, after }) => {
                let after = match after.map(|after| after.parse()).transpose() {
                    Ok(after) => after,
                    Err(_) => return self.refuse("`after` is no cursor of ours").await,
                };
                let interest = Interest {
                    transport: Transport::WebSocket,
                    sessions: sessions.clone().named(),
                    types: types.clone(),
                };
                let feed = match Feed::open(&self.api, interest, after).await {
                    Ok(feed) => feed,
                    Err(EventsError::CursorExpired { .. }) => {
                        return Err(Some(Closed::CursorExpired));
                    }
                    Err(error) => return self.refuse(&error.to_string()).await,
                };
                let cursor = feed.last().to_string();
                self.feed = Some(feed);
                let named = sessions.clone().named().unwrap_or_default();
                self.subscribed = self.watch(&named);
                self.say(&FromHost::Subscribed { sessions, types, cursor }).await
            }
            Ok(FromClient::Unsubscribe) => {
                self.feed = None;
                self.subscribed.clear();
                Ok(())
            }
            Ok(FromClient::Watch { sessions }) => {
                self.watched = self.watch(&sessions);
                Ok(())
            }
            Ok(FromClient::Ping) => {
                let server_time = self.api.clock.now().to_string();
                self.say(&FromHost::Pong { server_time }).await
            }
            Ok(FromClient::Pong) => Ok(()),
            Ok(FromClient::Auth { .. }) => self.refuse("who calls is known already").await,
            Err(error) => self.refuse(&format!("the frame can't be read: {error}")).await,
        }
    }

    fn watch(&self, sessions: &BTreeSet<SessionName>) -> Vec<WatchGuard> {
        sessions.iter().map(|name| self.api.sessions.watch(name)).collect()
    }

    fn count_frame(&mut self) -> Step {
        let now = self.api.clock.now();
        if now.since(self.minute) >= Duration::from_secs(60) {
            (self.minute, self.frames) = (now, 0);
        }
        self.frames += 1;
        if self.frames > FRAMES_A_MINUTE { Err(Some(Closed::TooChatty)) } else { Ok(()) }
    }

    async fn refuse(&mut self, message: &str) -> Step {
        self.say(&FromHost::Error { code: "frame_invalid", message: message.to_owned() }).await
    }

    async fn say(&mut self, frame: &FromHost) -> Step {
        let json = serde_json::to_string(frame).unwrap_or_default();
        self.send(Message::text(json)).await
    }

    /// Waits for a slow reader; meanwhile events pile up in the feed, and the feed
    /// ends when there are too many.
    async fn send(&mut self, message: Message) -> Step {
        match tokio::time::timeout(SEND_DEADLINE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(None),
        }
    }

    async fn close(&mut self, closed: Closed) {
        let (code, reason) = closed.frame();
        let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
        let goodbye = async {
            self.socket.close(Some(frame)).await?;
            while self.socket.next().await.transpose()?.is_some() {}
            Ok::<_, Error>(())
        };
        // The other end may be gone, or not polite enough to answer.
        let _ = tokio::time::timeout(Duration::from_secs(5), goodbye).await;
    }
}

/// The text of a frame; none for one that tungstenite has dealt with.
fn text(message: Option<Result<Message, Error>>) -> Step<Option<String>> {
    match message {
        Some(Ok(Message::Text(text))) => Ok(Some(text.as_str().to_owned())),
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(None),
        Some(Ok(Message::Binary(_))) => Err(Some(Closed::Unreadable)),
        Some(Err(Error::Capacity(_))) => Err(Some(Closed::TooLarge)),
        Some(Ok(Message::Close(_)) | Err(_)) | None => Err(None),
    }
}

async fn next_of(
    feed: &mut Option<Feed>,
) -> Result<std::sync::Arc<pairing_sessions::Routed>, SubscriptionEnd> {
    match feed {
        Some(feed) => feed.next().await,
        None => std::future::pending().await,
    }
}
