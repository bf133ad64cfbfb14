//! What an engine is told at its start.

use std::{path::PathBuf, time::Duration};

use nix::unistd::{Gid, Uid, User};
use pairing_sentinel::SentinelProgram;
use url::Url;

use crate::{
    arguments::{ArgumentRefused, WHATSAPP_WEB_URL},
    liveness::Patience,
    page_hooks::PageHooks,
};

/// How browsers are started, and where their profiles are.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The browser; a script that becomes it (`exec`) is fine, one that stays its parent is not.
    pub chromium: PathBuf,
    /// Further flags, checked when the engine is made.
    pub extra_args: Vec<String>,
    /// The page.
    pub whatsapp_web_url: Url,
    /// Holds one folder for each session. The browser's user must be able to pass through its parents.
    pub profiles_dir: PathBuf,
    /// Whose processes the browsers are.
    pub run_as: RunAs,
    /// What stands beside each browser, and ends it with the host.
    pub sentinel: SentinelProgram,
    /// A browser ends when its host has not been heard of for so long.
    pub sentinel_deadline: Duration,
    /// Bytes that all processes of a browser may use together, where the machine can limit it.
    pub memory_limit: Option<u64>,
    /// How long each step may take.
    pub deadlines: Deadlines,
    /// What the page looks like inside.
    pub page_hooks: PageHooks,
}

impl EngineConfig {
    /// Debian's Chromium, the real page, `nobody` if the host is root.
    pub fn new(profiles_dir: impl Into<PathBuf>) -> Self {
        #[expect(clippy::expect_used, reason = "a constant")]
        let whatsapp_web_url = Url::parse(WHATSAPP_WEB_URL).expect("the page's address is valid");
        Self {
            chromium: "/usr/bin/chromium".into(),
            extra_args: Vec::new(),
            whatsapp_web_url,
            profiles_dir: profiles_dir.into(),
            run_as: RunAs::UserIfRoot("nobody".into()),
            sentinel: SentinelProgram::default(),
            sentinel_deadline: Duration::from_secs(45),
            memory_limit: None,
            deadlines: Deadlines::default(),
            page_hooks: PageHooks::embedded(),
        }
    }
}

/// Whose processes the browsers are. Never root's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunAs {
    /// The host's own user.
    Host,
    /// This user if the host is root, else the host's own.
    UserIfRoot(String),
}

/// How long each step may take; then the engine fails and names the step.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// From the start of the process to its first answer.
    pub launch: Duration,
    /// Each command to the browser, such as opening the page.
    pub command: Duration,
    /// From a document's begin to a code, an idle page, or a connection.
    pub boot: Duration,
    /// One question to the page, other than for a code.
    pub evaluate: Duration,
    /// The page's answer with a pairing code.
    pub code: Duration,
    /// Connected, but neither synchronised nor progressing.
    pub sync: Duration,
    /// From our logout to the page's being unlinked.
    pub log_out: Duration,
    /// From a page's last sign of life until it is asked for another.
    pub ping_every: Duration,
    /// Its answer. After two that are missing in a row the page counts as dead.
    pub ping: Duration,
    /// From a new agent in a dead page to a sign of life; then the page is reloaded.
    pub repair_agent: Duration,
    /// From a reload to a sign of life; then the engine fails.
    pub repair_reload: Duration,
    /// A page that is dead again so soon after a repair needs a rougher one.
    pub relapse: Duration,
    /// Looking at a page for evidence.
    pub look: Duration,
    /// A trial of page hooks: until every part was found.
    pub trial: Duration,
    /// How long a browser may take to close by itself.
    pub close: Duration,
}

impl Deadlines {
    /// No answer of the browser may take longer, whatever was asked.
    pub(crate) fn longest_answer(&self) -> Duration {
        self.command.max(self.code).max(self.evaluate).max(self.late_answer())
    }

    /// So late an answer still tells that the page lives.
    pub(crate) fn late_answer(&self) -> Duration {
        self.ping * 8
    }

    pub(crate) fn patience(&self) -> Patience {
        Patience {
            every: self.ping_every,
            answer: self.ping,
            agent: self.repair_agent,
            reload: self.repair_reload,
            relapse: self.relapse,
        }
    }
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            launch: Duration::from_secs(30),
            command: Duration::from_secs(15),
            boot: Duration::from_secs(60),
            evaluate: Duration::from_secs(10),
            code: Duration::from_secs(15),
            sync: Duration::from_secs(120),
            log_out: Duration::from_secs(20),
            // Dead 12 s after the last sign of life, recovered or given up 14 s later.
            ping_every: Duration::from_secs(4),
            ping: Duration::from_secs(4),
            repair_agent: Duration::from_secs(5),
            repair_reload: Duration::from_secs(9),
            relapse: Duration::from_secs(600),
            look: Duration::from_secs(1),
            trial: Duration::from_secs(30),
            close: Duration::from_secs(5),
        }
    }
}

/// A configuration with which no browser is started.
#[derive(Debug, thiserror::Error)]
pub enum InvalidConfig {
    /// A flag is not taken.
    #[error(transparent)]
    Argument(#[from] ArgumentRefused),
    /// The host is root, and no other user is named.
    #[error("the browser must not run as root: name an unprivileged user")]
    Root,
    /// No such user.
    #[error("user `{0}`, who is to run the browser, does not exist")]
    NoUser(String),
    /// The users can't be read.
    #[error("user `{0}` can't be looked up: {1}")]
    Users(String, nix::Error),
    /// Not an address of a page.
    #[error("the page's address {0} is not an http or https address")]
    Address(Url),
}

/// The user of the browsers, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BrowserUser {
    pub(crate) uid: Uid,
    pub(crate) gid: Gid,
    /// Whether the host must change to this user.
    pub(crate) is_other: bool,
}

impl BrowserUser {
    pub(crate) fn find(run_as: &RunAs) -> Result<Self, InvalidConfig> {
        let own = Self { uid: Uid::effective(), gid: Gid::effective(), is_other: false };
        if !own.uid.is_root() {
            return Ok(own);
        }
        let RunAs::UserIfRoot(name) = run_as else { return Err(InvalidConfig::Root) };
        let user = User::from_name(name)
            .map_err(|error| InvalidConfig::Users(name.clone(), error))?
            .ok_or_else(|| InvalidConfig::NoUser(name.clone()))?;
        if user.uid.is_root() {
            return Err(InvalidConfig::Root);
        }
        Ok(Self { uid: user.uid, gid: user.gid, is_other: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_never_runs_as_root() {
        for run_as in [RunAs::Host, RunAs::UserIfRoot("root".into())] {
            match BrowserUser::find(&run_as) {
                Ok(user) => assert!(!user.uid.is_root()),
                Err(error) => assert!(matches!(error, InvalidConfig::Root), "{error}"),
            }
        }
    }

    #[test]
    fn an_unknown_user_is_named() {
        if Uid::effective().is_root() {
            let error = BrowserUser::find(&RunAs::UserIfRoot("no-such-user".into())).unwrap_err();
            assert!(error.to_string().contains("no-such-user"));
        }
    }
}
