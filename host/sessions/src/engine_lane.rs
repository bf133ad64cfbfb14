//! Carries out what a session's workflow asks of the engine: starts, stops and
//! wipes strictly one after the other; requests to the page beside them, so that
//! a hanging page never delays a stop.
//!
//! An engine has a run number. What comes from a run that is over is dropped
//! here, so the workflow never hears of an engine that it has stopped.

use std::sync::Arc;

use pairing_core::{
    engine::{Engine, EngineEvent, EngineHandle},
    id::SessionName,
    workflow::{EngineFailure, EngineFailureKind, EngineReport},
};
use secrecy::SecretString;
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    task::{JoinError, JoinSet},
};

/// More than an engine says between two inputs.
const EVENTS_AHEAD: usize = 256;

/// What the session's task hears.
pub(crate) enum LaneNews {
    Engine(EngineEvent),
    CodeMade(SecretString),
}

enum Order {
    Start(u64),
    Stop,
    /// Says how it went, if somebody asks.
    Wipe(Option<oneshot::Sender<Result<(), EngineFailure>>>),
    Ask(u64, Question),
}

enum Question {
    RefreshQr,
    PairingCode(String),
    LogOut,
}

/// The session task's end.
pub(crate) struct EngineLane {
    orders: mpsc::UnboundedSender<Order>,
    news: mpsc::Receiver<(u64, LaneNews)>,
    run: watch::Sender<u64>,
}

impl EngineLane {
    /// Begins a lane; it ends, and its engine with it, when this is dropped.
    pub(crate) fn open(
        engine: Arc<dyn Engine>,
        session: SessionName,
        starts: Arc<Semaphore>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (orders, inbox) = mpsc::unbounded_channel();
        let (to_task, news) = mpsc::channel(EVENTS_AHEAD);
        let (run, wanted) = watch::channel(0);
        let tasks = JoinSet::new();
        let driver = Driver { engine, session, starts, wanted, to_task, running: None, tasks };
        (Self { orders, news, run }, driver.drive(inbox))
    }

    pub(crate) fn start(&mut self) {
        self.stop();
        self.order(Order::Start(self.run()));
    }

    pub(crate) fn stop(&mut self) {
        self.run.send_modify(|run| *run += 1);
        self.order(Order::Stop);
    }

    pub(crate) fn wipe(&mut self) {
        self.stop();
        self.order(Order::Wipe(None));
    }

    /// Stops the engine and removes the profile; returns when both are done.
    pub(crate) async fn stop_and_wipe(&mut self) -> Result<(), EngineFailure> {
        self.stop();
        let (say, mut how_it_went) = oneshot::channel();
        self.order(Order::Wipe(Some(say)));
        loop {
            tokio::select! {
                wiped = &mut how_it_went => {
                    return wiped.unwrap_or_else(|_| Err(failure("the engine's lane has ended")));
                }
                // Old news, but an engine that can't get rid of them can't stop.
                Some(_) = self.news.recv() => {}
            }
        }
    }

    pub(crate) fn refresh_qr(&self) {
        self.order(Order::Ask(self.run(), Question::RefreshQr));
    }

    pub(crate) fn request_pairing_code(&self, phone_number: String) {
        self.order(Order::Ask(self.run(), Question::PairingCode(phone_number)));
    }

    pub(crate) fn log_out(&self) {
        self.order(Order::Ask(self.run(), Question::LogOut));
    }

    /// The next thing that the present engine says.
    pub(crate) async fn next(&mut self) -> LaneNews {
        loop {
            match self.news.recv().await {
                Some((run, news)) if run == self.run() => return news,
                Some(_) => {}
                None => std::future::pending::<()>().await,
            }
        }
    }

    fn run(&self) -> u64 {
        *self.run.borrow()
    }

    fn order(&self, order: Order) {
        // Fails only when the lane has ended; then the supervisor ends the task.
        let _ = self.orders.send(order);
    }
}

struct Driver {
    engine: Arc<dyn Engine>,
    session: SessionName,
    starts: Arc<Semaphore>,
    /// The run that the session's task is at.
    wanted: watch::Receiver<u64>,
    to_task: mpsc::Sender<(u64, LaneNews)>,
    running: Option<(u64, Arc<dyn EngineHandle>)>,
    /// Requests under way, and what carries the engine's events.
    tasks: JoinSet<()>,
}

impl Driver {
    async fn drive(mut self, mut inbox: mpsc::UnboundedReceiver<Order>) {
        loop {
            tokio::select! {
                order = inbox.recv() => match order {
                    Some(order) => self.obey(order).await,
                    None => break,
                },
                Some(done) = self.tasks.join_next() => {
                    if let Err(error) = done {
                        self.has_panicked(&error).await;
                    }
                }
            }
        }
        self.stop().await;
    }

    /// Whoever waits for the answer must not wait in vain.
    async fn has_panicked(&self, error: &JoinError) {
        tracing::error!(session.name = %self.session, %error, "a request to the engine panicked");
        if let Some((run, _)) = self.running {
            self.fail(run, failure("a request to the engine panicked")).await;
        }
    }

    async fn obey(&mut self, order: Order) {
        match order {
            Order::Start(run) => self.start(run).await,
            Order::Stop => self.stop().await,
            Order::Wipe(say) => {
                let wiped = self.engine.wipe_profile(&self.session).await;
                if let Err(failure) = &wiped {
                    tracing::error!(session.name = %self.session, %failure, "the browser profile could not be removed");
                }
                if let Some(say) = say {
                    let _ = say.send(wiped);
                }
            }
            Order::Ask(run, question) => self.ask(run, question),
        }
    }

    async fn start(&mut self, run: u64) {
        // Held only while the browser starts: many sessions that start at once
        // must not fight for the processor. Who is stopped meanwhile need not wait.
        let permit = tokio::select! {
            biased;
            _ = self.wanted.wait_for(|wanted| *wanted != run) => return,
            permit = self.starts.clone().acquire_owned() => permit,
        };
        let (events, from_engine) = mpsc::channel(EVENTS_AHEAD);
        let started = self.engine.start(&self.session, events).await;
        drop(permit);
        match started {
            Ok(handle) => {
                self.running = Some((run, Arc::from(handle)));
                self.tasks.spawn(forward(run, from_engine, self.to_task.clone()));
            }
            Err(failure) => self.fail(run, failure).await,
        }
    }

    async fn stop(&mut self) {
        if let Some((_, handle)) = self.running.take() {
            handle.stop().await;
        }
    }

    async fn fail(&self, run: u64, failure: EngineFailure) {
        report(&self.to_task, run, EngineReport::Failed(failure)).await;
    }

    fn ask(&mut self, run: u64, question: Question) {
        let Some((_, handle)) = self.running.clone().filter(|(running, _)| *running == run) else {
            tracing::debug!(session.name = %self.session, "no engine runs to ask");
            return;
        };
        let to_task = self.to_task.clone();
        self.tasks.spawn(async move {
            match question {
                Question::RefreshQr => {
                    fail_if_refused(handle.refresh_qr().await, run, to_task).await
                }
                Question::LogOut => fail_if_refused(handle.log_out().await, run, to_task).await,
                Question::PairingCode(number) => {
                    match handle.request_pairing_code(&number).await {
                        // Fails only when the task has ended.
                        Ok(code) => drop(to_task.send((run, LaneNews::CodeMade(code))).await),
                        Err(failure) => {
                            report(&to_task, run, EngineReport::CodeFailed(failure)).await;
                        }
                    }
                }
            }
        });
    }
}

/// A page that can't do what it must is of no use: the engine counts as failed,
/// and the session's task stops it.
async fn fail_if_refused(
    answer: Result<(), EngineFailure>,
    run: u64,
    to_task: mpsc::Sender<(u64, LaneNews)>,
) {
    if let Err(failure) = answer {
        report(&to_task, run, EngineReport::Failed(failure)).await;
    }
}

async fn report(to_task: &mpsc::Sender<(u64, LaneNews)>, run: u64, report: EngineReport) {
    let news = LaneNews::Engine(EngineEvent::Report(report));
    // Fails only when the task has ended.
    let _ = to_task.send((run, news)).await;
}

/// Hands on what the engine says. One that falls silent without a last word
/// would leave its session waiting for ever, so the word is said for it.
async fn forward(
    run: u64,
    mut from_engine: mpsc::Receiver<EngineEvent>,
    to_task: mpsc::Sender<(u64, LaneNews)>,
) {
    let mut has_ended = false;
    while let Some(event) = from_engine.recv().await {
        has_ended |=
            matches!(event, EngineEvent::Report(EngineReport::Stopped | EngineReport::Failed(_)));
        if to_task.send((run, LaneNews::Engine(event))).await.is_err() {
            return;
        }
    }
    if !has_ended {
        report(&to_task, run, EngineReport::Failed(failure("the engine ended without a reason")))
            .await;
    }
}

fn failure(message: &str) -> EngineFailure {
    EngineFailure {
        kind: EngineFailureKind::Other,
        step: "running".into(),
        message: message.into(),
    }
}
