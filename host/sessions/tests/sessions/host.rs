//! A host without a network: sessions, and all that they are made of.

use std::{path::Path, sync::Arc, time::Duration};

use pairing_core::{
    clock::{Clock, Timestamp},
    command::Command,
    engine::EngineEvent,
    event::{Cursor, EventData, JournalEvent},
    fakes::{FakeCall, FakeClock, FakeEngine, FakeFanOut, FakeRenderer, FakeWorkflow},
    fan_out::{FanOut, Interest, Transport},
    id::SessionName,
    plugin::{PluginError, Slot},
    renderer::QrRenderer,
    session::Account,
    store::{JournalStore, RecordedInput, SessionStore},
    workflow::{EngineReport, Input, SharedWorkflow},
};
use pairing_sessions::{
    CommandError, CommandReply, SessionSnapshot, Sessions, SessionsConfig, SessionsParts,
    Subscription,
};
use tempfile::TempDir;

use crate::faulty_store::FaultyStore;

/// How long [`paused`] plugins are not called.
pub(crate) const PAUSE: Duration = Duration::from_secs(30);
/// Long enough for any machine; only a hanging test meets it.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Host {
    pub(crate) sessions: Sessions,
    pub(crate) store: Arc<FaultyStore>,
    pub(crate) engine: FakeEngine,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) renderer: Arc<FakeRenderer>,
    pub(crate) workflow: Arc<FakeWorkflow>,
    pub(crate) fan_out: Arc<FakeFanOut>,
    pub(crate) folder: TempDir,
}

/// What fills the slots.
pub(crate) struct Decides {
    pub(crate) workflow: SharedWorkflow,
    pub(crate) renderer: Arc<dyn QrRenderer>,
    pub(crate) fan_out: Arc<dyn FanOut>,
}

impl Host {
    pub(crate) async fn start() -> Self {
        Self::tuned(tuning()).await
    }

    /// With these settings.
    pub(crate) async fn tuned(tuning: SessionsConfig) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), Arc::default(), tuning).await
    }

    async fn start_in(folder: TempDir, clock: Arc<FakeClock>, tuning: SessionsConfig) -> Self {
        Self::start_in_on(FakeEngine::default(), folder, clock, tuning).await
    }

    async fn start_in_on(
        engine: FakeEngine,
        folder: TempDir,
        clock: Arc<FakeClock>,
        tuning: SessionsConfig,
    ) -> Self {
        let (renderer, workflow, fan_out) = (Arc::default(), Arc::default(), Arc::default());
        let fakes = Decides {
            workflow: Arc::clone(&workflow) as _,
            renderer: Arc::clone(&renderer) as _,
            fan_out: Arc::clone(&fan_out) as _,
        };
        Self {
            renderer,
            workflow,
            fan_out,
            ..Self::start_on(engine, folder, clock, fakes, tuning).await
        }
    }

    /// With these plugins in place of the fakes.
    pub(crate) async fn start_with(
        folder: TempDir,
        clock: Arc<FakeClock>,
        plugins: Decides,
    ) -> Self {
        Self::start_tuned(folder, clock, plugins, tuning()).await
    }

    pub(crate) async fn start_tuned(
        folder: TempDir,
        clock: Arc<FakeClock>,
        plugins: Decides,
        tuning: SessionsConfig,
    ) -> Self {
        Self::start_on(FakeEngine::default(), folder, clock, plugins, tuning).await
    }

    async fn start_on(
        engine: FakeEngine,
        folder: TempDir,
        clock: Arc<FakeClock>,
        plugins: Decides,
        tuning: SessionsConfig,
    ) -> Self {
        let database = format!("sqlite:{}", folder.path().join("pairing.db").display());
        let inner = pairing_store::connect(&pairing_store::Config::new(database)).await.unwrap();
        let store = Arc::new(FaultyStore::around(inner));
        let parts = SessionsParts {
            store: store.clone(),
            engine: Arc::new(engine.clone()),
            workflow: plugins.workflow,
            renderer: plugins.renderer,
            fan_out: plugins.fan_out,
            clock: clock.clone(),
        };
        let sessions = Sessions::start(parts, tuning).await.unwrap();
        let (renderer, workflow, fan_out) = (Arc::default(), Arc::default(), Arc::default());
        Self { sessions, store, engine, clock, renderer, workflow, fan_out, folder }
    }

    /// The same data folder, later, with a new browser and new memory.
    pub(crate) async fn restart(self) -> Self {
        self.restart_tuned(tuning()).await
    }

    pub(crate) async fn restart_tuned(self, tuning: SessionsConfig) -> Self {
        self.restart_on(FakeEngine::default(), tuning).await
    }

    /// With a browser that was told before how to behave.
    pub(crate) async fn restart_on(self, engine: FakeEngine, tuning: SessionsConfig) -> Self {
        self.sessions.stop().await;
        let Self { folder, clock, store, .. } = self;
        drop(store);
        Self::start_in_on(engine, folder, clock, tuning).await
    }

    pub(crate) async fn restart_with(self, plugins: Decides) -> Self {
        self.sessions.stop().await;
        let Self { folder, clock, store, .. } = self;
        drop(store);
        Self::start_with(folder, clock, plugins).await
    }

    /// Moves the clock on, again and again, until this is so: whoever waits may
    /// not have looked at the clock yet.
    pub(crate) async fn advance_until(&self, step: Duration, so: impl AsyncFn() -> bool) {
        within(async {
            while !so().await {
                self.clock.advance(step);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn command(
        &self,
        session: &SessionName,
        command: Command,
    ) -> Result<CommandReply, CommandError> {
        within(self.sessions.command(session, command)).await
    }

    /// Starts a session, and waits until its page is there and all subscribers
    /// know.
    pub(crate) async fn init(&self, session: &SessionName) {
        self.command(session, init()).await.unwrap();
        within(self.engine.wait_for(session, &FakeCall::Start, 1)).await;
        let (_, newest) = self.store.bounds().await.unwrap();
        within(async {
            while self.sessions.events().head() < newest {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Waits until the session's snapshot is as wanted.
    pub(crate) async fn until(
        &self,
        session: &SessionName,
        wanted: impl Fn(&SessionSnapshot) -> bool,
    ) -> Arc<SessionSnapshot> {
        within(async {
            loop {
                if let Some(snapshot) = self.sessions.session(session)
                    && wanted(&snapshot)
                {
                    return snapshot;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await
    }

    /// The page shows a QR code; returns when the session does too.
    pub(crate) async fn show_qr(
        &self,
        session: &SessionName,
        payload: &str,
    ) -> Arc<SessionSnapshot> {
        let before = self.sessions.session(session).map_or(0, |session| session.sequence());
        self.engine.show_qr(session, payload, false).await;
        let now = self.now();
        self.until(session, |session| session.shown(now).is_some_and(|s| s.sequence > before)).await
    }

    pub(crate) async fn say(&self, session: &SessionName, report: EngineReport) {
        self.engine.say(session, EngineEvent::Report(report)).await;
    }

    /// The phone links; returns when the session knows.
    pub(crate) async fn link(&self, session: &SessionName) {
        self.say(session, EngineReport::Ready(account())).await;
        self.until(session, |session| session.view.linked).await;
    }

    pub(crate) async fn inputs(&self, session: &SessionName) -> Vec<RecordedInput> {
        self.store.inputs(session, 0, 10_000).await.unwrap()
    }

    pub(crate) async fn journal(&self) -> Vec<JournalEvent> {
        self.store.read(Cursor(0), 10_000).await.unwrap()
    }

    /// The percentages of a session's `loading` events.
    pub(crate) async fn loaded(&self, session: &SessionName) -> Vec<u8> {
        let of_session = |event: &JournalEvent| &event.session == session;
        let percent = |event: JournalEvent| match event.data {
            EventData::Loading { percent } => Some(percent),
            _ => None,
        };
        self.journal().await.into_iter().filter(of_session).filter_map(percent).collect()
    }

    pub(crate) fn subscribe(&self, capacity: usize) -> Subscription {
        self.sessions.events().subscribe(everything(), capacity)
    }

    /// Inputs are numbered from 1 without gaps, and so is the journal.
    pub(crate) async fn assert_gapless(&self, sessions: &[SessionName]) {
        for session in sessions {
            let numbers: Vec<u64> = self.inputs(session).await.iter().map(|i| i.number).collect();
            let expected: Vec<u64> = (1..=numbers.len() as u64).collect();
            assert_eq!(numbers, expected, "{session}");
        }
        let places: Vec<u64> = self.journal().await.iter().map(|event| event.id.0).collect();
        let expected: Vec<u64> = (1..=places.len() as u64).collect();
        assert_eq!(places, expected);
    }
}

/// The pages here show nothing until the test says so: others must not wait.
pub(crate) fn tuning() -> SessionsConfig {
    SessionsConfig { concurrent_starts: 1_000, ..SessionsConfig::default() }
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it hangs")
}

/// Waits until this is so.
pub(crate) async fn until(so: impl Fn() -> bool) {
    within(async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

pub(crate) fn trap(slot: Slot) -> PluginError {
    PluginError::Trapped { slot, message: "unreachable".into() }
}

/// Half a minute.
pub(crate) fn paused(slot: Slot) -> PluginError {
    PluginError::Paused { slot, retry_after: Some(PAUSE) }
}

pub(crate) fn name(text: &str) -> SessionName {
    text.parse().unwrap()
}

pub(crate) fn init() -> Command {
    Command::Init { expected_phone_number: None, confirm: false }
}

pub(crate) fn request_code() -> Command {
    Command::RequestPairingCode { phone_number: "5511999990001".into(), confirm: false }
}

pub(crate) fn account() -> Account {
    Account { phone_number: "5511999990001".into(), name: Some("Ana".into()) }
}

pub(crate) fn everything() -> Interest {
    Interest { transport: Transport::WebSocket, sessions: None, types: None }
}

/// The input that was recorded.
pub(crate) fn parsed(recorded: &RecordedInput) -> Input {
    serde_json::from_str(&recorded.input).unwrap()
}

/// All bytes that lie in the data folder.
pub(crate) fn bytes_in(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.flat_map(|file| std::fs::read(file).unwrap()).collect()
}
