//! Looks from outside whether the browser's own sandbox is on.

use std::{fs, path::Path};

use crate::process::{command_of, users_of};

/// A renderer without the sandbox, or no renderer to look at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SandboxOff {
    /// A renderer's system calls are not filtered.
    #[error("renderer {0} runs without seccomp filter; allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1) and start again")]
    NoFilter(i32),
    /// A process of the browser is root's.
    #[error("process {0} of the browser runs as root")]
    Root(i32),
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
        if command_of(id).is_some_and(|line| line.contains("--type=renderer")) {
            renderers += 1;
            if value(&status, "Seccomp") != Some("2") {
                return Err(SandboxOff::NoFilter(id));
            }
        }
    }
    if renderers == 0 { Err(SandboxOff::NoRenderer) } else { Ok(()) }
}

fn value<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_status_are_read_by_their_whole_name() {
        let status = "Name:\tchromium\nUid:\t65534\t65534\t65534\t65534\nSeccomp:\t2\nSeccomp_filters:\t1\n";
        assert_eq!(value(status, "Seccomp"), Some("2"));
        assert_eq!(value(status, "Uid"), Some("65534\t65534\t65534\t65534"));
        assert_eq!(value(status, "Gid"), None);
    }
}
