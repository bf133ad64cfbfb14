//! The user agent: that of the installed version, without the word `Headless`.

use std::{path::Path, process::Stdio, time::Duration};

use chromiumoxide::cdp::browser_protocol::emulation::{
    SetUserAgentOverrideParams, UserAgentBrandVersion, UserAgentMetadata,
};
use pairing_core::workflow::{EngineFailure, EngineFailureKind};

use crate::{config::BrowserUser, failure::failure};

const STEP: &str = "asking the browser for its version";

/// What the browser calls itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserAgent {
    /// As `156.0.8078.79`.
    version: String,
    major: String,
}

impl UserAgent {
    /// Asks the browser for its version; it answers before it starts anything.
    pub(crate) async fn of(chromium: &Path, user: BrowserUser, deadline: Duration) -> Result<Self, EngineFailure> {
        let failed = |message: String| failure(EngineFailureKind::LaunchFailed, STEP, message);
        let mut command = tokio::process::Command::new(chromium);
        command.arg("--product-version").env_clear().env("PATH", crate::process::SEARCH_PATH).env("HOME", "/").current_dir("/");
        command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        if user.is_other {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        let output = tokio::time::timeout(deadline, command.output())
            .await
            .map_err(|_| failed(format!("no answer within {deadline:?}")))?
            .map_err(|error| {
                failed(format!("{} can't be started: {error}; install the package `chromium` or name another browser", chromium.display()))
            })?;
        Self::parse(&String::from_utf8_lossy(&output.stdout))
            .ok_or_else(|| failed(format!("{} did not tell a version", chromium.display())))
    }

    fn parse(text: &str) -> Option<Self> {
        let version = text.split_whitespace().find(|word| {
            word.split('.').count() == 4 && word.chars().all(|c| c.is_ascii_digit() || c == '.')
        })?;
        let major = version.split('.').next()?;
        Some(Self { version: version.into(), major: major.into() })
    }

    /// Chromium tells no minor version here, so neither do we.
    pub(crate) fn header(&self) -> String {
        format!(
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36",
            self.major
        )
    }

    /// The header and the client hints, which must tell the same.
    pub(crate) fn as_override(&self) -> SetUserAgentOverrideParams {
        let brands = |version: &str| {
            vec![
                UserAgentBrandVersion { brand: "Chromium".into(), version: version.into() },
                UserAgentBrandVersion { brand: "Not)A;Brand".into(), version: "24".into() },
            ]
        };
        SetUserAgentOverrideParams {
            user_agent: self.header(),
            accept_language: Some("en-US,en".into()),
            platform: Some("Linux x86_64".into()),
            user_agent_metadata: Some(UserAgentMetadata {
                brands: Some(brands(&self.major)),
                full_version_list: Some(brands(&self.version)),
                platform: "Linux".into(),
                platform_version: String::new(),
                architecture: "x86".into(),
                model: String::new(),
                mobile: false,
                bitness: Some("64".into()),
                wow64: Some(false),
                form_factors: None,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_hints_tell_the_installed_version() {
        let agent = UserAgent::parse("156.0.8078.79\n").unwrap();
        assert!(agent.header().contains("Chrome/156.0.0.0 "));
        assert!(!agent.header().contains("Headless"));
        let hints = agent.as_override().user_agent_metadata.unwrap();
        assert_eq!(hints.brands.unwrap()[0].version, "156");
        assert_eq!(hints.full_version_list.unwrap()[0].version, "156.0.8078.79");
        assert_eq!(UserAgent::parse("Chromium 156.0.8078.79 built on Debian").unwrap(), agent);
        assert_eq!(UserAgent::parse("command not found"), None);
    }
}
