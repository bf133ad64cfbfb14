//! The engine that is Chromium: starts browsers, one for each session.

use std::{fmt::Display, sync::Arc};

use async_trait::async_trait;
use pairing_core::{
    engine::{Engine, EngineEvent, EngineHandle},
    id::SessionName,
    workflow::{EngineFailure, EngineFailureKind},
};
use tokio::{
    runtime::Handle,
    sync::{Mutex, mpsc, watch},
    time::timeout,
};

use crate::{
    arguments::{ExtraArguments, command_line},
    config::{BrowserUser, EngineConfig, InvalidConfig},
    custody::{BrowserProcess, Custody, Start},
    failure::failure,
    handle::ChromiumHandle,
    page_hooks::PageHooks,
    page_scripts::AgentMode,
    profile::Profile,
    run::{Controls, Run},
    stderr_tail::StderrTail,
    user_agent::{InstalledBrowser, UserAgent},
};

const STEP: &str = "starting the browser";

/// Chromium's exit code for a profile that another process uses.
const PROFILE_IN_USE: i32 = 21;

/// Runs WhatsApp Web in Chromium, a browser for each session.
pub struct ChromiumEngine {
    pub(crate) config: EngineConfig,
    extra: ExtraArguments,
    pub(crate) user: BrowserUser,
    /// Those in use; running engines follow.
    pub(crate) hooks: watch::Sender<Arc<PageHooks>>,
    /// One look at a time.
    pub(crate) trials: Mutex<()>,
    browser: Arc<InstalledBrowser>,
    custody: Custody,
}

impl ChromiumEngine {
    /// Checks the configuration; starts nothing yet.
    pub fn new(config: EngineConfig) -> Result<Self, InvalidConfig> {
        if !matches!(config.whatsapp_web_url.scheme(), "http" | "https") {
            return Err(InvalidConfig::Address(config.whatsapp_web_url));
        }
        let extra = ExtraArguments::check(&config.extra_args, &config.whatsapp_web_url)?;
        let user = BrowserUser::find(&config.run_as)?;
        let hooks = watch::Sender::new(Arc::new(config.page_hooks.clone()));
        let browser =
            Arc::new(InstalledBrowser::new(config.chromium.clone(), user, config.deadlines.launch));
        if let Ok(runtime) = Handle::try_current() {
            let browser = browser.clone();
            // So that the first session need not wait; what fails is told to it.
            runtime.spawn(async move { browser.user_agent().await.map(drop) });
        }
        let custody = Custody::new(&config);
        Ok(Self { config, extra, user, hooks, trials: Mutex::new(()), browser, custody })
    }

    /// Starts a browser on this profile, and its life.
    pub(crate) async fn begin(
        &self,
        session: &SessionName,
        profile: impl Future<Output = Result<Profile, EngineFailure>>,
        hooks: watch::Receiver<Arc<PageHooks>>,
        mode: AgentMode,
        events: mpsc::Sender<EngineEvent>,
    ) -> Result<Controls, EngineFailure> {
        let mut deadlines = self.config.deadlines;
        if mode == AgentMode::Trial {
            // Whoever tries looks by itself whether the page lacks something.
            deadlines.boot = deadlines.boot.max(deadlines.trial * 2);
        }
        let (user_agent, profile) = tokio::try_join!(self.browser.user_agent(), profile)?;
        profile.make()?;
        let launched = self.launch(&profile, &user_agent).await;
        let (process, stderr, address) = match launched {
            Ok(launched) => launched,
            Err(failure) => {
                // The process is killed by now; its like must be gone before the lock is.
                crate::process::end_all_that_use(profile.folder(), deadlines.close).await;
                return Err(failure);
            }
        };
        tracing::info!(session.name = %session, pid = process.id(), "browser started");
        let run = Run {
            session: session.clone(),
            process,
            stderr,
            profile,
            address,
            page_url: self.config.whatsapp_web_url.clone(),
            user_agent,
            hooks,
            mode,
            deadlines,
            events,
        };
        Ok(run.begin())
    }

    async fn launch(
        &self,
        profile: &Profile,
        user_agent: &UserAgent,
    ) -> Result<(BrowserProcess, StderrTail, String), EngineFailure> {
        let failed = |kind, message: String| failure(kind, STEP, message);
        let folder = profile.folder();
        let cannot = |why: &dyn Display| {
            let chromium = self.config.chromium.display();
            failed(EngineFailureKind::LaunchFailed, format!("{chromium} can't be started: {why}"))
        };
        let started = self.custody.start(Start {
            program: &self.config.chromium,
            arguments: command_line(&self.extra, folder, &user_agent.header()),
            home: folder,
            temporary: profile.temporary(),
            user: self.user,
            lock: Some(profile.held_lock()),
        });
        let (process, stderr) = started.await.map_err(|error| cannot(&error))?;
        let stderr = StderrTail::read(stderr);
        let answer = timeout(self.config.deadlines.launch, async {
            tokio::select! {
                biased;
                ready = process.ready() => Ok(ready),
                status = process.ended() => Err(status),
            }
        });
        match answer.await {
            Ok(Ok(Ok(address))) => Ok((process, stderr, address)),
            Ok(Ok(Err(why))) => Err(cannot(&why)),
            Ok(Err(status)) if status.code() == Some(PROFILE_IN_USE) => Err(failed(
                EngineFailureKind::LaunchFailed,
                format!("another browser uses the profile {}", folder.display()),
            )),
            Ok(Err(status)) => Err(failed(
                EngineFailureKind::LaunchFailed,
                format!("the browser ended ({status}): {}", stderr.last_words().await),
            )),
            Err(_) => Err(failed(
                EngineFailureKind::Deadline,
                format!(
                    "the browser did not answer within {:?}: {}",
                    self.config.deadlines.launch,
                    stderr.last_words().await
                ),
            )),
        }
    }
}

#[async_trait]
impl Engine for ChromiumEngine {
    async fn start(
        &self,
        session: &SessionName,
        events: mpsc::Sender<EngineEvent>,
    ) -> Result<Box<dyn EngineHandle>, EngineFailure> {
        let profile = Profile::take(&self.config.profiles_dir, session, self.user);
        let hooks = self.hooks.subscribe();
        let controls =
            self.begin(session, profile, hooks.clone(), AgentMode::First, events).await?;
        Ok(Box::new(ChromiumHandle::new(controls, self.config.deadlines, hooks)))
    }

    async fn wipe_profile(&self, session: &SessionName) -> Result<(), EngineFailure> {
        let profile = Profile::take(&self.config.profiles_dir, session, self.user).await?;
        let wiped = tokio::task::spawn_blocking(move || profile.wipe()).await;
        wiped.unwrap_or_else(|error| {
            Err(failure(EngineFailureKind::Other, "removing the browser profile", error))
        })
    }
}
