//! Asks the page whether it lives, again and again, and says what to do about
//! it. A task of its own, so that whoever is busy with the page does not take
//! its own time for the page's. What it decides by is in `liveness.rs`.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use pairing_core::evidence::RepairStep;
use serde_json::Value;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    config::Deadlines,
    liveness::{Act, Liveness, Page},
    page_link::PageLink,
};

/// What the listener to the page tells.
enum Sign {
    Life,
    Page(Page),
}

/// What it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pulse {
    Repair(RepairStep),
    Recovered,
}

/// A page's heartbeat, until it is dropped.
pub(crate) struct Heartbeat {
    signs: mpsc::UnboundedSender<Sign>,
    told: mpsc::UnboundedReceiver<Pulse>,
    page: Page,
    is_down: Arc<AtomicBool>,
    _task: AbortOnDropHandle<()>,
}

impl Heartbeat {
    pub(crate) fn of(link: PageLink, deadlines: Deadlines) -> Self {
        let (signs, heard) = mpsc::unbounded_channel();
        let (tell, told) = mpsc::unbounded_channel();
        let is_down = Arc::new(AtomicBool::new(false));
        let beating = beat(link, deadlines, heard, tell, is_down.clone());
        let _task = AbortOnDropHandle::new(tokio::spawn(beating));
        Self { signs, told, page: Page::Absent, is_down, _task }
    }

    /// The page said something; it is now of this kind.
    pub(crate) fn life(&mut self, page: Page) {
        if self.page != page {
            self.page = page;
            // The task ends only with this.
            let _ = self.signs.send(Sign::Page(page));
        }
        let _ = self.signs.send(Sign::Life);
    }

    /// The next news.
    pub(crate) async fn next(&mut self) -> Pulse {
        match self.told.recv().await {
            Some(pulse) => pulse,
            None => std::future::pending().await,
        }
    }

    /// It does not live, as far as is known.
    pub(crate) fn is_down(&self) -> bool {
        self.is_down.load(Ordering::Acquire)
    }
}

async fn beat(
    link: PageLink,
    deadlines: Deadlines,
    mut signs: mpsc::UnboundedReceiver<Sign>,
    tell: mpsc::UnboundedSender<Pulse>,
    is_down: Arc<AtomicBool>,
) {
    let begin = Instant::now();
    let mut liveness = Liveness::new(begin.elapsed(), deadlines.patience());
    let (answered, mut answers) = mpsc::unbounded_channel();
    loop {
        let act = tokio::select! {
            biased;
            Some(()) = answers.recv() => liveness.lives(begin.elapsed()),
            sign = signs.recv() => match sign {
                Some(Sign::Life) => liveness.lives(begin.elapsed()),
                Some(Sign::Page(page)) => {
                    liveness.becomes(begin.elapsed(), page);
                    None
                }
                None => return,
            },
            () = sleep(liveness.next_tick()) => liveness.tick(begin.elapsed()),
        };
        is_down.store(liveness.is_down(), Ordering::Release);
        let pulse = match act {
            None => continue,
            Some(Act::Ask) => {
                let (link, answered) = (link.clone(), answered.clone());
                tokio::spawn(async move {
                    // Without the agent's own answer there is no life: a page whose
                    // agent is gone answers too.
                    if link.ask("ping", Value::Null, deadlines.late_answer()).await.is_ok() {
                        let _ = answered.send(());
                    }
                });
                continue;
            }
            Some(Act::Repair(step)) => Pulse::Repair(step),
            Some(Act::Recovered) => Pulse::Recovered,
        };
        if tell.send(pulse).is_err() {
            return;
        }
    }
}
