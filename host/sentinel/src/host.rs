//! The host's side: starts a sentinel, renews its patience, and ends it.

use std::{
    fmt, io,
    os::{
        fd::{BorrowedFd, OwnedFd},
        unix::process::ExitStatusExt,
    },
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use pairing_failpoints::failpoint;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    process::{Child, ChildStderr, Command},
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    boot_clock::now,
    isolation::Isolation,
    memory::MemoryGroup,
    wire::{Browser, Order, Task, ToHost, ToSentinel, line, send_order},
};

/// How often a sentinel hears of its host.
const RENEW_EVERY: Duration = Duration::from_secs(2);

/// So many answers missing, and it is taken for dead.
const MAX_MISSING: u64 = 3;

/// Outer's time to end inner; then it is killed itself.
const KILL_HARD_AFTER: Duration = Duration::from_secs(1);

/// What is to be run as the sentinel: a program that calls [`run`](crate::run).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentinelProgram {
    pub program: PathBuf,
    pub arguments: Vec<String>,
}

impl Default for SentinelProgram {
    /// The host itself, as it was started, even if another binary lies in its place by now.
    fn default() -> Self {
        Self { program: "/proc/self/exe".into(), arguments: vec!["sentinel".into()] }
    }
}

/// A browser's start.
#[derive(Debug)]
pub struct Launch<'a> {
    pub program: &'a SentinelProgram,
    pub browser: Browser,
    pub isolation: &'a Isolation,
    /// A locked file. The lock is shared: unlocking it here unlocks it there.
    pub lock: Option<BorrowedFd<'a>>,
    /// So long after the last renewal everything ends.
    pub deadline: Duration,
    /// Removed at the end.
    pub memory: Option<MemoryGroup>,
}

/// A running sentinel. Dropping it ends all that it holds.
pub struct Sentinel {
    id: u32,
    orders: mpsc::UnboundedSender<ToSentinel>,
    state: watch::Receiver<State>,
    kill: CancellationToken,
    stderr: Option<ChildStderr>,
}

#[derive(Debug, Default)]
struct State {
    /// The browser's address, or why it could not be started.
    ready: Option<Result<Secret, String>>,
    ended: Option<ExitStatus>,
}

#[derive(Clone)]
struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Sentinel {
    /// Starts it; must be called in a runtime, which then renews it in a task.
    pub fn start(launch: Launch<'_>) -> io::Result<Self> {
        let order = Order {
            task: Task::Run(launch.browser),
            with_namespaces: *launch.isolation == Isolation::Namespaces,
            sent: now(),
            deadline: launch.deadline,
            memory_group: launch.memory.as_ref().map(|group| group.folder().to_owned()),
        };
        let (mut child, control) = spawn(launch.program, &order, launch.lock)?;
        let stderr = child.stderr.take();
        let id = child.id().unwrap_or_default();
        let (orders, inbox) = mpsc::unbounded_channel();
        let (state, seen) = watch::channel(State::default());
        let kill = CancellationToken::new();
        let attendant = Attendant {
            child,
            state,
            inbox,
            kill: kill.clone(),
            memory: launch.memory,
            missing: 0,
        };
        tokio::spawn(attendant.attend(control));
        Ok(Self { id, orders, state: seen, kill, stderr })
    }

    /// The outer process's number.
    pub fn id(&self) -> i32 {
        self.id.cast_signed()
    }

    /// What sentinel and browser write to their standard error; once.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.stderr.take()
    }

    /// Waits until the browser answers, and gives the address of its WebSocket,
    /// which is a secret; or why it could not be started. If it ends instead, only
    /// [`ended`](Self::ended) comes.
    pub async fn ready(&self) -> Result<String, String> {
        let mut state = self.state.clone();
        let told = state.wait_for(|state| state.ready.is_some()).await;
        let told = told.ok().and_then(|state| state.ready.clone());
        match told {
            Some(Ok(Secret(address))) => Ok(address),
            Some(Err(why)) => Err(why),
            None => std::future::pending().await,
        }
    }

    /// Waits until everything is gone. Gives the status of the browser's main
    /// process or, if there was none, of the sentinel.
    pub async fn ended(&self) -> ExitStatus {
        let mut state = self.state.clone();
        let ended = state.wait_for(|state| state.ended.is_some()).await;
        ended.ok().and_then(|state| state.ended).unwrap_or_else(|| ExitStatus::from_raw(0))
    }

    /// Has the browser close by itself; what is left after that time is killed.
    pub fn close(&self, within: Duration) {
        // If the other side is gone, so is the browser.
        let _ = self.orders.send(ToSentinel::Close { within });
    }

    /// Ends everything, at once.
    pub fn kill(&self) {
        self.kill.cancel();
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        self.kill();
    }
}

impl fmt::Debug for Sentinel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sentinel").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Whether namespaces can be had.
pub(crate) async fn probe(program: &SentinelProgram, within: Duration) -> io::Result<Isolation> {
    let order = Order {
        task: Task::Probe,
        with_namespaces: true,
        sent: now(),
        deadline: within,
        memory_group: None,
    };
    let (mut child, control) = spawn(program, &order, None)?;
    let answer = timeout(within, async {
        let mut lines = BufReader::new(control).lines();
        let said = lines.next_line().await?;
        child.wait().await?;
        said.ok_or_else(|| io::Error::other("the sentinel said nothing"))
    });
    // Dropping the child does not end it; the closing socket does.
    match serde_json::from_str(&answer.await??)? {
        ToHost::Namespaces { refused: None } => Ok(Isolation::Namespaces),
        ToHost::Namespaces { refused: Some(because) } => Ok(Isolation::ProcessGroup { because }),
        _ => Err(io::Error::other("the sentinel answered something else")),
    }
}

fn spawn(
    program: &SentinelProgram,
    order: &Order,
    lock: Option<BorrowedFd<'_>>,
) -> io::Result<(Child, UnixStream)> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    send_order(&ours, order, lock)?;
    ours.set_nonblocking(true)?;
    failpoint!("sentinel.spawn");
    let child = Command::new(&program.program)
        .args(&program.arguments)
        .env_clear()
        .envs(pairing_failpoints::passed_on())
        .current_dir("/")
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // What a terminal tells the host is not for it.
        .process_group(0)
        .spawn()
        .map_err(|error| {
            let program = program.program.display();
            io::Error::new(error.kind(), format!("the sentinel {program}: {error}"))
        })?;
    Ok((child, UnixStream::from_std(ours)?))
}

/// Looks after a sentinel until it has ended.
struct Attendant {
    child: Child,
    state: watch::Sender<State>,
    inbox: mpsc::UnboundedReceiver<ToSentinel>,
    kill: CancellationToken,
    memory: Option<MemoryGroup>,
    /// Renewals without an answer.
    missing: u64,
}

impl Attendant {
    async fn attend(mut self, control: UnixStream) {
        let (read, mut write) = control.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut hears = true;
        let mut browser = None;
        let mut number = 0;
        let mut ticks = interval(RENEW_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut kill_hard_at = None;
        let status = loop {
            tokio::select! {
                biased;
                line = lines.next_line(), if hears => match line {
                    Ok(Some(line)) => self.hear(&line, &mut browser),
                    _ => hears = false,
                },
                status = self.child.wait() => break status,
                () = self.kill.cancelled(), if kill_hard_at.is_none() => {
                    self.signal(Signal::SIGTERM);
                    // Were it stopped, it could not follow.
                    self.signal(Signal::SIGCONT);
                    kill_hard_at = Some(Instant::now() + KILL_HARD_AFTER);
                }
                () = sleep_until(kill_hard_at.unwrap_or_else(Instant::now)), if kill_hard_at.is_some() => {
                    self.signal(Signal::SIGKILL);
                    kill_hard_at = Some(Instant::now() + KILL_HARD_AFTER);
                }
                Some(order) = self.inbox.recv() => say(&mut write, &order).await,
                _ = ticks.tick(), if kill_hard_at.is_none() => {
                    if self.missing >= MAX_MISSING {
                        tracing::warn!(sentinel.pid = self.child.id(), "a sentinel does not answer any more; it is killed");
                        self.signal(Signal::SIGKILL);
                        kill_hard_at = Some(Instant::now() + KILL_HARD_AFTER);
                        continue;
                    }
                    number += 1;
                    self.missing += 1;
                    say(&mut write, &ToSentinel::Renew { number, sent: now() }).await;
                }
            }
        };
        // Its last words may still lie there.
        while let Ok(Some(line)) = lines.next_line().await {
            self.hear(&line, &mut browser);
        }
        if let Some(memory) = self.memory {
            memory.remove().await;
        }
        let own = status.unwrap_or_else(|_| ExitStatus::from_raw(0));
        self.state.send_modify(|state| state.ended = Some(browser.unwrap_or(own)));
    }

    fn hear(&mut self, line: &str, browser: &mut Option<ExitStatus>) {
        match serde_json::from_str(line) {
            Ok(ToHost::Renewed { .. }) => self.missing = 0,
            Ok(ToHost::Ready { address }) => {
                self.state.send_modify(|state| state.ready = Some(Ok(Secret(address))));
            }
            Ok(ToHost::Failed { why }) => {
                self.state.send_modify(|state| state.ready = Some(Err(why)));
            }
            Ok(ToHost::Ended { status }) => *browser = Some(ExitStatus::from_raw(status)),
            Ok(ToHost::Namespaces { .. }) => {}
            // The line may hold the address.
            Err(_) => {
                tracing::warn!(sentinel.pid = self.child.id(), "a sentinel's line can't be read")
            }
        }
    }

    fn signal(&self, signal: Signal) {
        // It has a number as long as nobody has waited for it.
        if let Some(id) = self.child.id() {
            let _ = kill(Pid::from_raw(id.cast_signed()), signal);
        }
    }
}

/// What can't be written is for one who has ended, which is heard of elsewhere.
async fn say(write: &mut (impl AsyncWriteExt + Unpin), order: &ToSentinel) {
    if let Ok(line) = line(order) {
        let _ = write.write_all(&line).await;
    }
}
