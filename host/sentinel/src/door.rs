//! The way to the browser: a WebSocket on loopback for one client, which must
//! know the secret path.

use std::{
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{SinkExt, StreamExt};
use rand::{TryRngCore, rngs::OsRng};
use subtle::ConstantTimeEq;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async_with_config,
    tungstenite::{
        Message, Utf8Bytes,
        handshake::server::{ErrorResponse, Request, Response},
        http::StatusCode,
        protocol::WebSocketConfig,
    },
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::pipe::{LONGEST_MESSAGE, ToBrowser};

/// Knocking at once; others wait in the kernel's queue.
const KNOCKING: usize = 64;

const HANDSHAKE: Duration = Duration::from_secs(5);

/// Messages that wait for the client; then the browser waits, too.
const QUEUE: usize = 16;

/// Eagerly allocated, so small: most messages are.
const READ_BUFFER: usize = 8 << 10;
const WRITE_BUFFER: usize = 16 << 10;

#[derive(Clone)]
pub(crate) struct Door(Arc<Inside>);

struct Inside {
    path: String,
    client: Mutex<Client>,
    is_shut: CancellationToken,
    clients: TaskTracker,
}

enum Client {
    None,
    /// Its path was right; the handshake is not done yet.
    Entering,
    There(mpsc::Sender<Utf8Bytes>),
    /// Nobody gets in any more.
    Closed,
}

impl Door {
    /// The door, closed so far, and its address, which is a secret.
    pub(crate) async fn new() -> io::Result<(Self, TcpListener, String)> {
        let mut secret = [0; 16];
        OsRng.try_fill_bytes(&mut secret).map_err(io::Error::other)?;
        let path = format!("/{:032x}", u128::from_be_bytes(secret));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = format!("ws://{}{path}", listener.local_addr()?);
        let client = Mutex::new(Client::None);
        let (is_shut, clients) = (CancellationToken::new(), TaskTracker::new());
        let inside = Inside { path, client, is_shut, clients };
        Ok((Self(Arc::new(inside)), listener, address))
    }

    /// Lets clients in, in a task of its own.
    pub(crate) fn open(&self, listener: TcpListener, to_browser: ToBrowser) {
        let door = self.clone();
        tokio::spawn(async move {
            let knocking = Arc::new(Semaphore::new(KNOCKING));
            loop {
                let Ok(place) = knocking.clone().acquire_owned().await else { return };
                let Ok((stream, _)) = listener.accept().await else {
                    // Too many open files, say.
                    tokio::time::sleep(HANDSHAKE).await;
                    continue;
                };
                let (door, to_browser) = (door.clone(), to_browser.clone());
                door.0.clients.clone().spawn(async move {
                    let entered = door.admit(stream).await;
                    drop(place);
                    if let Some((client, from_browser)) = entered {
                        tokio::select! {
                            () = forward(client, from_browser, to_browser) => door.leave(),
                            () = door.0.is_shut.cancelled() => {}
                        }
                    }
                });
            }
        });
    }

    /// Gives the client what the browser says. Without a client it is lost.
    pub(crate) async fn hand_out(&self, message: Utf8Bytes) {
        let client = match &*self.client() {
            Client::There(client) => client.clone(),
            _ => return,
        };
        // It may leave meanwhile.
        let _ = client.send(message).await;
    }

    /// Sends the client away, so that nothing waits for it, and lets nobody in.
    pub(crate) fn shut(&self) {
        *self.client() = Client::Closed;
        self.0.is_shut.cancel();
    }

    /// Lets nobody in any more, and the client go once it has heard what is on its way.
    pub(crate) fn end(&self) {
        *self.client() = Client::Closed;
    }

    /// The same, and waits until it has gone.
    pub(crate) async fn say_goodbye(&self) {
        self.end();
        self.0.clients.close();
        self.0.clients.wait().await;
    }

    async fn admit(
        &self,
        stream: TcpStream,
    ) -> Option<(WebSocketStream<TcpStream>, mpsc::Receiver<Utf8Bytes>)> {
        // Without it small messages wait for each other.
        stream.set_nodelay(true).ok()?;
        let mut is_entering = false;
        #[expect(clippy::result_large_err, reason = "the library's type")]
        let judge = |request: &Request, response: Response| {
            let judged = self.judge(request);
            is_entering = judged.is_ok();
            judged.map(|()| response)
        };
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_message_size(Some(LONGEST_MESSAGE))
            .max_frame_size(Some(LONGEST_MESSAGE));
        let entering = accept_hdr_async_with_config(stream, judge, Some(config));
        let client = timeout(HANDSHAKE, entering).await.ok().and_then(Result::ok);
        if !is_entering {
            return None;
        }
        let mut place = self.client();
        match (client, &*place) {
            (Some(client), Client::Entering) => {
                let (sender, from_browser) = mpsc::channel(QUEUE);
                *place = Client::There(sender);
                Some((client, from_browser))
            }
            (None, Client::Entering) => {
                *place = Client::None;
                None
            }
            _ => None,
        }
    }

    #[expect(clippy::result_large_err, reason = "the library's type")]
    fn judge(&self, request: &Request) -> Result<(), ErrorResponse> {
        let refuse = |status| {
            let mut refusal = Response::new(());
            *refusal.status_mut() = status;
            Err(refusal.map(|()| None))
        };
        let is_right = bool::from(request.uri().path().as_bytes().ct_eq(self.0.path.as_bytes()));
        // A page's scripts could send one; the host never does.
        if !is_right || request.headers().contains_key("origin") {
            return refuse(StatusCode::NOT_FOUND);
        }
        let mut client = self.client();
        match *client {
            Client::None => {
                *client = Client::Entering;
                Ok(())
            }
            _ => refuse(StatusCode::CONFLICT),
        }
    }

    fn leave(&self) {
        let mut client = self.client();
        if matches!(*client, Client::There(_)) {
            *client = Client::None;
        }
    }

    fn client(&self) -> std::sync::MutexGuard<'_, Client> {
        self.0.client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Until the client leaves or is sent away. The two ways do not wait for each
/// other: else two sides that only write would wait for ever.
async fn forward(
    client: WebSocketStream<TcpStream>,
    mut from_browser: mpsc::Receiver<Utf8Bytes>,
    to_browser: ToBrowser,
) {
    let (mut sink, mut stream) = client.split();
    let out = async {
        while let Some(message) = from_browser.recv().await {
            if sink.send(Message::Text(message)).await.is_err() {
                return;
            }
        }
        // It may be gone already.
        let _ = timeout(HANDSHAKE, sink.close()).await;
    };
    let into = async {
        while let Some(Ok(frame)) = stream.next().await {
            if let Message::Text(message) = frame
                // Two messages in one are not ours.
                && (message.contains('\0') || to_browser.send(message).await.is_err())
            {
                return;
            }
        }
    };
    tokio::select! {
        () = out => {}
        () = into => {}
    }
}
