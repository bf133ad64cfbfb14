//! A memory limit for each browser, by control groups, where the machine lets us
//! make them.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Our groups are named by it, the host's process number, and a number.
const PREFIX: &str = "pairing-";

/// The place of the host itself, where a group that has groups may not have processes.
const HOST_LEAF: &str = "host";

/// Where groups can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryLimits {
    parent: PathBuf,
    version: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl MemoryLimits {
    /// Looks where this process may make groups, and removes what earlier hosts
    /// have left there. An error says why there is no place.
    pub fn find() -> Result<Self, String> {
        let groups = fs::read_to_string("/proc/self/cgroup")
            .map_err(|error| format!("/proc/self/cgroup: {error}"))?;
        let found = Self::look(&groups, Path::new("/sys/fs/cgroup"))?;
        found.sweep();
        // Whether it can be written is seen by doing it.
        found.group(1 << 40).map_err(|error| format!("{}: {error}", found.parent.display()))?;
        Ok(found)
    }

    /// `groups` is as in `/proc/self/cgroup`; the host is in all of them.
    fn look(groups: &str, root: &Path) -> Result<Self, String> {
        let mut unified = None;
        for line in groups.lines() {
            let mut parts = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
            if controllers.split(',').any(|controller| controller == "memory") {
                let parent = existing(&root.join("memory"), path);
                return Ok(Self { parent, version: Version::One });
            }
            if controllers.is_empty() {
                unified = Some(path);
            }
        }
        let path = unified.ok_or("this process is in no control group")?;
        let own = existing(root, path);
        let parent = if own.ends_with(HOST_LEAF) && has_memory(&own, "cgroup.controllers") {
            own.parent().unwrap_or(&own).to_owned()
        } else {
            own
        };
        if !has_memory(&parent, "cgroup.controllers") {
            return Err(format!(
                "the memory controller is not given to {}; under systemd, set Delegate=memory for the service",
                parent.display()
            ));
        }
        let limits = Self { parent, version: Version::Two };
        limits.give_controller().map_err(|error| {
            format!(
                "{}: {error}; under systemd, set Delegate=memory for the service",
                limits.parent.display()
            )
        })?;
        Ok(limits)
    }

    /// Groups may limit memory only if the group above gives them the controller,
    /// for which it must have no process itself: the host moves into a leaf.
    fn give_controller(&self) -> io::Result<()> {
        if has_memory(&self.parent, "cgroup.subtree_control") {
            return Ok(());
        }
        let leaf = self.parent.join(HOST_LEAF);
        match fs::create_dir(&leaf) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let given = fs::write(leaf.join("cgroup.procs"), "0")
            .and_then(|()| fs::write(self.parent.join("cgroup.subtree_control"), "+memory"));
        if given.is_err() {
            // The group has other processes, too, say those of a shell: as it was.
            let _ = fs::write(self.parent.join("cgroup.procs"), "0");
            let _ = fs::remove_dir(leaf);
        }
        given
    }

    /// Where the groups are.
    pub fn folder(&self) -> &Path {
        &self.parent
    }

    /// Makes a group whose processes may use so many bytes together.
    pub fn group(&self, bytes: u64) -> io::Result<MemoryGroup> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = self.parent.join(format!("{PREFIX}{}-{number}", std::process::id()));
        fs::create_dir(&folder)?;
        let group = MemoryGroup { folder };
        let limit = match self.version {
            Version::One => "memory.limit_in_bytes",
            Version::Two => "memory.max",
        };
        fs::write(group.folder.join(limit), bytes.to_string())?;
        Ok(group)
    }

    /// Only those of hosts that are gone, and only empty ones can be removed.
    fn sweep(&self) {
        for entry in fs::read_dir(&self.parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let host = name
                .to_str()
                .and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse::<u32>().ok());
            if host.is_some_and(|host| !Path::new(&format!("/proc/{host}")).exists()) {
                let _ = fs::remove_dir(entry.path());
            }
        }
    }
}

impl std::fmt::Display for MemoryLimits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "by control groups in {}", self.parent.display())
    }
}

/// In a container the path may be that outside of it.
fn existing(root: &Path, path: &str) -> PathBuf {
    let path = root.join(path.trim_start_matches('/'));
    if path.exists() { path } else { root.to_owned() }
}

fn has_memory(folder: &Path, file: &str) -> bool {
    fs::read_to_string(folder.join(file))
        .is_ok_and(|list| list.split_whitespace().any(|controller| controller == "memory"))
}

/// A group for one browser. Dropping it removes it, if it is empty.
#[derive(Debug)]
pub struct MemoryGroup {
    folder: PathBuf,
}

impl MemoryGroup {
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes it, after its last processes have ended, if they do soon.
    pub(crate) async fn remove(self) {
        for _ in 0..40 {
            match fs::remove_dir(&self.folder) {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
                // The sentinel may have done it.
                _ => return,
            }
        }
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN_ONE: &str = "9:name=systemd:/\n4:memory:/outer/inner\n0::/\n";
    const OWN_TWO: &str = "0::/system.slice/pairing.service\n";

    #[test]
    fn the_old_hierarchy_is_found_by_its_controller_and_in_a_container_by_its_root() {
        let root = tempfile::tempdir().unwrap();
        let place =
            |path: &str| MemoryLimits { parent: root.path().join(path), version: Version::One };
        fs::create_dir_all(root.path().join("memory")).unwrap();
        assert_eq!(MemoryLimits::look(OWN_ONE, root.path()).unwrap(), place("memory"));
        fs::create_dir_all(root.path().join("memory/outer/inner")).unwrap();
        assert_eq!(MemoryLimits::look(OWN_ONE, root.path()).unwrap(), place("memory/outer/inner"));
    }

    #[test]
    fn in_the_new_hierarchy_the_host_moves_into_a_leaf_where_memory_is_delegated() {
        let root = tempfile::tempdir().unwrap();
        let own = root.path().join("system.slice/pairing.service");
        fs::create_dir_all(own.join("host")).unwrap();
        let why = MemoryLimits::look(OWN_TWO, root.path()).unwrap_err();
        assert!(why.contains("Delegate=memory"), "{why}");
        fs::write(own.join("cgroup.controllers"), "cpu memory pids").unwrap();
        let limits = MemoryLimits::look(OWN_TWO, root.path()).unwrap();
        assert_eq!(limits, MemoryLimits { parent: own.clone(), version: Version::Two });
        assert_eq!(fs::read_to_string(own.join("host/cgroup.procs")).unwrap(), "0");
        assert_eq!(fs::read_to_string(own.join("cgroup.subtree_control")).unwrap(), "+memory");
        // As it is for the next host in that service.
        fs::write(own.join("host/cgroup.controllers"), "memory").unwrap();
        fs::write(own.join("cgroup.subtree_control"), "memory").unwrap();
        let in_leaf = "0::/system.slice/pairing.service/host\n";
        assert_eq!(MemoryLimits::look(in_leaf, root.path()).unwrap(), limits);
        let group = limits.group(1 << 30).unwrap();
        let limit = fs::read_to_string(group.folder().join("memory.max")).unwrap();
        assert_eq!(limit, "1073741824");
    }

    #[test]
    fn groups_of_hosts_that_are_gone_are_removed() {
        let root = tempfile::tempdir().unwrap();
        let limits = MemoryLimits { parent: root.path().to_owned(), version: Version::One };
        for name in ["pairing-4194304999-0", "pairing-1-0", "others"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        limits.sweep();
        let mut left: Vec<_> =
            fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["others", "pairing-1-0"]);
    }
}
