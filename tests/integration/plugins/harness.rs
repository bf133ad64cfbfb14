//! A registry over a real database, as one host has it or several.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use pairing_core::{
    fakes::FakeClock,
    id::SessionName,
    plugin::{PluginDigest, Slot},
    plugin_store::{PluginAction, PluginChange},
    session::SessionRecord,
    store::Store,
};
use pairing_plugin_registry::{
    Activate, Activated, OpenError, Push, Pushed, Registry, RegistryConfig, RegistryError,
    RegistryParts, Rollback, SlotReport,
};
use pairing_plugin_runtime::{PluginsConfig, Runtime};
use pairing_store::testing::PostgresServer;
use pairing_tests::{chameleon, until};
use tempfile::TempDir;

use crate::plugins::kept_code::KeptCode;

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
    pub(crate) records: Mutex<BTreeMap<SessionName, SessionRecord>>,
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
        rules: RegistryConfig,
        workflow: Option<Vec<u8>>,
    ) -> Self {
        let opened = Self::try_over(url, folder, rules, workflow).await;
        opened.unwrap_or_else(|(error, _)| panic!("{error}"))
    }

    /// Gives the folder back if the registry does not open.
    pub(crate) async fn try_over(
        url: String,
        folder: TempDir,
        mut rules: RegistryConfig,
        workflow: Option<Vec<u8>>,
    ) -> Result<Self, (OpenError, TempDir)> {
        let dir = folder.path().join("plugins");
        std::fs::create_dir_all(&dir).unwrap();
        if let Some(workflow) = workflow {
            std::fs::write(dir.join("workflow.wasm"), workflow).unwrap();
            rules.dir = Some(dir);
        }
        let store = pairing_store::connect(&pairing_store::Config::new(&url)).await.unwrap();
        let (clock, code) = (Arc::new(FakeClock::default()), Arc::new(KeptCode::default()));
        let opened = try_open(store.clone(), clock.clone(), code.clone(), rules).await;
        let (registry, runtime) = match opened {
            Ok(opened) => opened,
            Err(error) => return Err((error, folder)),
        };
        let (folder, records) = (Arc::new(folder), Mutex::default());
        Ok(Self { registry, runtime, store, clock, code, url, folder, records })
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
    try_open(store, clock, code, rules).await.unwrap()
}

async fn try_open(
    store: Arc<dyn Store>,
    clock: Arc<FakeClock>,
    code: Arc<KeptCode>,
    rules: RegistryConfig,
) -> Result<(Registry, Runtime), OpenError> {
    let seal_key = Some(vec![7; 32].into());
    // Machines are shared and slow: a call that waits long does not fail.
    let max_wait = Duration::from_secs(5);
    let config = PluginsConfig { seal_key, max_wait, ..PluginsConfig::default() };
    let runtime = Runtime::start(config).unwrap();
    let parts = RegistryParts {
        store: store.clone(),
        native_code: code,
        sessions: store.clone(),
        subscriptions: store.clone(),
        journal: store.clone(),
        secrets_key: vec![7; 32].into(),
        clock,
        runtime: runtime.clone(),
    };
    Ok((Registry::open(parts, rules).await?, runtime))
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

/// A file of the plugin folder, written in one go as a build does.
pub(crate) fn write(dir: &Path, name: &str, bytes: &[u8]) {
    let own = dir.join(format!("{name}.part"));
    std::fs::write(&own, bytes).unwrap();
    std::fs::rename(&own, dir.join(name)).unwrap();
}
