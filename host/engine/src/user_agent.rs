//! The user agent: that of the installed version, without the word `Headless`.

use std::{
    fs,
    path::PathBuf,
    process::Stdio,
    time::{Duration, SystemTime},
};

use chromiumoxide::{Command, Method, types::MethodId};
use pairing_core::workflow::{EngineFailure, EngineFailureKind};
use pairing_failpoints::failpoint;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::{config::BrowserUser, failure::failure};

const STEP: &str = "asking the browser for its version";

/// The installed browser; asked for its version once, and again only after it
/// was replaced.
#[derive(Debug)]
pub(crate) struct InstalledBrowser {
    chromium: PathBuf,
    user: BrowserUser,
    deadline: Duration,
    known: Mutex<Option<(SystemTime, UserAgent)>>,
}

impl InstalledBrowser {
    pub(crate) fn new(chromium: PathBuf, user: BrowserUser, deadline: Duration) -> Self {
        Self { chromium, user, deadline, known: Mutex::new(None) }
    }

    pub(crate) async fn user_agent(&self) -> Result<UserAgent, EngineFailure> {
        let mut known = self.known.lock().await;
        let modified = fs::metadata(&self.chromium)
            .and_then(|file| file.modified())
            .unwrap_or(SystemTime::UNIX_EPOCH);
        if let Some((at, agent)) = known.as_ref()
            && *at == modified
        {
            return Ok(agent.clone());
        }
        let agent = self.ask().await?;
        *known = Some((modified, agent.clone()));
        Ok(agent)
    }

    /// It answers before it starts anything.
    async fn ask(&self) -> Result<UserAgent, EngineFailure> {
        let chromium = self.chromium.display();
        let failed = |message: String| failure(EngineFailureKind::LaunchFailed, STEP, message);
        failpoint!("engine.version.spawn", failed);
        let mut command = tokio::process::Command::new(&self.chromium);
        command
            .arg("--product-version")
            .env_clear()
            .env("PATH", crate::custody::SEARCH_PATH)
            .env("HOME", "/")
            .current_dir("/");
        command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        if self.user.is_other {
            command.uid(self.user.uid.as_raw()).gid(self.user.gid.as_raw());
        }
        let output = tokio::time::timeout(self.deadline, command.output())
            .await
            .map_err(|_| failed(format!("no answer within {:?}", self.deadline)))?
            .map_err(|error| failed(format!("{chromium} can't be started: {error}; install the package `chromium` or name another browser")))?;
        UserAgent::parse(&String::from_utf8_lossy(&output.stdout))
            .ok_or_else(|| failed(format!("{chromium} did not tell a version")))
    }
}

/// What the browser calls itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserAgent {
    /// As `156.0.8078.79`.
    version: String,
    major: usize,
}

impl UserAgent {
    fn parse(text: &str) -> Option<Self> {
        let version = text.split_whitespace().find(|word| {
            word.split('.').count() == 4 && word.chars().all(|c| c.is_ascii_digit() || c == '.')
        })?;
        let major = version.split('.').next()?.parse().ok()?;
        Some(Self { version: version.into(), major })
    }

    /// Chromium tells no minor version here, so neither do we.
    pub(crate) fn header(&self) -> String {
        format!(
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36",
            self.major
        )
    }

    /// The header and the client hints, which must tell the same.
    pub(crate) fn as_override(&self) -> UserAgentOverride {
        UserAgentOverride(json!({
            "userAgent": self.header(),
            "acceptLanguage": "en-US,en",
            "platform": "Linux x86_64",
            "userAgentMetadata": {
                "brands": self.brands(&self.major.to_string(), ""),
                "fullVersionList": self.brands(&self.version, ".0.0.0"),
                "fullVersion": self.version,
                "platform": "Linux",
                "platformVersion": "",
                "architecture": "x86",
                "bitness": "64",
                "model": "",
                "mobile": false,
                "wow64": false,
                "formFactors": ["Desktop"],
            },
        }))
    }

    /// Chromium's own brand, and beside it one that it makes up for each major
    /// version, so that no site relies on a fixed list: a copy of its rule.
    fn brands(&self, version: &str, made_up_end: &str) -> [Value; 2] {
        const SIGNS: [&str; 11] = [" ", "(", ":", "-", ".", "/", ")", ";", "=", "?", "_"];
        const VERSIONS: [&str; 3] = ["8", "99", "24"];
        let sign = |place: usize| SIGNS[place % SIGNS.len()];
        let made_up = json!({
            "brand": format!("Not{}A{}Brand", sign(self.major), sign(self.major + 1)),
            "version": format!("{}{made_up_end}", VERSIONS[self.major % VERSIONS.len()]),
        });
        let own = json!({"brand": "Chromium", "version": version});
        if self.major.is_multiple_of(2) { [made_up, own] } else { [own, made_up] }
    }
}

/// `Emulation.setUserAgentOverride`; the library's own lacks `fullVersion`,
/// which the page would then see as empty.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct UserAgentOverride(Value);

impl Method for UserAgentOverride {
    fn identifier(&self) -> MethodId {
        "Emulation.setUserAgentOverride".into()
    }
}

impl Command for UserAgentOverride {
    type Response = Value;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_hints_tell_the_installed_version() {
        let agent = UserAgent::parse("156.0.8078.79\n").unwrap();
        assert!(agent.header().contains("Chrome/156.0.0.0 "));
        assert!(!agent.header().contains("Headless"));
        let hints = &agent.as_override().0["userAgentMetadata"];
        // As Debian's Chromium 156 says of itself.
        assert_eq!(
            hints["brands"],
            json!([{"brand": "Not:A-Brand", "version": "8"}, {"brand": "Chromium", "version": "156"}])
        );
        assert_eq!(
            hints["fullVersionList"][0],
            json!({"brand": "Not:A-Brand", "version": "8.0.0.0"})
        );
        assert_eq!(
            hints["fullVersionList"][1],
            json!({"brand": "Chromium", "version": "156.0.8078.79"})
        );
        assert_eq!(UserAgent::parse("Chromium 156.0.8078.79 built on Debian").unwrap(), agent);
        assert_eq!(UserAgent::parse("command not found"), None);
    }
}
