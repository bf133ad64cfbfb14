//! Carries out what a session's workflow asks of the engine: starts, stops and
//! wipes strictly one after the other; requests to the page beside them, so that
//! a hanging page never delays a stop.
//!
//! An engine has a run number. What comes from a run that is over is dropped
//! here, so the workflow never hears of an engine that it has stopped.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use pairing_core::{
    clock::{SharedClock, Timestamp},
    engine::{Engine, EngineEvent, EngineHandle},
    evidence::{Evidence, RepairStep},
    id::SessionName,
    workflow::{EngineFailure, EngineFailureKind, EngineReport},
};
use secrecy::SecretString;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{JoinError, JoinSet},
    time::Instant,
};

use crate::browser_slots::{
    Applicant, BrowserSlot, BrowserSlots, StartPermit, TakingUp, Turn, Urgency,
};

/// More than an engine says between two inputs.
const EVENTS_AHEAD: usize = 256;

/// What the session's task hears.
pub(crate) enum LaneNews {
    Engine(EngineEvent),
    CodeMade(SecretString),
}

enum Order {
    Start(u64, WantedStart),
    Stop,
    /// Says how it went, if somebody asks.
    Wipe(Option<oneshot::Sender<Result<(), EngineFailure>>>),
    Ask(u64, Question),
}

/// A start that is wanted.
pub(crate) struct WantedStart {
    pub(crate) urgency: Urgency,
    pub(crate) last_active: Timestamp,
    /// Dropped when the session stands in line.
    pub(crate) taking_up: Option<TakingUp>,
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
    turns: watch::Receiver<(u64, Timestamp)>,
    slots: BrowserSlots,
    session: SessionName,
}

/// What a lane needs of its host.
#[derive(Clone)]
pub(crate) struct LaneParts {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) slots: BrowserSlots,
    pub(crate) clock: SharedClock,
    /// A browser that shows nothing for so long keeps others from starting no more.
    pub(crate) start_patience: Duration,
}

impl EngineLane {
    /// Begins a lane; it ends, and its engine with it, when this is dropped.
    pub(crate) fn open(
        parts: LaneParts,
        session: SessionName,
        is_suspect: bool,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (orders, inbox) = mpsc::unbounded_channel();
        let (to_task, news) = mpsc::channel(EVENTS_AHEAD);
        let (run, wanted) = watch::channel(0);
        let (turn, turns) = watch::channel((0, Timestamp(0)));
        let slots = parts.slots.clone();
        let driver = Driver {
            parts,
            session: session.clone(),
            wanted,
            turn,
            to_task,
            running: None,
            is_suspect: Arc::new(AtomicBool::new(is_suspect)),
            tasks: JoinSet::new(),
        };
        (Self { orders, news, run, turns, slots, session }, driver.drive(inbox))
    }

    /// Starts an engine as soon as it is this session's turn.
    pub(crate) fn start(&mut self, start: WantedStart) {
        self.stop();
        self.order(Order::Start(self.run(), start));
    }

    /// When the start that was ordered last had its turn; none while it waits.
    pub(crate) fn turn_at(&self) -> Option<Timestamp> {
        let (run, at) = *self.turns.borrow();
        (run == self.run()).then_some(at)
    }

    /// Tells of turns.
    pub(crate) fn turns(&self) -> watch::Receiver<(u64, Timestamp)> {
        self.turns.clone()
    }

    /// Somebody asks for the session: if it waits for its turn, it goes first.
    pub(crate) fn hasten(&self) {
        self.slots.hasten(&self.session);
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

    /// The run that the session is at; each start and each stop begins one.
    pub(crate) fn run(&self) -> u64 {
        *self.run.borrow()
    }

    fn order(&self, order: Order) {
        // Fails only when the lane has ended; then the supervisor ends the task.
        let _ = self.orders.send(order);
    }
}

struct Driver {
    parts: LaneParts,
    session: SessionName,
    /// The run that the session's task is at.
    wanted: watch::Receiver<u64>,
    /// The last run that had its turn, and when.
    turn: watch::Sender<(u64, Timestamp)>,
    to_task: mpsc::Sender<(u64, LaneNews)>,
    running: Option<Running>,
    /// The last start failed or hung.
    is_suspect: Arc<AtomicBool>,
    /// Requests under way, and what carries the engine's events.
    tasks: JoinSet<()>,
}

struct Running {
    run: u64,
    handle: Arc<dyn EngineHandle>,
    /// Given back when nothing of the browser is left.
    slot: BrowserSlot,
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
        if let Some(Running { run, .. }) = self.running {
            self.fail(run, failure("a request to the engine panicked")).await;
        }
    }

    async fn obey(&mut self, order: Order) {
        match order {
            Order::Start(run, start) => self.start(run, start).await,
            Order::Stop => self.stop().await,
            Order::Wipe(say) => {
                let wiped = self.parts.engine.wipe_profile(&self.session).await;
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

    async fn start(&mut self, run: u64, start: WantedStart) {
        let WantedStart { urgency, last_active, taking_up } = start;
        let mut place = self.parts.slots.join(Applicant {
            session: self.session.clone(),
            urgency,
            last_active,
            is_suspect: self.is_suspect.load(Ordering::Relaxed),
        });
        drop(taking_up);
        // Who is stopped meanwhile need not wait.
        let Turn { start, slot } = tokio::select! {
            biased;
            _ = self.wanted.wait_for(|wanted| *wanted != run) => return,
            turn = place.turn() => turn,
        };
        drop(place);
        self.turn.send_replace((run, self.parts.clock.now()));
        let mut starting = Starting {
            permit: Some(start),
            until: Instant::now() + self.parts.start_patience,
            is_suspect: self.is_suspect.clone(),
        };
        let (events, from_engine) = mpsc::channel(EVENTS_AHEAD);
        let started = {
            let start = self.parts.engine.start(&self.session, events);
            tokio::pin!(start);
            tokio::select! {
                started = &mut start => started,
                () = starting.hangs() => start.await,
            }
        };
        match started {
            Ok(handle) => {
                self.running = Some(Running { run, handle: Arc::from(handle), slot });
                let wanted = self.wanted.clone();
                let to_task = self.to_task.clone();
                self.tasks.spawn(forward(run, from_engine, to_task, starting, wanted));
            }
            Err(failure) => {
                starting.end(true);
                drop(slot);
                self.fail(run, failure).await;
            }
        }
    }

    async fn stop(&mut self) {
        if let Some(Running { handle, slot, .. }) = self.running.take() {
            handle.stop().await;
            drop(slot);
        }
    }

    async fn fail(&self, run: u64, failure: EngineFailure) {
        report(&self.to_task, run, EngineReport::Failed(failure)).await;
    }

    fn ask(&mut self, run: u64, question: Question) {
        let running = self.running.as_ref().filter(|running| running.run == run);
        let Some(handle) = running.map(|running| running.handle.clone()) else {
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
    let event = match &report {
        EngineReport::Failed(failure) => {
            let evidence = Box::new(without_a_page(failure));
            EngineEvent::Evidenced { report, evidence }
        }
        _ => EngineEvent::Report(report),
    };
    let news = LaneNews::Engine(event);
    // Fails only when the task has ended.
    let _ = to_task.send((run, news)).await;
}

/// What there is to see of a failure that no running engine could tell of, such as
/// a start that was refused.
fn without_a_page(failure: &EngineFailure) -> Evidence {
    Evidence {
        repair: RepairStep::Restart,
        page_state: String::new(),
        step: failure.step.clone(),
        message: failure.message.clone(),
        console: Vec::new(),
        screenshot: None,
    }
}

/// A start that is under way. Its permit is held until the page has shown what
/// comes of it: loading is what costs the processor most, and many that load at
/// once would all be late.
struct Starting {
    permit: Option<StartPermit>,
    until: Instant,
    is_suspect: Arc<AtomicBool>,
}

impl Starting {
    /// Returns, once, when others should wait no longer. Cancel-safe.
    async fn hangs(&mut self) {
        if self.permit.is_none() {
            return std::future::pending().await;
        }
        tokio::time::sleep_until(self.until).await;
        self.end(true);
    }

    /// It came to something, or did not.
    fn end(&mut self, is_bad: bool) {
        if self.permit.take().is_some() {
            self.is_suspect.store(is_bad, Ordering::Relaxed);
        }
    }
}

/// How a start ended with this event, if it did: badly?
fn ends_start(event: &EngineEvent) -> Option<bool> {
    let (EngineEvent::Report(report) | EngineEvent::Evidenced { report, .. }) = event else {
        return Some(false);
    };
    match report {
        EngineReport::Started | EngineReport::Loading { .. } => None,
        EngineReport::Failed(_) | EngineReport::Stopped => Some(true),
        _ => Some(false),
    }
}

/// Hands on what the engine says. One that falls silent without a last word
/// would leave its session waiting for ever, so the word is said for it.
async fn forward(
    run: u64,
    mut from_engine: mpsc::Receiver<EngineEvent>,
    to_task: mpsc::Sender<(u64, LaneNews)>,
    mut starting: Starting,
    wanted: watch::Receiver<u64>,
) {
    let mut has_ended = false;
    loop {
        let event = tokio::select! {
            event = from_engine.recv() => event,
            () = starting.hangs() => continue,
        };
        let Some(event) = event else { break };
        if let Some(is_bad) = ends_start(&event) {
            // One that was stopped on purpose has not failed.
            starting.end(is_bad && *wanted.borrow() == run);
        }
        has_ended |= match &event {
            EngineEvent::Report(report) | EngineEvent::Evidenced { report, .. } => {
                matches!(report, EngineReport::Stopped | EngineReport::Failed(_))
            }
            EngineEvent::Qr { .. } => false,
        };
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
