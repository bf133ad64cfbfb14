//! The engine that is Chromium: starts browsers, one for each session.

use std::sync::Arc;

use async_trait::async_trait;
use pairing_core::{
    engine::{Engine, EngineEvent, EngineHandle},
    id::SessionName,
    workflow::{EngineFailure, EngineFailureKind},
};
use tokio::{runtime::Handle, sync::mpsc, time::timeout};

use crate::{
    arguments::{ExtraArguments, command_line},
    config::{BrowserUser, EngineConfig, InvalidConfig},
    failure::failure,
    handle::ChromiumHandle,
    page_hooks::PageHooks,
    process::BrowserProcess,
    profile::Profile,
    run::Run,
    stderr_tail::StderrTail,
    user_agent::{InstalledBrowser, UserAgent},
};

const STEP: &str = "starting the browser";

/// Chromium's exit code for a profile that another process uses.
const PROFILE_IN_USE: i32 = 21;

/// Runs WhatsApp Web in Chromium, a browser for each session.
pub struct ChromiumEngine {
    config: EngineConfig,
    extra: ExtraArguments,
    user: BrowserUser,
    hooks: Arc<PageHooks>,
    browser: Arc<InstalledBrowser>,
}

impl ChromiumEngine {
    /// Checks the configuration; starts nothing yet.
    pub fn new(config: EngineConfig) -> Result<Self, InvalidConfig> {
        if !matches!(config.whatsapp_web_url.scheme(), "http" | "https") {
            return Err(InvalidConfig::Address(config.whatsapp_web_url));
        }
        let extra = ExtraArguments::check(&config.extra_args, &config.whatsapp_web_url)?;
        let user = BrowserUser::find(&config.run_as)?;
        let hooks = Arc::new(config.page_hooks.clone());
        let browser =
            Arc::new(InstalledBrowser::new(config.chromium.clone(), user, config.deadlines.launch));
        if let Ok(runtime) = Handle::try_current() {
            let browser = browser.clone();
            // So that the first session need not wait; what fails is told to it.
            runtime.spawn(async move { browser.user_agent().await.map(drop) });
        }
        Ok(Self { config, extra, user, hooks, browser })
    }

    async fn launch(
        &self,
        profile: &Profile,
        user_agent: &UserAgent,
    ) -> Result<(BrowserProcess, StderrTail, String), EngineFailure> {
        let failed = |kind, message: String| failure(kind, STEP, message);
        let folder = profile.folder();
        let arguments = command_line(&self.extra, folder, &user_agent.header());
        let started = BrowserProcess::start(
            &self.config.chromium,
            arguments,
            folder,
            profile.temporary(),
            self.user,
        );
        let (process, stderr) = started.await.map_err(|error| {
            failed(
                EngineFailureKind::LaunchFailed,
                format!("{} can't be started: {error}", self.config.chromium.display()),
            )
        })?;
        let (stderr, address) = StderrTail::read(stderr);
        let answer = timeout(self.config.deadlines.launch, async {
            tokio::select! {
                Ok(address) = address => Ok(address),
                status = process.ended() => Err(status),
            }
        });
        match answer.await {
            Ok(Ok(address)) => Ok((process, stderr, address)),
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
                    "the browser told no debugging address within {:?}: {}",
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
        let deadlines = self.config.deadlines;
        let profile = Profile::take(&self.config.profiles_dir, session, self.user);
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
            hooks: self.hooks.clone(),
            deadlines,
            events,
        };
        Ok(Box::new(ChromiumHandle::new(run.begin(), deadlines, self.hooks.clone())))
    }

    async fn wipe_profile(&self, session: &SessionName) -> Result<(), EngineFailure> {
        let profile = Profile::take(&self.config.profiles_dir, session, self.user).await?;
        let wiped = tokio::task::spawn_blocking(move || profile.wipe()).await;
        wiped.unwrap_or_else(|error| {
            Err(failure(EngineFailureKind::Other, "removing the browser profile", error))
        })
    }
}
