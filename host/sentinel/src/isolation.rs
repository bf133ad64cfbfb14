//! The namespaces that a browser lives in.

use std::{fmt, fs, io, time::Duration};

use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    unistd::{Gid, Uid},
};

use crate::host::SentinelProgram;

/// More than Debian's start script for Chromium wants to see free; no more is
/// used than is written, and that counts against the memory limit.
const SHARED_MEMORY: &str = "mode=1777,size=4g";

/// What keeps a browser's processes together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Isolation {
    /// PID and mount namespaces: the kernel ends all with the first process.
    Namespaces,
    /// The kernel refuses namespaces; a process group, and a parent to which orphans come.
    ProcessGroup {
        /// What was refused.
        because: String,
    },
}

impl Isolation {
    /// Tries it out, with a sentinel that starts no browser.
    pub async fn probe(program: &SentinelProgram) -> io::Result<Self> {
        crate::host::probe(program, Duration::from_secs(10)).await
    }
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespaces => f.write_str("PID and mount namespaces of its own"),
            Self::ProcessGroup { because } => {
                write!(f, "a process group with a subreaper ({because})")
            }
        }
    }
}

/// Has the next child be the first process of new namespaces.
pub(crate) fn unshare_for_child() -> Result<(), String> {
    let said = |what: &'static str| move |error| format!("{what}: {error}");
    let namespaces = CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS;
    let (uid, gid) = (Uid::effective(), Gid::effective());
    if uid.is_root() {
        return unshare(namespaces).map_err(said("new namespaces"));
    }
    unshare(CloneFlags::CLONE_NEWUSER | namespaces).map_err(said("a new user namespace"))?;
    // We and the browser stay who we are.
    let write = |path: &str, text: String| {
        fs::write(path, text).map_err(|error| format!("{path}: {error}"))
    };
    write("/proc/self/setgroups", "deny".into())?;
    write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
    write("/proc/self/gid_map", format!("{gid} {gid} 1"))
}

/// Called by the first process of the namespaces: mounts that end with them.
pub(crate) fn mount_own() -> Result<(), String> {
    let no_type = None::<&str>;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(no_type, "/", no_type, private, no_type)
        .map_err(|error| format!("making mounts private: {error}"))?;
    let quiet = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("proc"), "/proc", Some("proc"), quiet | MsFlags::MS_NOEXEC, no_type)
        .map_err(|error| format!("mounting /proc: {error}"))?;
    // Without it a killed browser may leave files in that of all.
    mount(Some("shm"), "/dev/shm", Some("tmpfs"), quiet, Some(SHARED_MEMORY))
        .map_err(|error| format!("mounting /dev/shm: {error}"))
}
