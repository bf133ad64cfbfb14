//! All sessions of this host: finds them, starts their tasks and starts them
//! again when they panic, and stops them with the host.

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use futures::FutureExt;
use pairing_core::{
    clock::{SharedClock, Timestamp},
    command::{Command, RefusalCode},
    engine::Engine,
    fan_out::{FanOut, Interest},
    id::SessionName,
    plugin::PluginError,
    renderer::{QrRenderer, RenderOptions},
    session::SessionRecord,
    store::{HistoryEntry, Store, StoreError},
    workflow::{PairingSettings, SharedWorkflow},
};
use secrecy::SecretString;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    engine_lane::EngineLane,
    event_bus::{EventBus, Routed},
    session_task::{CommandMessage, SessionTask, Shared, TaskEnd},
    snapshot::{QrImage, SessionSnapshot},
};

/// Commands that may wait for one session.
const MAILBOX: usize = 64;
/// A task that panics more often than this in [`PANIC_WINDOW`] is left alone
/// until the host starts again.
const MAX_PANICS: usize = 5;
const PANIC_WINDOW: Duration = Duration::from_secs(600);

/// How sessions are run.
#[derive(Debug, Clone)]
pub struct SessionsConfig {
    /// Handed to the workflow with every input.
    pub pairing: PairingSettings,
    /// How long a caller waits for a command's reply.
    pub command_deadline: Duration,
    /// How many browsers may be in the middle of their start at once.
    pub concurrent_starts: usize,
    /// How long the journal is kept.
    pub journal_retention: Duration,
    /// How long recorded inputs and history are kept.
    pub history_retention: Duration,
}

impl Default for SessionsConfig {
    fn default() -> Self {
        let day = Duration::from_secs(24 * 60 * 60);
        Self {
            pairing: PairingSettings::default(),
            // A pairing code may take two attempts of 15 s in the page.
            command_deadline: Duration::from_secs(45),
            concurrent_starts: std::thread::available_parallelism().map_or(2, usize::from),
            journal_retention: 7 * day,
            history_retention: 365 * day,
        }
    }
}

/// What sessions are made of.
pub struct SessionsParts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// What talks to WhatsApp.
    pub engine: Arc<dyn Engine>,
    /// Decides.
    pub workflow: SharedWorkflow,
    /// Draws.
    pub renderer: Arc<dyn QrRenderer>,
    /// Routes.
    pub fan_out: Arc<dyn FanOut>,
    /// Tells the time.
    pub clock: SharedClock,
}

/// What a command brought.
#[derive(Clone)]
pub enum CommandReply {
    /// Done, or under way.
    Done {
        /// A sentence for people.
        message: String,
    },
    /// A pairing code.
    CodeMade {
        /// Eight characters, without a dash.
        code: SecretString,
        /// From then on it is void.
        expires_at: Timestamp,
    },
}

/// Why a command brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// No such session.
    #[error("there is no session of this name")]
    NotFound,
    /// The workflow refused.
    #[error("{message}")]
    Refused {
        /// Why.
        code: RefusalCode,
        /// For people: what is wrong and what to do.
        message: String,
    },
    /// The workflow gave no answer.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// It could not be written down. It may take effect later all the same.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many commands wait for this session.
    #[error("too many commands wait for this session; try again in a moment")]
    Busy,
    /// No reply in time. It may take effect later all the same.
    #[error("the session did not reply in time; look at its status")]
    TimedOut,
    /// The session was taken up anew meanwhile, or the host stops.
    #[error("the session was interrupted; try again")]
    Interrupted,
}

/// All sessions. Cheap to clone.
#[derive(Clone)]
pub struct Sessions(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    engine: Arc<dyn Engine>,
    config: SessionsConfig,
    starts: Arc<Semaphore>,
    entries: RwLock<BTreeMap<SessionName, Entry>>,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

#[derive(Clone)]
struct Entry {
    mailbox: mpsc::Sender<CommandMessage>,
    snapshot: Arc<ArcSwapOption<SessionSnapshot>>,
}

impl Sessions {
    /// Takes up all sessions that the store knows.
    pub async fn start(parts: SessionsParts, config: SessionsConfig) -> Result<Self, StoreError> {
        let SessionsParts { store, engine, workflow, renderer, fan_out, clock } = parts;
        let stopping = CancellationToken::new();
        let (bus, bus_task) =
            EventBus::open(store.clone(), fan_out, clock.clone(), stopping.clone()).await?;
        let records = store.sessions().await?;
        let settings = config.pairing.clone();
        let starts = Arc::new(Semaphore::new(config.concurrent_starts.max(1)));
        let shared = Arc::new(Shared { store, workflow, renderer, clock, settings, bus });
        let sessions = Self(Arc::new(Inner {
            shared,
            engine,
            config,
            starts,
            entries: RwLock::default(),
            tasks: TaskTracker::new(),
            stopping,
        }));
        sessions.0.tasks.spawn(bus_task);
        sessions.0.tasks.spawn(purge_regularly(sessions.clone()));
        for record in records {
            sessions.open(&record.name.clone(), Some(record));
        }
        Ok(sessions)
    }

    /// Has a session do something, and waits for its reply.
    pub async fn command(
        &self,
        name: &SessionName,
        command: Command,
    ) -> Result<CommandReply, CommandError> {
        let entry = match self.entry(name) {
            Some(entry) => entry,
            None if command.creates_session() => self.open(name, None),
            None => return Err(CommandError::NotFound),
        };
        if entry.snapshot.load().is_none() && !command.creates_session() {
            return Err(CommandError::NotFound);
        }
        let (reply, answer) = oneshot::channel();
        entry.mailbox.try_send(CommandMessage { command, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => CommandError::Busy,
            mpsc::error::TrySendError::Closed(_) => CommandError::Interrupted,
        })?;
        match tokio::time::timeout(self.0.config.command_deadline, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(CommandError::Interrupted),
            Err(_) => Err(CommandError::TimedOut),
        }
    }

    /// A session as last committed.
    pub fn session(&self, name: &SessionName) -> Option<Arc<SessionSnapshot>> {
        self.entry(name)?.snapshot.load_full()
    }

    /// All sessions, by name.
    pub fn sessions(&self) -> Vec<Arc<SessionSnapshot>> {
        let entries = self.0.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.values().filter_map(|entry| entry.snapshot.load_full()).collect()
    }

    /// The QR code that the session shows now, drawn to order; none if it shows
    /// none.
    pub async fn qr_image(
        &self,
        name: &SessionName,
        options: RenderOptions,
    ) -> Result<Option<QrImage>, PluginError> {
        let now = self.0.shared.clock.now();
        let Some((payload, shown)) = self.session(name).and_then(|session| session.qr_payload(now))
        else {
            return Ok(None);
        };
        let image = self.0.shared.renderer.render(&payload, options).await?;
        Ok(Some(QrImage { image, sequence: shown.sequence, expires_at: shown.expires_at }))
    }

    /// Changes of state with a number above `after`, oldest first.
    pub async fn history(
        &self,
        name: &SessionName,
        after: u64,
        limit: u32,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        self.0.shared.store.history(name, after, limit).await
    }

    /// Events, live and from the journal.
    pub fn events(&self) -> &EventBus {
        &self.0.shared.bus
    }

    /// The codes that are live now and of interest, as events without a place.
    pub async fn current_codes(&self, interest: &Interest) -> Vec<Arc<Routed>> {
        self.events().codes_of(&self.sessions(), interest).await
    }

    /// Stops all sessions and their engines; links and states stay.
    pub async fn stop(&self) {
        self.0.stopping.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    fn entry(&self, name: &SessionName) -> Option<Entry> {
        let entries = self.0.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(name).cloned()
    }

    fn open(&self, name: &SessionName, record: Option<SessionRecord>) -> Entry {
        let mut entries = self.0.entries.write().unwrap_or_else(PoisonError::into_inner);
        // Two callers may have found no session at the same time.
        if let Some(entry) = entries.get(name) {
            return entry.clone();
        }
        let (mailbox, inbox) = mpsc::channel(MAILBOX);
        let snapshot = record.as_ref().map(|record| Arc::new(SessionSnapshot::new(record, None)));
        let entry = Entry { mailbox, snapshot: Arc::new(ArcSwapOption::new(snapshot)) };
        entries.insert(name.clone(), entry.clone());
        let supervised = self.clone().supervise(name.clone(), record, inbox, entry.snapshot.clone());
        self.0.tasks.spawn(supervised);
        entry
    }

    /// Runs the session's task, and runs it again when it panics or its row was
    /// changed by another writer.
    async fn supervise(
        self,
        name: SessionName,
        mut record: Option<SessionRecord>,
        mut mailbox: mpsc::Receiver<CommandMessage>,
        snapshot: Arc<ArcSwapOption<SessionSnapshot>>,
    ) {
        let mut panics: Vec<Timestamp> = Vec::new();
        loop {
            let (lane, driver) =
                EngineLane::open(self.0.engine.clone(), name.clone(), self.0.starts.clone());
            // Ends by itself, engine and all, when the task drops its lane.
            let driver = self.0.tasks.spawn(driver);
            let task =
                SessionTask::new(self.0.shared.clone(), name.clone(), record, lane, snapshot.clone());
            let end = tokio::select! {
                end = AssertUnwindSafe(task.run(&mut mailbox)).catch_unwind() => Some(end),
                () = self.0.stopping.cancelled() => None,
            };
            if let Err(error) = driver.await {
                tracing::error!(session.name = %name, %error, "the engine's lane panicked");
            }
            match end {
                None => return,
                Some(Ok(TaskEnd::Deleted)) => break,
                Some(Ok(TaskEnd::Overtaken)) => {}
                Some(Err(_)) => {
                    let now = self.0.shared.clock.now();
                    panics.retain(|panic| now.since(*panic) < PANIC_WINDOW);
                    panics.push(now);
                    if panics.len() > MAX_PANICS {
                        tracing::error!(session.name = %name, "the session's task panics again and again; it is left alone until the host starts again");
                        return self.0.stopping.cancelled().await;
                    }
                }
            }
            record = match self.read(&name).await {
                Some(record) => record,
                None => return,
            };
        }
        let mut entries = self.0.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.remove(&name);
    }

    /// The session's row; none when the host stops before it could be read.
    async fn read(&self, name: &SessionName) -> Option<Option<SessionRecord>> {
        loop {
            match self.0.shared.store.sessions().await {
                Ok(records) => return Some(records.into_iter().find(|record| record.name == *name)),
                Err(error) => {
                    tracing::warn!(session.name = %name, %error, "the session could not be read; trying again");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
                () = self.0.stopping.cancelled() => return None,
            }
        }
    }
}

/// Removes what is older than its retention, every hour.
async fn purge_regularly(sessions: Sessions) {
    let inner = sessions.0;
    let clock = &inner.shared.clock;
    loop {
        let now = clock.now();
        let journal_before = now.before(inner.config.journal_retention);
        let history_before = now.before(inner.config.history_retention);
        match inner.shared.store.purge(journal_before, history_before).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "old journal entries and history were removed"),
            Err(error) => tracing::warn!(%error, "old rows could not be removed; trying again in an hour"),
        }
        tokio::select! {
            () = clock.sleep_until(now.after(Duration::from_secs(3600))) => {}
            () = inner.stopping.cancelled() => return,
        }
    }
}
