//! Starting the browser, and its status when it has ended.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::process::CommandExt,
    },
    process::{Command, Stdio},
};

use nix::{
    errno::Errno,
    fcntl::OFlag,
    sys::{
        prctl::set_pdeathsig,
        signal::Signal,
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, dup2_raw, pipe2},
};
use pairing_failpoints::failpoint;
use tokio::net::unix::pipe;

use crate::wire::{Browser, Order};

/// Where the browser reads its debugger's messages, and writes its own.
const READS_AT: i32 = 3;
const WRITES_AT: i32 = 4;

/// The browser's main process.
pub(crate) struct Main(Pid);

/// Gives its pipe's ends beside it.
pub(crate) fn start(
    order: &Order,
    browser: &Browser,
) -> io::Result<(Main, pipe::Sender, pipe::Receiver)> {
    // Not blocking is only our ends' affair.
    let (reads, to_browser) = pipe2(OFlag::O_CLOEXEC)?;
    let (from_browser, writes) = pipe2(OFlag::O_CLOEXEC)?;
    let group = order.memory_group.as_ref().map(|group| {
        let list = group.join("cgroup.procs");
        let opened = File::options().write(true).open(&list);
        opened.map_err(|error| io::Error::other(format!("{}: {error}", list.display())))
    });
    let group = group.transpose()?;

    let mut command = Command::new(&browser.program);
    command.args(&browser.arguments).current_dir(&browser.folder);
    command.env_clear().envs(browser.environment.iter().map(|(name, value)| (name, value)));
    // Its standard error is ours, which the host reads.
    command.stdin(Stdio::null()).stdout(Stdio::null()).process_group(0);
    if let Some((uid, gid)) = browser.user {
        // Drops root's further groups too.
        command.uid(uid).gid(gid);
    }
    debug_assert!(reads.as_raw_fd() > WRITES_AT, "the numbers are reserved at the start");
    become_browser(&mut command, reads, writes, group);
    failpoint!("browser.spawn");
    let id = Pid::from_raw(command.spawn()?.id().cast_signed());
    let to_browser = pipe::Sender::from_owned_fd(to_browser)?;
    Ok((Main(id), to_browser, pipe::Receiver::from_owned_fd(from_browser)?))
}

/// What can be done only between fork and exec.
#[expect(
    unsafe_code,
    reason = "the pipe's ends need these numbers, and the rest must come after the change of user or hold for the browser's very first child; plain system calls alone"
)]
fn become_browser(command: &mut Command, reads: OwnedFd, writes: OwnedFd, group: Option<File>) {
    // SAFETY: dup2, write and prctl are async-signal-safe, nothing is allocated,
    // and nobody owns the two numbers in the child.
    unsafe {
        command.pre_exec(move || {
            for (end, place) in [(&reads, READS_AT), (&writes, WRITES_AT)] {
                std::mem::forget(dup2_raw(end.as_fd(), place)?);
            }
            if let Some(group) = &group {
                // The file was opened with our rights, and "0" is who writes it.
                nix::unistd::write(group, b"0")?;
            }
            Ok(set_pdeathsig(Signal::SIGKILL)?)
        });
    }
}

impl Main {
    /// Takes note of ended processes: those of the browser, and orphans, which come
    /// to us. Gives the main process's status once it has ended.
    pub(crate) fn reap(&self) -> Option<i32> {
        let mut main = None;
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(id, code)) if id == self.0 => main = Some(code << 8),
                Ok(WaitStatus::Signaled(id, signal, dumped)) if id == self.0 => {
                    main = Some(signal as i32 | if dumped { 0x80 } else { 0 });
                }
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return main,
                Ok(_) | Err(_) => {}
            }
        }
    }
}
