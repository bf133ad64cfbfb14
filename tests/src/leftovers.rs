//! What a host leaves on the machine, counted after every suite.

use std::{fs, path::Path};

use crate::until;

/// What names a host's folder and should be gone with it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Command lines of processes; their namespaces live as long as they.
    pub processes: Vec<String>,
    /// Mounts of this namespace.
    pub mounts: Vec<String>,
    /// Folders and files in the profiles that only a running browser needs.
    pub files: Vec<String>,
}

impl Leftovers {
    /// Looks once.
    pub fn of(folder: &Path) -> Self {
        let name = folder.to_string_lossy().into_owned();
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let processes = pids.filter(|pid| *pid != std::process::id()).filter_map(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            // A host that goes on is not left over, nor is who watches it.
            let is_wanted = line.contains(" serve") || line.contains("--book");
            let is_browser = line.contains("--user-data-dir=") && line.contains(&name);
            (!is_wanted && (is_browser || has_open(pid, &name))).then(|| format!("{pid} {line}"))
        });
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        Self {
            processes: processes.collect(),
            mounts: mounts
                .lines()
                .filter(|line| line.contains(&name) && !line.contains("tmpfs-of-the-test"))
                .map(str::to_owned)
                .collect(),
            files: files(&folder.join("data/profiles")),
        }
    }

    /// Waits until there are none, since processes that were told to end still do
    /// so; panics with those that stay.
    pub async fn none(folder: &Path) {
        let mut last = Self::default();
        let gone = until("nothing is left of the host", async || {
            last = Self::of(folder);
            (last == Self::default()).then_some(())
        });
        if tokio::time::timeout(std::time::Duration::from_secs(30), gone).await.is_err() {
            panic!("left over: {last:#?}");
        }
    }
}

/// Whether it has a file below the folder open, such as a profile's lock.
fn has_open(pid: u32, folder: &str) -> bool {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    files
        .filter_map(|file| fs::read_link(file.path()).ok())
        .any(|file| file.to_string_lossy().starts_with(folder))
}

/// Marks and temporary folders of browsers.
fn files(profiles: &Path) -> Vec<String> {
    let entries = fs::read_dir(profiles).into_iter().flatten().flatten();
    let mut left = Vec::new();
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".removed") || name.ends_with(".sock") {
            left.push(name.clone());
        }
        if name.ends_with(".tmp") {
            let inside = fs::read_dir(entry.path()).into_iter().flatten().flatten();
            left.extend(
                inside.map(|file| format!("{name}/{}", file.file_name().to_string_lossy())),
            );
        }
        if entry.path().join("SingletonLock").symlink_metadata().is_ok() {
            left.push(format!("{name}/SingletonLock"));
        }
    }
    left
}

/// How many dead children nobody has taken note of, of this process.
pub fn zombies_of(pid: i32) -> usize {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|child| {
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        // The name in parentheses may hold anything.
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        fields.next() == Some("Z") && fields.next() == Some(&pid.to_string())
    })
    .count()
}
