//! A receiver of webhooks that fails as it is told and keeps the books: what came,
//! in which order, under which id. It knows nothing of the host.
//!
//! It expects ticks ([`crate::tick`]), numbered from 1 in each session.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpSocket, TcpStream},
};

/// How a receiver answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// 200.
    Healthy,
    /// Half of all requests fail: with an error, with a connection that is cut off
    /// before anything was taken, or after it was. Not more than [`IN_A_ROW`] for
    /// one event, or the host would have to give it up.
    Fickle,
}

/// So often at most a fickle receiver fails for the same event.
const IN_A_ROW: u32 = 10;

/// A receiver. It is down, its port refusing everybody, until it listens.
pub struct Tally {
    /// Where it will listen.
    pub address: SocketAddr,
    books: Arc<Mutex<Books>>,
    mood: Mood,
    seed: u64,
    socket: Mutex<Option<TcpSocket>>,
}

/// What was received.
#[derive(Debug, Default)]
pub struct Books {
    /// The highest number of each session that was taken; all below it were too.
    taken: HashMap<String, u64>,
    /// Under which id each event came.
    ids: HashMap<String, (String, u64)>,
    /// How often each event failed.
    failures: HashMap<String, u32>,
    /// Requests, failed ones too.
    pub requests: u64,
    /// Events that were taken for the first time.
    pub events: u64,
    /// Events that were taken once more.
    pub duplicates: u64,
    /// What should never have come.
    pub wrong: Vec<String>,
}

enum Verdict {
    Taken,
    TakenAndCut,
    Failed,
    Cut,
}

impl Tally {
    /// A receiver on a port of its own, down so far.
    pub fn new(mood: Mood, seed: u64) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let address = socket.local_addr().expect("it is bound");
        Self { address, books: Arc::default(), mood, seed, socket: Mutex::new(Some(socket)) }
    }

    /// Comes up, for good.
    pub fn listen(&self) {
        let socket = self.socket.lock().expect("not poisoned").take();
        let listener = socket.expect("it listens once").listen(1024).expect("the port is ours");
        let (books, mood, mut seed) = (self.books.clone(), self.mood, self.seed);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                seed = seed.wrapping_add(1);
                tokio::spawn(serve(stream, books.clone(), mood, StdRng::seed_from_u64(seed)));
            }
        });
    }

    /// What was received so far.
    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().expect("not poisoned")
    }
}

impl Books {
    /// Enters a request; what was wrong with it is kept. Tells what to do with it,
    /// which is what was meant unless that was the case too often.
    fn enter(&mut self, id: &str, body: &[u8], meant: Verdict) -> Verdict {
        self.requests += 1;
        let mut verdict = meant;
        if !matches!(verdict, Verdict::Taken) {
            let failures = self.failures.entry(id.to_owned()).or_default();
            *failures += 1;
            if *failures > IN_A_ROW {
                verdict = Verdict::Taken;
            }
        }
        self.record(id, body, matches!(verdict, Verdict::Taken | Verdict::TakenAndCut));
        verdict
    }

    fn record(&mut self, id: &str, body: &[u8], is_taken: bool) {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let number = body["data"]["number"].as_str().and_then(|number| number.parse().ok());
        let (Some(session), Some(number)) = (body["sessionName"].as_str(), number) else {
            self.wrong.push(format!("{id} is no tick: {body}"));
            return;
        };
        let event = (session.to_owned(), number);
        let first = self.ids.entry(id.to_owned()).or_insert_with(|| event.clone());
        if *first != event {
            self.wrong.push(format!("{id} was {first:?} and is {event:?}"));
        }
        let before = self.taken.entry(session.to_owned()).or_default();
        if number > *before + 1 {
            self.wrong.push(format!("{session}: {number} came while {before} was the last taken"));
        } else if !is_taken {
        } else if number == *before + 1 {
            *before = number;
            self.events += 1;
        } else {
            self.duplicates += 1;
        }
    }

    /// How many ids there were: one for each event, if each kept its own.
    pub fn ids(&self) -> usize {
        self.ids.len()
    }
}

async fn serve(stream: TcpStream, books: Arc<Mutex<Books>>, mood: Mood, mut random: StdRng) {
    let mut stream = BufReader::new(stream);
    while let Some((id, body)) = request(&mut stream).await {
        let verdict = match (mood, random.random_range(0..8)) {
            (Mood::Healthy, _) | (Mood::Fickle, 0..4) => Verdict::Taken,
            (Mood::Fickle, 4) => Verdict::TakenAndCut,
            (Mood::Fickle, 5) => Verdict::Cut,
            (Mood::Fickle, _) => Verdict::Failed,
        };
        // Before the answer: whoever hears of it may rely on it.
        let verdict = books.lock().expect("not poisoned").enter(&id, &body, verdict);
        let answer: &[u8] = match verdict {
            Verdict::Taken => b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            Verdict::Failed => b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n",
            Verdict::TakenAndCut | Verdict::Cut => return,
        };
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

/// The next request's `webhook-id` and body; none at the end.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let (mut id, mut length) = (String::new(), 0);
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line == "\r\n" {
                break;
            }
            continue;
        };
        match &*name.to_ascii_lowercase() {
            "webhook-id" => id = value.to_owned(),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((id, body))
}
