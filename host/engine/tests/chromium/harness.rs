//! What the tests share: a stand-in, an engine against it, and sessions whose
//! events are told in words.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use pairing_core::{
    engine::{Engine, EngineEvent, EngineHandle},
    evidence::Evidence,
    workflow::{EngineFailure, EngineReport},
};
use pairing_engine::{ChromiumEngine, Deadlines, EngineConfig, SentinelProgram};
use secrecy::ExposeSecret;
use standin::{Config, Settings, Standin};
use tempfile::TempDir;
use tokio::sync::mpsc;

/// Guards against hanging; nothing is measured by it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
pub(crate) const PHONE: &str = "5511987654321";

/// A stand-in, and an engine whose browsers open its page.
pub(crate) struct Setup {
    pub(crate) standin: Standin,
    pub(crate) engine: ChromiumEngine,
    folder: TempDir,
}

impl Setup {
    pub(crate) async fn new() -> Self {
        Self::with(|_, _| {}).await
    }

    /// With other timings of the page, or less patience of the engine.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings, &mut Deadlines)) -> Self {
        let mut settings = Settings { module_step_ms: 10, sync_ms: 200, ..Settings::default() };
        let mut deadlines = Deadlines::default();
        change(&mut settings, &mut deadlines);
        let standin = Standin::start(Config { settings, ..Config::default() }).await.unwrap();
        let folder = tempfile::Builder::new().prefix("engine-").tempdir().unwrap();
        // The browsers' user must be able to pass through it.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
        let page = standin.base_url();
        let engine = ChromiumEngine::new(config(folder.path(), &page, deadlines)).unwrap();
        Self { standin, engine, folder }
    }

    /// Starts an engine for this session.
    pub(crate) async fn start(&self, name: &str) -> Session {
        Session::start(&self.engine, name).await.unwrap()
    }

    /// Starts one and waits for its first QR code.
    pub(crate) async fn unpaired(&self, name: &str) -> Session {
        let mut session = self.start(name).await;
        session.hears("started qr!").await;
        session
    }

    /// Starts one and links it.
    pub(crate) async fn linked(&self, name: &str) -> Session {
        let mut session = self.unpaired(name).await;
        self.standin.scan_payload(&session.qr).await.unwrap();
        session.hears(&format!("authenticated ready:{PHONE}")).await;
        session
    }

    /// What a session's owner has done once the link is gone.
    pub(crate) async fn wipe(&self, name: &str) {
        self.engine.wipe_profile(&name.parse().unwrap()).await.unwrap();
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn profile(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// No process is left, and the profile has no mark of one.
    pub(crate) fn assert_nothing_is_left_of(&self, name: &str) {
        let left = processes_of(&self.profile(name));
        assert!(left.is_empty(), "processes are left: {left:#?}");
        let lock = self.profile(name).join("SingletonLock");
        assert!(lock.symlink_metadata().is_err(), "the profile is still marked as in use");
        let temporary = self.folder().join(format!("{name}.tmp"));
        assert!(!temporary.exists(), "temporary files are left");
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        // After a failed test the browsers may still run.
        for process in processes_of(self.folder.path()) {
            let _ = kill(Pid::from_raw(process.id), Signal::SIGKILL);
        }
    }
}

pub(crate) fn config(profiles: &Path, page: &str, deadlines: Deadlines) -> EngineConfig {
    EngineConfig {
        whatsapp_web_url: page.parse().unwrap(),
        deadlines,
        sentinel: sentinel(),
        ..EngineConfig::new(profiles)
    }
}

/// An example of this crate, which is built with its tests.
pub(crate) fn sentinel() -> SentinelProgram {
    let folder = std::env::current_exe().unwrap().parent().unwrap().join("../examples");
    SentinelProgram { program: folder.join("engine_sentinel"), arguments: Vec::new() }
}

/// A start script of a browser.
pub(crate) fn script(setup: &Setup, line: &str) -> PathBuf {
    let path = setup.folder().join("browser");
    fs::write(&path, format!("#!/bin/sh\n{line}\n")).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    path
}

/// A running engine and what it has told.
pub(crate) struct Session {
    pub(crate) handle: Box<dyn EngineHandle>,
    pub(crate) events: mpsc::Receiver<EngineEvent>,
    /// The payload of the last QR code.
    pub(crate) qr: String,
    /// How it failed.
    pub(crate) failure: Option<EngineFailure>,
    /// What was seen at each repair and failure.
    pub(crate) evidence: Vec<Evidence>,
    /// All progress that was told.
    pub(crate) percents: Vec<u8>,
}

impl Session {
    pub(crate) async fn start(engine: &ChromiumEngine, name: &str) -> Result<Self, EngineFailure> {
        let (to, events) = mpsc::channel(64);
        let handle = engine.start(&name.parse().unwrap(), to).await?;
        Ok(Self {
            handle,
            events,
            qr: String::new(),
            failure: None,
            evidence: Vec::new(),
            percents: Vec::new(),
        })
    }

    /// The next events must be these; progress is only collected.
    pub(crate) async fn hears(&mut self, words: &str) {
        for (place, wanted) in words.split_whitespace().enumerate() {
            let heard = self.next(wanted).await;
            assert_eq!(heard, wanted, "event {place} of {words:?}; failure: {:?}", self.failure);
        }
    }

    /// It must fail next, after events that do not matter here.
    pub(crate) async fn fails(&mut self) -> EngineFailure {
        while self.next("a failure").await != "failed" {}
        self.failure.take().unwrap()
    }

    pub(crate) async fn stop(&mut self) {
        self.handle.stop().await;
        while self.next("stopped").await != "stopped" {}
    }

    pub(crate) async fn next(&mut self, wanted: &str) -> String {
        loop {
            let event = tokio::time::timeout(DEADLINE, self.events.recv()).await;
            let event = event.unwrap_or_else(|_| {
                panic!("nothing came within {DEADLINE:?}, where {wanted} was expected")
            });
            let event =
                event.unwrap_or_else(|| panic!("the events ended, where {wanted} was expected"));
            if let Some(word) = self.in_a_word(event) {
                return word;
            }
        }
    }

    fn in_a_word(&mut self, event: EngineEvent) -> Option<String> {
        use EngineReport::*;
        let report = match event {
            EngineEvent::Qr { payload, begins_round } => {
                self.qr = payload.expose_secret().to_owned();
                return Some(if begins_round { "qr!" } else { "qr" }.to_owned());
            }
            EngineEvent::Report(report) => report,
            EngineEvent::Evidenced { report, evidence } => {
                let repair = evidence.repair.as_str();
                self.evidence.push(*evidence);
                if report == (Probe { answered: false }) {
                    return Some(format!("degraded:{repair}"));
                }
                report
            }
        };
        Some(match report {
            Loading { percent } => {
                self.percents.push(percent);
                return None;
            }
            Started => "started".to_owned(),
            QrExpired => "qr-expired".to_owned(),
            Authenticated => "authenticated".to_owned(),
            Ready(account) => format!("ready:{}", account.phone_number),
            ConnectionLost => "connection-lost".to_owned(),
            LoggedOut { by_us } => {
                if by_us { "logged-out-by-us" } else { "logged-out-by-phone" }.to_owned()
            }
            Conflict => "conflict".to_owned(),
            ClientOutdated => "client-outdated".to_owned(),
            Banned { word } => format!("banned:{word}"),
            PasskeyRequired => "passkey-required".to_owned(),
            Probe { answered } => format!("probe:{answered}"),
            Stopped => "stopped".to_owned(),
            Failed(failure) => {
                self.failure = Some(failure);
                "failed".to_owned()
            }
            QrMade { .. } | CodeMade | CodeFailed(_) => panic!("an engine never says {report:?}"),
        })
    }
}

/// A process as the system tells of it.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) id: i32,
    /// Arguments, separated by spaces.
    pub(crate) command: String,
}

impl Process {
    /// A line of its `/proc/PID/status`.
    pub(crate) fn status(&self, name: &str) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
        line.unwrap_or_else(|| panic!("no {name} in {status}")).trim().to_owned()
    }
}

/// The processes that name this folder in their command line, or have it as
/// their home.
pub(crate) fn processes_of(folder: &Path) -> Vec<Process> {
    let folder = folder.to_string_lossy();
    let home = format!("HOME={folder}");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let read = |file| {
            String::from_utf8_lossy(&fs::read(entry.path().join(file)).unwrap_or_default())
                .replace('\0', " ")
        };
        let command = read("cmdline");
        let is_ours = command.contains(&*folder) || read("environ").contains(&home);
        if is_ours && id != std::process::id().cast_signed() {
            found.push(Process { id, command });
        }
    }
    found
}

/// The browser's main process.
pub(crate) fn browser_of(profile: &Path) -> Process {
    let option = format!("--user-data-dir={}", profile.display());
    let is_main = |process: &Process| {
        process.command.contains(&option) && !process.command.contains("--type=")
    };
    processes_of(profile).into_iter().find(is_main).expect("the browser runs")
}

pub(crate) fn parent_of(id: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok())
}
