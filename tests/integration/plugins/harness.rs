//! A registry over a real database. Sessions are played by the test itself: it hands
//! their inputs to the workflow and commits what that decides, so that nothing
//! happens but what the test says.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use pairing_core::{
    clock::Clock,
    command::{Command, Outcome},
    fakes::FakeClock,
    id::SessionName,
    plugin::{PluginDigest, PluginError, Slot},
    plugin_store::{NativeCodeStore, PluginAction, PluginChange},
    session::SessionRecord,
    store::{Commit, RecordedInput, Store, StoreError},
    workflow::{Context, Decision, Effect, Input, PairingSettings},
};
use pairing_plugin_registry::{
    Activate, Activated, Push, Pushed, Registry, RegistryConfig, RegistryError, RegistryParts,
    Rollback, SlotReport,
};
use pairing_plugin_runtime::{PluginsConfig, Runtime};
use pairing_store::testing::PostgresServer;
use pairing_tests::{SharedCode, chameleon, until};
use tempfile::TempDir;

pub(crate) const WHO: &str = "ana";

/// A registry whose workflow slot a chameleon fills, at first `1.0.0` in mode `plain`.
pub(crate) struct TestRegistry {
    pub(crate) registry: Registry,
    pub(crate) runtime: Runtime,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) code: Arc<KeptCode>,
    url: String,
    folder: Arc<TempDir>,
    records: Mutex<BTreeMap<SessionName, SessionRecord>>,
}

/// What a development host allows.
pub(crate) fn rules() -> RegistryConfig {
    RegistryConfig { refuse_unsigned: false, ..RegistryConfig::default() }
}

/// The same without the gate that bad versions would not pass.
pub(crate) fn blind() -> RegistryConfig {
    RegistryConfig { replayed_sessions: 0, ..rules() }
}

impl TestRegistry {
    pub(crate) async fn start() -> Self {
        Self::with(rules()).await
    }

    pub(crate) async fn with(rules: RegistryConfig) -> Self {
        Self::seeded(rules, Some(chameleon("1.0.0", "plain"))).await
    }

    /// With another first workflow; none is the host's own.
    pub(crate) async fn seeded(rules: RegistryConfig, workflow: Option<Vec<u8>>) -> Self {
        let folder = tempfile::Builder::new().prefix("pairing-plugins-").tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        Self::over(url, folder, rules, workflow).await
    }

    pub(crate) async fn over_postgres() -> Self {
        let url = PostgresServer::shared().await.database().await;
        let first = Some(chameleon("1.0.0", "plain"));
        Self::over(url, tempfile::tempdir().unwrap(), rules(), first).await
    }

    pub(crate) async fn over(
        url: String,
        folder: TempDir,
        mut rules: RegistryConfig,
        workflow: Option<Vec<u8>>,
    ) -> Self {
        let dir = folder.path().join("plugins");
        std::fs::create_dir_all(&dir).unwrap();
        if let Some(workflow) = workflow {
            std::fs::write(dir.join("workflow.wasm"), workflow).unwrap();
            rules.dir = Some(dir);
        }
        let store = pairing_store::connect(&pairing_store::Config::new(&url)).await.unwrap();
        let (clock, code) = (Arc::new(FakeClock::default()), Arc::new(KeptCode::default()));
        let (registry, runtime) = open(store.clone(), clock.clone(), code.clone(), rules).await;
        let (folder, records) = (Arc::new(folder), Mutex::default());
        Self { registry, runtime, store, clock, code, url, folder, records }
    }

    /// The folder that fills empty slots.
    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.path().join("plugins")
    }

    /// The same host, started again.
    pub(crate) async fn restart(&mut self, rules: RegistryConfig) {
        self.registry.stop().await;
        let parts = (self.store.clone(), self.clock.clone(), self.code.clone());
        (self.registry, self.runtime) = open(parts.0, parts.1, parts.2, rules).await;
    }

    /// Another host over the same database.
    pub(crate) async fn beside(&self, rules: RegistryConfig) -> Self {
        let store = pairing_store::connect(&pairing_store::Config::new(&self.url)).await.unwrap();
        let (clock, code) = (self.clock.clone(), self.code.clone());
        let (registry, runtime) = open(store.clone(), clock.clone(), code.clone(), rules).await;
        let (url, folder, records) = (self.url.clone(), self.folder.clone(), Mutex::default());
        Self { registry, runtime, store, clock, code, url, folder, records }
    }

    pub(crate) async fn try_push(&self, component: Vec<u8>) -> Result<Pushed, RegistryError> {
        self.registry.push(push(Slot::Workflow, component)).await
    }

    pub(crate) async fn push(&self, component: Vec<u8>) -> PluginDigest {
        self.try_push(component).await.unwrap().version.digest
    }

    pub(crate) async fn activate(&self, digest: &PluginDigest) -> Result<Activated, RegistryError> {
        self.registry.activate(activate(digest, None)).await
    }

    pub(crate) async fn canary(
        &self,
        digest: &PluginDigest,
        share: u8,
    ) -> Result<Activated, RegistryError> {
        self.registry.activate(activate(digest, Some(share))).await
    }

    /// Pushes and activates a chameleon.
    pub(crate) async fn bring(&self, version: &str, mode: &str) -> PluginDigest {
        let digest = self.push(chameleon(version, mode)).await;
        self.activate(&digest).await.unwrap();
        digest
    }

    pub(crate) async fn back(&self, to: Option<&str>) -> Result<Activated, RegistryError> {
        let to = to.map(str::to_owned);
        let ask =
            Rollback { slot: Slot::Workflow, to, why: "it was better".into(), who: WHO.into() };
        self.registry.roll_back(ask).await
    }

    /// Hands an input to the workflow and commits what it decides.
    pub(crate) async fn say(&self, session: &str, input: Input) -> Result<Decision, PluginError> {
        self.say_with(session, input, 0).await
    }

    /// A command; its reply is the count of the session's inputs.
    pub(crate) async fn command(&self, session: &str) -> Result<Decision, PluginError> {
        let command = Command::Init { expected_phone_number: None, confirm: false };
        self.say(session, Input::Command { id: 1, command }).await
    }

    pub(crate) async fn delete(&self, session: &str) -> Result<Decision, PluginError> {
        let command = Command::Delete { confirm: true };
        self.say(session, Input::Command { id: 1, command }).await
    }

    pub(crate) async fn say_with(
        &self,
        session: &str,
        input: Input,
        seed: u64,
    ) -> Result<Decision, PluginError> {
        let (decision, context) = self.ask(session, &input, seed).await?;
        self.commit(&input, &context, &decision).await;
        Ok(decision)
    }

    /// Without committing anything.
    pub(crate) async fn ask(
        &self,
        session: &str,
        input: &Input,
        seed: u64,
    ) -> Result<(Decision, Context), PluginError> {
        let name: SessionName = session.parse().unwrap();
        let record = self.records.lock().unwrap().get(&name).cloned();
        let context = Context {
            session_name: name,
            now: self.clock.now(),
            seed,
            input_number: record.as_ref().map_or(0, |record| record.input_number) + 1,
            settings: PairingSettings::default(),
        };
        let state = record.as_ref().map(|record| (record.state_schema, &record.state[..]));
        let workflow = self.registry.plugins().workflow;
        Ok((workflow.handle(state, input, &context).await?, context))
    }

    pub(crate) async fn commit(&self, input: &Input, context: &Context, decision: &Decision) {
        let (name, now) = (context.session_name.clone(), context.now);
        let transition = &decision.transition;
        let record = SessionRecord {
            name: name.clone(),
            view: transition.view.clone(),
            state: transition.state.clone(),
            state_schema: decision.state_schema,
            input_number: context.input_number,
            wake_up_at: transition.wake_up_at,
            created_at: now,
            updated_at: now,
        };
        let recorded = RecordedInput {
            number: context.input_number,
            at: now,
            digest: decision.digest.clone(),
            state_schema: decision.state_schema,
            fuel: decision.fuel,
            input: serde_json::to_string(input).unwrap(),
            context: serde_json::to_string(context).unwrap(),
            transition: serde_json::to_string(transition).unwrap(),
        };
        let delete = transition.effects.contains(&Effect::DeleteSession);
        let commit = Commit {
            record: record.clone(),
            input: recorded,
            events: Vec::new(),
            history: None,
            delete,
        };
        self.store.commit(&commit).await.unwrap();
        let mut records = self.records.lock().unwrap();
        if delete {
            records.remove(&name)
        } else {
            records.insert(name, record)
        };
    }

    /// `session-0` and so on, each with a command and what may follow on it.
    pub(crate) async fn record_histories(&self, count: usize) {
        for number in 0..count {
            let session = format!("session-{number}");
            self.command(&session).await.unwrap();
            self.say(&session, Input::WakeUp).await.unwrap();
        }
    }

    /// A session's state in the database, with its schema.
    pub(crate) async fn state(&self, session: &str) -> (u32, String) {
        let sessions = self.store.sessions().await.unwrap();
        let record = sessions.into_iter().find(|record| record.name.as_str() == session).unwrap();
        (record.state_schema, String::from_utf8(record.state).unwrap())
    }

    pub(crate) fn slot(&self) -> SlotReport {
        self.registry.slots().remove(0)
    }

    pub(crate) fn active(&self) -> PluginDigest {
        self.slot().active.info.digest
    }

    pub(crate) async fn until_active(&self, digest: &PluginDigest) {
        until("the version is active", async || (self.active() == *digest).then_some(())).await;
    }

    /// The workflow's history, the newest first.
    pub(crate) async fn changes(&self) -> Vec<PluginChange> {
        let lines = self.registry.history(Slot::Workflow, None, 1000).await.unwrap();
        lines.into_iter().map(|line| line.change).collect()
    }

    /// Its newest line of this kind.
    pub(crate) async fn change(&self, action: PluginAction) -> PluginChange {
        let mut changes = self.changes().await.into_iter();
        changes.find(|change| change.action == action).unwrap()
    }
}

async fn open(
    store: Arc<dyn Store>,
    clock: Arc<FakeClock>,
    code: Arc<KeptCode>,
    rules: RegistryConfig,
) -> (Registry, Runtime) {
    let seal_key = Some(vec![7; 32].into());
    // Machines are shared and slow: a call that waits long does not fail.
    let max_wait = Duration::from_secs(5);
    let config = PluginsConfig { seal_key, max_wait, ..PluginsConfig::default() };
    let runtime = Runtime::start(config).unwrap();
    let parts = RegistryParts {
        store: store.clone(),
        native_code: code,
        sessions: store,
        clock,
        runtime: runtime.clone(),
    };
    (Registry::open(parts, rules).await.unwrap(), runtime)
}

pub(crate) fn push(slot: Slot, component: Vec<u8>) -> Push {
    Push { slot, component, signature: None, accept_unsigned: None, who: WHO.into() }
}

fn activate(digest: &PluginDigest, canary: Option<u8>) -> Activate {
    Activate {
        slot: Slot::Workflow,
        digest: digest.to_string(),
        canary,
        why: "it is better".into(),
        who: WHO.into(),
    }
}

/// What a command was answered.
pub(crate) fn reply(decision: &Decision) -> &str {
    let replies = decision.transition.effects.iter().find_map(|effect| match effect {
        Effect::Reply { outcome: Outcome::Done(said), .. } => Some(said),
        _ => None,
    });
    replies.unwrap()
}

/// With the same word in place of every digest: they differ from build to build.
pub(crate) fn without_digests(text: impl ToString) -> String {
    let text = text.to_string();
    let mut plain = String::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let hex = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(hex);
        plain += if digits.len() >= 12 { "<digest>" } else { digits };
        let next = after.find(|c: char| c.is_ascii_hexdigit()).unwrap_or(after.len());
        plain += &after[..next];
        rest = &after[next..];
    }
    plain
}

/// Compiled code that all tests share, which this test may lose or spoil.
#[derive(Default)]
pub(crate) struct KeptCode {
    shared: SharedCode,
    is_lost: AtomicBool,
    is_spoilt: AtomicBool,
    compiled: AtomicUsize,
}

impl KeptCode {
    /// None is found any more.
    pub(crate) fn lose(&self) {
        self.is_lost.store(true, Ordering::Relaxed);
    }

    /// One byte of each is another from now on.
    pub(crate) fn spoil(&self) {
        self.is_spoilt.store(true, Ordering::Relaxed);
    }

    /// How often code was kept, which is how often something was compiled.
    pub(crate) fn compiled(&self) -> usize {
        self.compiled.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl NativeCodeStore for KeptCode {
    async fn native_code(
        &self,
        digest: &PluginDigest,
        compatibility: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        if self.is_lost.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut code = self.shared.native_code(digest, compatibility).await?;
        if let Some(code) = &mut code
            && self.is_spoilt.load(Ordering::Relaxed)
        {
            let middle = code.len() / 2;
            code[middle] ^= 1;
        }
        Ok(code)
    }

    async fn put_native_code(
        &self,
        digest: &PluginDigest,
        compatibility: &str,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        self.compiled.fetch_add(1, Ordering::Relaxed);
        self.shared.put_native_code(digest, compatibility, sealed).await
    }
}

/// A file of the plugin folder, written in one go as a build does.
pub(crate) fn write(dir: &Path, name: &str, bytes: &[u8]) {
    let own = dir.join(format!("{name}.part"));
    std::fs::write(&own, bytes).unwrap();
    std::fs::rename(&own, dir.join(name)).unwrap();
}
