//! Commands, one after the other by a seed, and what became of them. Before each
//! the last one's effect is looked for: what was acknowledged must be there.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use reqwest::{Method, Response};
use serde::Serialize;
use serde_json::json;
use tokio::{sync::watch, task::JoinHandle};

use crate::{book::Book, host::Host};

/// Nowhere: this subscription's only use is to be changed. Port 9 discards.
const NOWHERE: &str = "http://127.0.0.1:9/";

/// What became of all commands.
#[derive(Debug, Default, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Orders {
    pub(crate) acknowledged: u64,
    /// Answered with an error.
    pub(crate) refused: u64,
    pub(crate) refused_by_status: BTreeMap<u16, u64>,
    pub(crate) refused_without_retry_after: u64,
    pub(crate) slowest_refusal_ms: u64,
    /// Not answered: may have been done or not.
    pub(crate) unknown: u64,
    pub(crate) lost: Vec<String>,
}

pub(crate) struct Commands {
    orders: Arc<Mutex<Orders>>,
    end: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// What the last command makes of a session or setting, if that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Stopped,
    Runs,
    Number(u64),
    Nothing,
}

impl Commands {
    pub(crate) fn begin(
        host: Host,
        book: Arc<Book>,
        sessions: Vec<String>,
        every_ms: u64,
        seed: u64,
    ) -> Self {
        let orders = Arc::new(Mutex::new(Orders::default()));
        let (end, mut ended) = watch::channel(false);
        let mut sender = Sender {
            host,
            book,
            orders: orders.clone(),
            random: seed | 1,
            known: BTreeMap::new(),
            number: 0,
        };
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(every_ms.max(1)));
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            while !sessions.is_empty() {
                tokio::select! {
                    _ = ended.changed() => break,
                    _ = ticks.tick() => {}
                }
                sender.one(&sessions).await;
            }
            if !sessions.is_empty() {
                sender.finish(&sessions).await;
            }
        });
        Self { orders, end, task }
    }

    /// Sends no more, has all sessions run again, and tells.
    pub(crate) async fn end(self) -> Orders {
        self.end.send_replace(true);
        let _ = self.task.await;
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Sender {
    host: Host,
    book: Arc<Book>,
    orders: Arc<Mutex<Orders>>,
    random: u64,
    known: BTreeMap<String, Known>,
    number: u64,
}

impl Sender {
    /// A xorshift: the same seed sends the same commands.
    fn next(&mut self, below: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random % below.max(1) as u64).unwrap_or(0)
    }

    async fn one(&mut self, sessions: &[String]) {
        // Half of them are about sessions, half about a subscription's setting.
        if self.next(2) == 0 {
            self.change_setting().await;
        } else {
            let session = sessions[self.next(sessions.len())].clone();
            self.look_at(&session).await;
            let stop = self.known.get(&session) != Some(&Known::Stopped);
            self.order(&session, stop).await;
        }
    }

    async fn order(&mut self, session: &str, stop: bool) {
        let (word, known) =
            if stop { ("disconnect", Known::Stopped) } else { ("reconnect", Known::Runs) };
        let path = format!("/whatsapp/sessions/{session}/{word}");
        let begun = Instant::now();
        let answer = self.host.send(Method::POST, &path, Some(&json!({}))).await;
        let is_done = self.count(&format!("{word} {session}"), begun, answer).await;
        self.known.insert(session.to_owned(), if is_done { known } else { Known::Nothing });
    }

    async fn change_setting(&mut self) {
        const NAME: &str = "changed";
        if let Some(Known::Number(number)) = self.known.get(NAME)
            && let Ok(now) = self.host.subscription(NAME).await
            && now["concurrency"].as_u64() != Some(*number)
        {
            let lost =
                format!("concurrency {number} was acknowledged, there is {}", now["concurrency"]);
            self.lose(lost);
        }
        self.number = self.number % 60 + 1;
        let begun = Instant::now();
        let nobody = Some(["nobody"].as_slice());
        let answer = self.host.put_subscription(NAME, NOWHERE, self.number, nobody).await;
        let is_done = self.count(&format!("concurrency {}", self.number), begun, answer).await;
        let known = if is_done { Known::Number(self.number) } else { Known::Nothing };
        self.known.insert(NAME.into(), known);
    }

    /// Whether it was acknowledged.
    async fn count(&self, what: &str, begun: Instant, answer: reqwest::Result<Response>) -> bool {
        let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = answer.as_ref().map(|answer| answer.status().as_u16()).unwrap_or(0);
        self.book.note(&json!({ "command": what, "status": status, "ms": took }));
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(answer) if answer.status().is_success() => orders.acknowledged += 1,
            Ok(answer) => {
                orders.refused += 1;
                *orders.refused_by_status.entry(status).or_default() += 1;
                orders.slowest_refusal_ms = orders.slowest_refusal_ms.max(took);
                if status == 503 && !answer.headers().contains_key("retry-after") {
                    orders.refused_without_retry_after += 1;
                }
                return false;
            }
            Err(_) => {
                orders.unknown += 1;
                return false;
            }
        }
        true
    }

    /// A stopped session must be stopped, another must not.
    async fn look_at(&mut self, session: &str) {
        let known = self.known.get(session).copied().unwrap_or(Known::Nothing);
        let Some((status, reason)) = self.host.status(session).await else { return };
        let is_stopped = status == "DISCONNECTED" && reason == "stopped";
        if (known == Known::Stopped && !is_stopped) || (known == Known::Runs && is_stopped) {
            self.lose(format!("{session} is known as {known:?}, but is {status} {reason}"));
        }
    }

    fn lose(&self, what: String) {
        self.book.note(&json!({ "lost": what }));
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).lost.push(what);
    }

    /// Looks a last time, and has all sessions run.
    async fn finish(&mut self, sessions: &[String]) {
        for session in sessions {
            for _ in 0..200 {
                self.look_at(session).await;
                self.order(session, false).await;
                if self.known.get(session) == Some(&Known::Runs) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
