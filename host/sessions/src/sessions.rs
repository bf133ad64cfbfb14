//! All sessions of this host, as the API sees them.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use pairing_core::{
    clock::SharedClock,
    command::Command,
    engine::Engine,
    fan_out::{FanOut, Interest},
    id::SessionName,
    plugin::PluginError,
    renderer::{QrRenderer, RenderOptions},
    session::SessionRecord,
    store::{HistoryEntry, Records, StoreError},
    workflow::{PairingSettings, SharedWorkflow},
};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    commands::{CommandError, CommandMessage, CommandReply},
    event_bus::EventBus,
    retention::Retention,
    session_task::Shared,
    snapshot::{QrImage, SessionSnapshot, SharedSnapshot},
    subscription::Routed,
    supervisor::{SessionEnd, Supervised},
};

/// Commands that may wait for one session.
const MAILBOX: usize = 64;

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
            // Giving up a link takes up to a minute: the page may have to connect
            // first. A pairing code comes or fails sooner.
            command_deadline: Duration::from_secs(65),
            concurrent_starts: std::thread::available_parallelism().map_or(2, usize::from),
            journal_retention: 7 * day,
            history_retention: 365 * day,
        }
    }
}

/// What sessions are made of.
pub struct SessionsParts {
    /// Where everything is kept.
    pub store: Arc<dyn Records>,
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

/// All sessions. Cheap to clone.
#[derive(Clone)]
pub struct Sessions(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    engine: Arc<dyn Engine>,
    command_deadline: Duration,
    starts: Arc<Semaphore>,
    entries: RwLock<BTreeMap<SessionName, Entry>>,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

#[derive(Clone)]
struct Entry {
    mailbox: mpsc::Sender<CommandMessage>,
    snapshot: SharedSnapshot,
}

impl Sessions {
    /// Takes up all sessions that the store knows.
    ///
    /// # Errors
    /// If the store can't be read; nothing runs then.
    pub async fn start(parts: SessionsParts, config: SessionsConfig) -> Result<Self, StoreError> {
        let SessionsParts { store, engine, workflow, renderer, fan_out, clock } = parts;
        let stopping = CancellationToken::new();
        let records = store.sessions().await?;
        let (bus, bus_task) =
            EventBus::open(store.clone(), fan_out, clock.clone(), stopping.clone()).await?;
        let retention =
            Retention { journal: config.journal_retention, history: config.history_retention };
        let tasks = TaskTracker::new();
        tasks.spawn(bus_task);
        tasks.spawn(retention.enforce(store.clone(), clock.clone(), stopping.clone()));
        let settings = config.pairing;
        let sessions = Self(Arc::new(Inner {
            shared: Arc::new(Shared { store, workflow, renderer, clock, settings, bus }),
            engine,
            command_deadline: config.command_deadline,
            starts: Arc::new(Semaphore::new(config.concurrent_starts.max(1))),
            entries: RwLock::default(),
            tasks,
            stopping,
        }));
        for record in records {
            sessions.open(&record.name.clone(), Some(record));
        }
        Ok(sessions)
    }

    /// Has a session do something, and waits for its reply.
    ///
    /// # Errors
    /// See [`CommandError`]; a command that ended with `Store`, `TimedOut` or
    /// `Interrupted` may take effect all the same.
    pub async fn command(
        &self,
        name: &SessionName,
        command: Command,
    ) -> Result<CommandReply, CommandError> {
        let (reply, answer) = oneshot::channel();
        self.post(name, CommandMessage { command, reply });
        match tokio::time::timeout(self.0.command_deadline, answer).await {
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
    ///
    /// # Errors
    /// If the renderer plugin fails.
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
        let image = self.0.shared.renderer.render(name, &payload, options).await?;
        Ok(Some(QrImage { image, sequence: shown.sequence, expires_at: shown.expires_at }))
    }

    /// Changes of state with a number above `after`, oldest first.
    ///
    /// # Errors
    /// If the store can't be read.
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

    /// Puts a command into the session's mailbox, or refuses it.
    fn post(&self, name: &SessionName, mut message: CommandMessage) {
        loop {
            let creates = message.command.creates_session();
            let entry = match self.entry(name) {
                Some(entry) => entry,
                None if creates => self.open(name, None),
                None => return message.refuse(CommandError::NotFound),
            };
            if entry.snapshot.load().is_none() && !creates {
                return message.refuse(CommandError::NotFound);
            }
            message = match entry.mailbox.try_send(message) {
                Ok(()) => return,
                Err(mpsc::error::TrySendError::Full(message)) => {
                    return message.refuse(CommandError::Busy);
                }
                Err(mpsc::error::TrySendError::Closed(message)) => message,
            };
            if self.0.stopping.is_cancelled() {
                return message.refuse(CommandError::Interrupted);
            }
            // The session was deleted meanwhile; its name begins anew.
        }
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
        let (mailbox, mut inbox) = mpsc::channel(MAILBOX);
        let entry = Entry { mailbox, snapshot: SharedSnapshot::default() };
        entries.insert(name.clone(), entry.clone());
        let supervised = Supervised {
            name: name.clone(),
            shared: self.0.shared.clone(),
            engine: self.0.engine.clone(),
            starts: self.0.starts.clone(),
            tasks: self.0.tasks.clone(),
            stopping: self.0.stopping.clone(),
            snapshot: entry.snapshot.clone(),
        };
        supervised.show(record.as_ref());
        let (sessions, name) = (self.clone(), name.clone());
        self.0.tasks.spawn(async move {
            if supervised.run(record, &mut inbox).await == SessionEnd::Deleted {
                sessions.forget(&name);
                // Who wrote to the deleted session means the next of that name.
                inbox.close();
                while let Ok(message) = inbox.try_recv() {
                    sessions.post(&name, message);
                }
            }
        });
        entry
    }

    /// The session ended; its name may begin anew.
    fn forget(&self, name: &SessionName) {
        let mut entries = self.0.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.remove(name);
    }
}
