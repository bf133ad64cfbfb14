//! The outer process: enters the namespaces by its child, and stays only to wait
//! for it, to pass its end on, and to hold what must be held until then.

use std::{
    fs::File,
    io,
    os::{fd::AsFd, unix::net::UnixStream},
    process::ExitCode,
};

use nix::{
    errno::Errno,
    fcntl::OFlag,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        prctl::{set_child_subreaper, set_dumpable, set_name, set_pdeathsig},
        resource::{Resource, setrlimit},
        signal::{SigSet, Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{ForkResult, Pid, dup2_stdin, fork, pipe2, setsid},
};

use crate::{
    descendants, inner, isolation,
    wire::{Order, Task, ToHost, line, receive_order},
};

/// What the hidden command of the host's program does; the control socket is its
/// standard input. Must be called before the process has a second thread.
pub fn run() -> ExitCode {
    match sentinel() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("sentinel: {error}");
            ExitCode::FAILURE
        }
    }
}

fn sentinel() -> io::Result<ExitCode> {
    close_at_exec()?;
    // The browser's pipe will have these two numbers; so nothing else does.
    let _reserved = [File::open("/dev/null")?, File::open("/dev/null")?];
    let control = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    dup2_stdin(File::open("/dev/null")?)?;
    let (order, lock) = receive_order(&control)?;
    set_name(c"sentinel")?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;

    if order.with_namespaces {
        if let Err(why) = isolation::unshare_for_child() {
            return refused(&control, &order, why);
        }
    } else {
        set_child_subreaper(true)?;
    }
    let ours = SigSet::from_iter([Signal::SIGCHLD, Signal::SIGTERM]);
    ours.thread_block()?;
    // Inner sees by it whether we ended before it could ask the kernel to tell.
    let (life, held) = pipe2(OFlag::O_CLOEXEC)?;
    #[expect(unsafe_code, reason = "one child must be the first process of the namespace")]
    // SAFETY: the process has one thread, so the child may do what it likes.
    let forked = unsafe { fork() }?;
    match forked {
        ForkResult::Child => {
            drop(held);
            let code = begin_inner(&order, control, life.as_fd(), &ours);
            // Held by both, so that it is free when the last of them has ended.
            drop(lock);
            code
        }
        ForkResult::Parent { child } => {
            drop((control, life));
            // Others of this user are not to read what we hold.
            set_dumpable(false)?;
            let code = wait_for(child, &ours)?;
            if !order.with_namespaces {
                descendants::end_all();
            }
            if let Some(group) = &order.memory_group {
                // The host does it if we can't.
                let _ = std::fs::remove_dir(group);
            }
            drop((lock, held));
            Ok(code)
        }
    }
}

/// What the host has inherited from its own parent is not the browser's.
#[expect(unsafe_code, reason = "nothing safe can do it for files that have no owner here")]
fn close_at_exec() -> io::Result<()> {
    let flags = nix::libc::CLOSE_RANGE_CLOEXEC.cast_signed();
    // SAFETY: a flag of files, which stay open.
    let done = unsafe { nix::libc::close_range(3, u32::MAX, flags) };
    Errno::result(done).map(drop).map_err(io::Error::from)
}

fn begin_inner(
    order: &Order,
    control: UnixStream,
    life: impl AsFd,
    blocked: &SigSet,
) -> io::Result<ExitCode> {
    // Without a namespace we must end the browser ourselves.
    let last = if order.with_namespaces { Signal::SIGKILL } else { Signal::SIGTERM };
    set_pdeathsig(last)?;
    let mut parent = [PollFd::new(life.as_fd(), PollFlags::POLLIN)];
    if poll(&mut parent, PollTimeout::ZERO)? > 0 {
        return Ok(ExitCode::FAILURE);
    }
    set_name(c"sentinel-inner")?;
    setsid()?;
    if order.with_namespaces {
        if let Err(why) = isolation::mount_own() {
            return refused(&control, order, why);
        }
    } else {
        set_child_subreaper(true)?;
    }
    match &order.task {
        Task::Probe => {
            say(&control, &ToHost::Namespaces { refused: None })?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Run(browser) => {
            let ended = inner::live(order, browser, control, || blocked.thread_unblock());
            if !order.with_namespaces {
                descendants::end_all();
            }
            ended.map(|()| ExitCode::SUCCESS)
        }
    }
}

fn refused(control: &UnixStream, order: &Order, why: String) -> io::Result<ExitCode> {
    let answer = match order.task {
        Task::Probe => ToHost::Namespaces { refused: Some(why) },
        Task::Run(_) => ToHost::Failed { why },
    };
    say(control, &answer)?;
    Ok(ExitCode::FAILURE)
}

fn say(mut control: &UnixStream, message: &ToHost) -> io::Result<()> {
    io::Write::write_all(&mut control, &line(message)?)
}

/// Ends when the child has; a request to end is passed on by killing it, after
/// which the kernel has ended its whole namespace before we hear of it.
fn wait_for(child: Pid, signals: &SigSet) -> io::Result<ExitCode> {
    loop {
        if signals.wait()? == Signal::SIGTERM {
            // It is not waited for yet, so its number is still its own.
            kill(child, Signal::SIGKILL)?;
        }
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(id, code)) if id == child => {
                    return Ok(ExitCode::from(code.unsigned_abs() as u8));
                }
                Ok(WaitStatus::Signaled(id, ..)) if id == child => return Ok(ExitCode::FAILURE),
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => break,
                // An orphan that came to us.
                Ok(_) | Err(_) => {}
            }
        }
    }
}
