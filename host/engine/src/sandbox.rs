//! Looks from outside whether the browser's own sandbox is on.

use std::{fs, path::Path};

use crate::process::{command_of, users_of};

/// What turns sandbox or web rules off as a whole, or lets any local user in.
const ALWAYS_REFUSED: [&str; 5] = [
    "no-sandbox",
    "disable-web-security",
    "ignore-certificate-errors",
    "single-process",
    "remote-debugging-port",
];

/// A renderer without the sandbox, or no renderer to look at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SandboxOff {
    /// A renderer's system calls are not filtered.
    #[error(
        "renderer {0} runs without seccomp filter; allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1) and start again"
    )]
    NoFilter(i32),
    /// A process of the browser is root's.
    #[error("process {0} of the browser runs as root")]
    Root(i32),
    /// A flag that we never give was added on the way: by a start script, or
    /// in `/etc/chromium.d`.
    #[error(
        "the browser was started with --{0}, which is never allowed; look for it in /etc/chromium.d and in the script that starts the browser"
    )]
    Flag(&'static str),
    /// Nothing to look at.
    #[error("the browser has no renderer process of its own")]
    NoRenderer,
}

/// Looks at the processes of the browser with this profile.
pub(crate) fn check(profile: &Path) -> Result<(), SandboxOff> {
    let mut renderers = 0;
    for id in users_of(profile) {
        // It may end while we look.
        let Ok(status) = fs::read_to_string(format!("/proc/{id}/status")) else { continue };
        if value(&status, "Uid").is_some_and(|ids| ids.split_whitespace().any(|uid| uid == "0")) {
            return Err(SandboxOff::Root(id));
        }
        let Some(line) = command_of(id) else { continue };
        if !line.contains("--type=")
            && let Some(flag) = ALWAYS_REFUSED.into_iter().find(|flag| has_flag(&line, flag))
        {
            return Err(SandboxOff::Flag(flag));
        }
        if line.contains("--type=renderer") {
            renderers += 1;
            if value(&status, "Seccomp") != Some("2") {
                return Err(SandboxOff::NoFilter(id));
            }
        }
    }
    if renderers == 0 { Err(SandboxOff::NoRenderer) } else { Ok(()) }
}

fn has_flag(line: &str, flag: &str) -> bool {
    // A process that has renamed itself separates by spaces.
    line.split(['\0', ' ']).any(|argument| {
        argument.strip_prefix("--").is_some_and(|name| name.split('=').next() == Some(flag))
    })
}

fn value<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_found_by_its_whole_name() {
        assert!(has_flag("chromium\0--no-sandbox\0--lang=en", "no-sandbox"));
        assert!(has_flag("chromium --ignore-certificate-errors=1", "ignore-certificate-errors"));
        assert!(!has_flag(
            "chromium\0--ignore-certificate-errors-spki-list=x\0",
            "ignore-certificate-errors"
        ));
    }

    #[test]
    fn fields_of_a_status_are_read_by_their_whole_name() {
        let status =
            "Name:\tchromium\nUid:\t65534\t65534\t65534\t65534\nSeccomp:\t2\nSeccomp_filters:\t1\n";
        assert_eq!(value(status, "Seccomp"), Some("2"));
        assert_eq!(value(status, "Uid"), Some("65534\t65534\t65534\t65534"));
        assert_eq!(value(status, "Gid"), None);
    }
}
