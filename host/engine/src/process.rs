//! Processes as the system tells of them: which are of a profile, and their end.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, getpid},
};

/// How often `/proc` is looked through while processes end; nothing tells when
/// a process ends that is not our child.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Kills all processes that were started for this profile, and waits until they
/// are gone; those that are not by then are given back. Only without namespaces
/// can there be any whose sentinel is gone.
pub(crate) async fn end_all_that_use(profile: &Path, deadline: Duration) -> Vec<i32> {
    let until = Instant::now() + deadline;
    loop {
        let users = users_of(profile);
        if users.is_empty() || Instant::now() > until {
            return users;
        }
        for user in users {
            // It may have ended meanwhile.
            let _ = kill(Pid::from_raw(user), Signal::SIGKILL);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The processes whose command line names this profile or a file in it.
pub(crate) fn users_of(profile: &Path) -> Vec<i32> {
    let own = getpid().as_raw();
    let profile = profile.to_string_lossy();
    processes()
        .filter(|id| *id != own && command_of(*id).is_some_and(|line| names(&line, &profile)))
        .collect()
}

pub(crate) fn processes() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Its command line, arguments separated by NUL; none if it has ended.
pub(crate) fn command_of(id: i32) -> Option<String> {
    let line = fs::read(format!("/proc/{id}/cmdline")).ok()?;
    (!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned())
}

/// Only in the options by which a browser names its profile: an editor that
/// has a file of it open is not ours to end.
fn names(line: &str, profile: &str) -> bool {
    // A process that has renamed itself separates by spaces.
    ["--user-data-dir=", "--database="].iter().any(|option| {
        line.split(option).skip(1).any(|rest| {
            rest.strip_prefix(profile)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['\0', ' ', '/']))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_told_apart_from_one_whose_name_begins_alike() {
        assert!(names("chromium\0--user-data-dir=/p/one\0--lang=en", "/p/one"));
        assert!(names("handler --database=/p/one/.config/Crash Reports --x", "/p/one"));
        assert!(!names("chromium\0--user-data-dir=/p/one-more\0", "/p/one"));
        assert!(!names("vi\0/p/one/Local State", "/p/one"));
    }
}
