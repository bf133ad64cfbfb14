//! Ends whatever is below this process, where no namespace does it: orphans
//! come to us, because outer and inner are subreapers.

use std::{
    fs,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, getpid},
};

/// Processes die within milliseconds of being killed, except those in
/// uninterruptible sleep, for which nothing can be done.
const LONGEST: Duration = Duration::from_secs(2);

const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Kills children, and theirs as they come to us, until there are none.
pub(crate) fn end_all() {
    let until = Instant::now() + LONGEST;
    while Instant::now() < until {
        for child in children_of(getpid()) {
            // It may have ended meanwhile; it is ours, so its number is still its own.
            let _ = kill(child, Signal::SIGKILL);
        }
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Err(Errno::ECHILD) => return,
                Ok(WaitStatus::StillAlive) | Err(_) => break,
                Ok(_) => {}
            }
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn children_of(parent: Pid) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.map(Pid::from_raw).filter(|id| parent_of(*id) == Some(parent)).collect()
}

fn parent_of(id: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // Its name, in parentheses, may hold anything.
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_whitespace().nth(1)?.parse().ok().map(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_found_by_its_parent() {
        let mut child = std::process::Command::new("/bin/sleep").arg("600").spawn().unwrap();
        let id = Pid::from_raw(child.id().cast_signed());
        assert_eq!(parent_of(id), Some(getpid()));
        assert!(children_of(getpid()).contains(&id));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!children_of(getpid()).contains(&id));
    }
}
