//! The inner process: the browser's parent and the first process of its
//! namespace. When it ends, so does everything in there.

use std::{future::pending, io, os::unix::net::UnixStream, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::unix::{OwnedReadHalf, OwnedWriteHalf},
    signal::unix::{SignalKind, signal},
    sync::oneshot,
    time::timeout,
};

use crate::{
    boot_clock::{Alarm, now},
    browser,
    door::Door,
    patience::{Due, Patience},
    pipe::{self, ToBrowser},
    wire::{Browser, Order, ToHost, ToSentinel, line},
};

/// From the host's death to the end of everything.
const ORPHANED: Duration = Duration::from_millis(900);

/// For the client to hear what the browser has said before it ended.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Lives until the browser has ended, or must. `unblock` lets signals through
/// again once they are handled.
pub(crate) fn live(
    order: &Order,
    browser: &Browser,
    control: UnixStream,
    unblock: impl FnOnce() -> nix::Result<()>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        control.set_nonblocking(true)?;
        let (read, write) = tokio::net::UnixStream::from_std(control)?.into_split();
        let mut host = Host(write);
        let mut child_ended = signal(SignalKind::child())?;
        let mut asked_to_end = signal(SignalKind::terminate())?;
        unblock()?;

        let (main, to_browser, from_browser) = match browser::start(order, browser) {
            Ok(started) => started,
            Err(error) => {
                host.say(&ToHost::Failed { why: error.to_string() }).await;
                return Ok(());
            }
        };
        // The browser is another program by now; we are not to be looked into.
        nix::sys::prctl::set_dumpable(false)?;
        let (door, listener, address) = Door::new().await?;
        let to_browser = ToBrowser::new(to_browser);
        let (first_answer, listening) = pipe::listen(from_browser, door.clone());
        let mut first_answer = Some(first_answer);

        let alarm = Alarm::new()?;
        let mut patience = Patience::new(order.deadline, order.sent);
        let mut lines = Some(BufReader::new(read).lines());
        let mut opening = Some((listener, address));
        let close = |patience: &mut Patience, until| {
            patience.closes_until(until);
            door.shut();
            to_browser.ask_to_close();
        };
        loop {
            tokio::select! {
                biased;
                _ = child_ended.recv() => {
                    if let Some(status) = main.reap() {
                        let last_words = async {
                            // It can't panic.
                            let _ = listening.await;
                            door.say_goodbye().await;
                        };
                        let _ = timeout(LAST_WORDS, last_words).await;
                        host.say(&ToHost::Ended { status }).await;
                        return Ok(());
                    }
                }
                _ = asked_to_end.recv() => return Ok(()),
                rung = alarm.rings(patience.next()) => {
                    rung?;
                    match patience.due(now()) {
                        Due::Nothing => {}
                        Due::Close => close(&mut patience, now() + order.deadline),
                        Due::Kill => return Ok(()),
                    }
                }
                line = next_line(&mut lines) => match line {
                    Some(ToSentinel::Renew { number, sent }) => {
                        patience.renew(sent, now());
                        host.say(&ToHost::Renewed { number }).await;
                    }
                    Some(ToSentinel::Close { within }) => close(&mut patience, now() + within),
                    None => {
                        lines = None;
                        close(&mut patience, now() + ORPHANED);
                    }
                },
                answered = answer(&mut first_answer) => {
                    first_answer = None;
                    if answered
                        && !patience.is_closing()
                        && let Some((listener, address)) = opening.take() {
                        door.open(listener, to_browser.clone());
                        host.say(&ToHost::Ready { address }).await;
                    }
                }
            }
        }
    })
}

struct Host(OwnedWriteHalf);

impl Host {
    async fn say(&mut self, message: &ToHost) {
        if let Ok(line) = line(message) {
            // A host that is gone is noticed by what it does not say.
            let _ = self.0.write_all(&line).await;
        }
    }
}

type HostLines = Lines<BufReader<OwnedReadHalf>>;

/// None when the host is gone, or says what nobody understands.
async fn next_line(lines: &mut Option<HostLines>) -> Option<ToSentinel> {
    match lines {
        Some(lines) => serde_json::from_str(&lines.next_line().await.ok()??).ok(),
        None => pending().await,
    }
}

/// Whether the browser has answered; if not it is ending.
async fn answer(first: &mut Option<oneshot::Receiver<()>>) -> bool {
    match first {
        Some(first) => first.await.is_ok(),
        None => pending().await,
    }
}
