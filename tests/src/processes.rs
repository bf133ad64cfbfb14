//! Looking at the machine's processes, by `/proc` alone.

use std::{fs, path::Path};

use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};

/// The processes that have this folder in their command line, such as all
/// browsers on profiles below it. Zombies have no command line.
pub fn browsers_on(folder: &Path) -> Vec<i32> {
    let folder = folder.to_string_lossy();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&*folder)
    })
    .collect()
}

/// Of these only the browsers themselves, which live until the engine ends them:
/// their helpers come and go.
pub fn main_browsers_on(folder: &Path) -> Vec<i32> {
    let mut pids = browsers_on(folder);
    pids.retain(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        line.contains("--user-data-dir=") && !line.contains("--type=")
    });
    // A child looks like its parent until it has become what it is to be.
    let all = pids.clone();
    pids.retain(|pid| parent_of(*pid).is_none_or(|parent| !all.contains(&parent)));
    pids.sort_unstable();
    pids
}

fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Sends a signal. A process that is gone already is fine.
pub fn kill(pid: i32, signal: Signal) {
    // The only error left is that the process is gone.
    let _ = signal::kill(Pid::from_raw(pid), signal);
}
