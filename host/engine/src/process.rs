//! The browser's processes: started by us in a group of their own, ended with
//! the host, and never left behind.

use std::{
    fs, io,
    os::{
        fd::OwnedFd,
        unix::process::{CommandExt, ExitStatusExt},
    },
    path::Path,
    process::{Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::{
        prctl::set_pdeathsig,
        signal::{Signal, kill, killpg},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::{Pid, getpid, getppid},
};
use tokio::{
    process::ChildStderr,
    sync::{oneshot, watch},
};

use crate::config::BrowserUser;

pub(crate) const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// How often `/proc` is looked through while processes end; nothing tells when
/// a process ends that is not our child.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// The browser's main process and its group. Dropping it kills the group.
#[derive(Debug)]
pub(crate) struct BrowserProcess {
    group: Arc<Group>,
    exit: watch::Receiver<Option<ExitStatus>>,
}

#[derive(Debug)]
struct Group {
    leader: Pid,
    /// Once the leader is reaped its number may be another's.
    is_reaped: Mutex<bool>,
}

impl Group {
    fn kill(&self) {
        let is_reaped = self.is_reaped.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_reaped {
            // Fails only if there is no such group any more.
            let _ = killpg(self.leader, Signal::SIGKILL);
        }
    }
}

impl BrowserProcess {
    /// Starts the browser. Gives its standard error beside it. Without a folder for
    /// temporary files they go where all go.
    pub(crate) async fn start(
        program: &Path,
        arguments: Vec<String>,
        home: &Path,
        temporary: Option<&Path>,
        user: BrowserUser,
    ) -> io::Result<(Self, ChildStderr)> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
            .env_clear()
            .env("PATH", SEARCH_PATH)
            .env("HOME", home)
            .env("LANG", "C.UTF-8")
            .current_dir(home);
        if let Some(zone) = std::env::var_os("TZ") {
            command.env("TZ", zone);
        }
        if let Some(temporary) = temporary {
            command.env("TMPDIR", temporary);
        }
        command.process_group(0);
        if user.is_other {
            // Drops root's further groups too.
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        end_with(&mut command, getpid());

        let (started, start) = oneshot::channel();
        let (exited, exit) = watch::channel(None);
        // The kernel ends the browser with the *thread* that started it, so that
        // thread must live as long as the browser: it waits for its end.
        std::thread::Builder::new().name("browser-parent".into()).stack_size(256 * 1024).spawn(
            move || {
                let mut child = match command.spawn() {
                    Ok(child) => child,
                    Err(error) => return drop(started.send(Err(error))),
                };
                let leader = Pid::from_raw(child.id().cast_signed());
                let group = Arc::new(Group { leader, is_reaped: Mutex::new(false) });
                let stderr = child.stderr.take();
                // If nobody waits for it any more it has no owner: it ends here.
                if started.send(Ok((group.clone(), stderr))).is_err() {
                    group.kill();
                }
                while waitid(Id::Pid(leader), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT)
                    == Err(Errno::EINTR)
                {}
                // The leader is dead but not reaped, so the group's number is still
                // its own: its other processes go now.
                group.kill();
                *group.is_reaped.lock().unwrap_or_else(PoisonError::into_inner) = true;
                let status = child.wait().unwrap_or_else(|_| ExitStatus::from_raw(0));
                exited.send_replace(Some(status));
            },
        )?;
        let (group, stderr) =
            start.await.map_err(|_| io::Error::other("the starting thread ended"))??;
        let process = Self { group, exit };
        let stderr = stderr.ok_or_else(|| io::Error::other("the browser has no standard error"))?;
        Ok((process, ChildStderr::from_std(OwnedFd::from(stderr).into())?))
    }

    /// The main process's number.
    pub(crate) fn id(&self) -> i32 {
        self.group.leader.as_raw()
    }

    /// Waits for the main process's end; its group is killed then.
    pub(crate) async fn ended(&self) -> ExitStatus {
        let mut exit = self.exit.clone();
        let status = exit.wait_for(Option::is_some).await.map(|status| *status);
        // The thread sends before it ends.
        status.ok().flatten().unwrap_or_else(|| ExitStatus::from_raw(0))
    }

    pub(crate) fn kill(&self) {
        self.group.kill();
    }
}

impl Drop for BrowserProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Has the kernel kill the process when the host ends, however it ends.
#[expect(
    unsafe_code,
    reason = "only a hook between fork and exec can ask for it after the change of user, which would undo it; it makes two plain system calls"
)]
fn end_with(command: &mut Command, host: Pid) {
    // SAFETY: prctl and getppid are async-signal-safe, and nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            set_pdeathsig(Signal::SIGKILL)?;
            // The host may have ended just before.
            if getppid() == host { Ok(()) } else { Err(io::ErrorKind::NotConnected.into()) }
        });
    }
}

/// Kills all processes that were started for this profile, and waits until they
/// are gone; those that are not by then are given back. Some leave the group
/// (the crash handler), and those of a killed host have no owner at all.
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
    use crate::config::RunAs;

    #[test]
    fn a_profile_is_told_apart_from_one_whose_name_begins_alike() {
        assert!(names("chromium\0--user-data-dir=/p/one\0--lang=en", "/p/one"));
        assert!(names("handler --database=/p/one/.config/Crash Reports --x", "/p/one"));
        assert!(!names("chromium\0--user-data-dir=/p/one-more\0", "/p/one"));
        assert!(!names("vi\0/p/one/Local State", "/p/one"));
    }

    async fn start(script: &str) -> (BrowserProcess, ChildStderr) {
        let user = BrowserUser::find(&RunAs::UserIfRoot("nobody".into())).unwrap();
        let arguments = vec!["-c".into(), script.into()];
        let (shell, home) = (Path::new("/bin/sh"), Path::new("/"));
        BrowserProcess::start(shell, arguments, home, None, user).await.unwrap()
    }

    #[tokio::test]
    async fn its_children_end_with_it_and_its_status_is_told() {
        use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
        let (process, stderr) = start("sleep 600 & echo $! >&2; exit 21").await;
        let mut lines = BufReader::new(stderr);
        let mut child = String::new();
        lines.read_line(&mut child).await.unwrap();
        assert_eq!(process.ended().await.code(), Some(21));
        // The child holds standard error open: its end is the child's.
        lines.read_to_end(&mut Vec::new()).await.unwrap();
    }

    #[tokio::test]
    async fn dropping_it_ends_it_and_it_has_no_environment_and_no_root() {
        use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
        let (process, stderr) =
            start("id -u >&2; env | cut -d= -f1 | sort | tr '\\n' ' ' >&2; echo >&2; sleep 600")
                .await;
        let mut lines = BufReader::new(stderr).lines();
        assert_ne!(lines.next_line().await.unwrap().unwrap(), "0");
        let environment = lines.next_line().await.unwrap().unwrap();
        for name in environment.split_whitespace() {
            assert!(
                ["HOME", "LANG", "PATH", "PWD", "TZ", "OLDPWD", "SHLVL", "_"].contains(&name),
                "{name}"
            );
        }
        drop(process);
        lines.into_inner().read_to_end(&mut Vec::new()).await.unwrap();
    }
}
