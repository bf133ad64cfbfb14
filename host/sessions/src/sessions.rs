//! All sessions of this host, as the API sees them.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use pairing_core::{
    clock::SharedClock,
    command::{Command, RefusalCode},
    engine::Engine,
    event::EventData,
    evidence::Evidence,
    fan_out::{FanOut, Interest},
    id::SessionName,
    phone::is_same_number,
    plugin::PluginError,
    renderer::{QrRenderer, RenderOptions},
    session::{SessionRecord, Status},
    store::{HistoryEntry, Records, StoreError},
    workflow::{PairingSettings, SharedWorkflow},
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    browser_slots::BrowserSlots,
    commands::{CommandError, CommandMessage, CommandReply},
    committed::Committed,
    engine_lane::LaneParts,
    event_bus::EventBus,
    retention::Retention,
    session_task::Shared,
    snapshot::{QrImage, SessionSnapshot, SharedSnapshot},
    subscription::Routed,
    supervisor::{SessionEnd, Supervised},
    watching::{WatchGuard, Watching},
};

/// Commands that may wait for one session.
const MAILBOX: usize = 64;
/// After the host's start no browser starts on its own before all sessions are in
/// line, but for so long at most.
const LINING_UP: Duration = Duration::from_secs(5);

/// How sessions are run.
#[derive(Debug, Clone)]
pub struct SessionsConfig {
    /// Handed to the workflow with every input.
    pub pairing: PairingSettings,
    /// How long a caller waits for a command's reply.
    pub command_deadline: Duration,
    /// How many browsers may be in the middle of their start at once.
    pub concurrent_starts: usize,
    /// A browser that shows nothing for so long after its start keeps others from
    /// starting no more.
    pub start_patience: Duration,
    /// How many browsers may run at once; further sessions wait in line.
    pub max_browsers: Option<usize>,
    /// How long somebody who asked about a session counts as looking at it.
    pub watch_window: Duration,
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
            start_patience: Duration::from_secs(20),
            max_browsers: None,
            watch_window: Duration::from_secs(60),
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
    lane: LaneParts,
    command_deadline: Duration,
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
        let watching = Watching::new(clock.clone(), config.watch_window);
        let slots = BrowserSlots::new(config.concurrent_starts, config.max_browsers);
        let lane = LaneParts {
            engine,
            slots: slots.clone(),
            clock: clock.clone(),
            start_patience: config.start_patience,
        };
        let settings = config.pairing;
        let shared = Shared { store, workflow, renderer, clock, settings, bus, watching, slots };
        let sessions = Self(Arc::new(Inner {
            shared: Arc::new(shared),
            lane,
            command_deadline: config.command_deadline,
            entries: RwLock::default(),
            tasks,
            stopping,
        }));
        sessions.take_up(records);
        Ok(sessions)
    }

    fn take_up(&self, records: Vec<SessionRecord>) {
        let Shared { slots, watching, .. } = &*self.0.shared;
        let lining_up = slots.take_up();
        for record in records {
            let is_pairing = !record.view.linked && record.view.status != Status::Disconnected;
            if is_pairing {
                // Whoever looked at it then can't have been counted.
                watching.looked_at(&record.name);
            }
            self.open(&record.name.clone(), Some(record));
        }
        drop(lining_up);
        let (slots, stopping) = (slots.clone(), self.0.stopping.clone());
        self.0.tasks.spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(LINING_UP) => slots.all_taken_up(),
                () = stopping.cancelled() => {}
            }
        });
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
        if let Some(refusal) = self.refuse_taken_number(name, &command) {
            return Err(refusal);
        }
        if command.creates_session() || self.entry(name).is_some() {
            self.0.shared.watching.looked_at(name);
        }
        let (reply, answer) = oneshot::channel();
        self.post(name, CommandMessage { command, reply });
        match tokio::time::timeout(self.0.command_deadline, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(CommandError::Interrupted),
            Err(_) => Err(CommandError::TimedOut),
        }
    }

    /// Somebody watches this session as long as the guard is held. The session need
    /// not exist yet.
    pub fn watch(&self, name: &SessionName) -> WatchGuard {
        self.0.shared.watching.watch(name)
    }

    /// Somebody asked about this session just now.
    pub fn looked_at(&self, name: &SessionName) {
        if self.entry(name).is_some() {
            self.0.shared.watching.looked_at(name);
        }
    }

    /// Tells all who read events what the host itself has to say. It stands in the
    /// journal under [`SessionName::host`].
    ///
    /// # Errors
    /// If it can't be written; nobody has heard of it then.
    pub async fn announce(&self, events: &[EventData]) -> Result<(), StoreError> {
        let Shared { store, clock, bus, .. } = &*self.0.shared;
        let written = store.append(&SessionName::host(), clock.now(), events).await?;
        bus.publish(written.into_iter().map(|event| Committed::new(event, None)).collect());
        Ok(())
    }

    /// While this holds no browser starts; those that want to wait in line.
    pub(crate) fn hold_starts(&self, is_held: bool) {
        self.0.shared.slots.hold(is_held);
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

    /// What was seen at a line of the history, if anything.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn evidence(
        &self,
        name: &SessionName,
        input_number: u64,
    ) -> Result<Option<Evidence>, StoreError> {
        self.0.shared.store.evidence(name, input_number).await
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

    /// A number that another session of this host has linked is linked once more
    /// only by who means it: WhatsApp would not say that there is a link already.
    fn refuse_taken_number(&self, name: &SessionName, command: &Command) -> Option<CommandError> {
        let (Command::Init { expected_phone_number: Some(number), confirm: false }
        | Command::RequestPairingCode { phone_number: number, confirm: false }) = command
        else {
            return None;
        };
        let has_it = |session: &Arc<SessionSnapshot>| {
            let account = session.view.account.as_ref().filter(|_| session.view.linked);
            account.is_some_and(|account| is_same_number(&account.phone_number, number))
        };
        if self.session(name).as_ref().is_some_and(has_it) {
            // The workflow knows what to do about it.
            return None;
        }
        let other = self.sessions().into_iter().find(has_it)?;
        Some(CommandError::Refused {
            code: RefusalCode::AlreadyLinked,
            message: format!(
                "The session `{}` of this host has linked this number already; repeat it with confirm if it is to be linked here too.",
                other.name
            ),
        })
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
            lane: self.0.lane.clone(),
            tasks: self.0.tasks.clone(),
            stopping: self.0.stopping.clone(),
            snapshot: entry.snapshot.clone(),
        };
        supervised.show(record.as_ref());
        let taking_up = record.as_ref().map(|_| self.0.shared.slots.take_up());
        let (sessions, name) = (self.clone(), name.clone());
        self.0.tasks.spawn(async move {
            if supervised.run(record, taking_up, &mut inbox).await == SessionEnd::Deleted {
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
        self.0.shared.watching.forget(name);
    }
}
