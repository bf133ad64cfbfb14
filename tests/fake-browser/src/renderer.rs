//! The process that a real browser would run the page in. It only has to be there,
//! with a filter of system calls, because the host looks for that.

use std::{
    io::{self, Read, Write},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
};

use nix::{
    libc,
    sys::{prctl, signal::Signal},
};

/// Starts it, and waits until its filter is in place; it ends with its standard
/// input.
pub(crate) fn start(profile: &Path) -> io::Result<Child> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("--type=renderer")
        .arg(format!("--user-data-dir={}", profile.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut said) = child.stdout.take() {
        said.read_exact(&mut [0])?;
    }
    Ok(child)
}

pub(crate) fn live() -> ExitCode {
    if prctl::set_pdeathsig(Signal::SIGKILL).is_err() || filter_calls().is_err() {
        return ExitCode::FAILURE;
    }
    if io::stdout().write_all(b"!").and_then(|()| io::stdout().flush()).is_err() {
        return ExitCode::FAILURE;
    }
    // Its end is the browser's end.
    let _ = io::stdin().read(&mut [0]);
    ExitCode::SUCCESS
}

/// A filter that lets everything through.
#[expect(unsafe_code, reason = "nothing else puts a filter in place")]
fn filter_calls() -> io::Result<()> {
    prctl::set_no_new_privs()?;
    let mut allow = [libc::sock_filter {
        code: (libc::BPF_RET | libc::BPF_K) as u16,
        jt: 0,
        jf: 0,
        k: libc::SECCOMP_RET_ALLOW,
    }];
    let program = libc::sock_fprog { len: 1, filter: allow.as_mut_ptr() };
    // SAFETY: the program and its one instruction outlive the call, which copies them.
    let done = unsafe {
        libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, std::ptr::from_ref(&program))
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
