//! Keeps one session's task running: starts it again when it panics, when its
//! engine's lane does, or when another writer changed its row; and lets it be for
//! a while when that happens too often.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use pairing_core::{clock::Timestamp, id::SessionName, session::SessionRecord};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    browser_slots::TakingUp,
    commands::{CommandError, CommandMessage, Mailbox},
    engine_lane::{EngineLane, LaneParts},
    session_task::{SessionTask, Shared, TaskEnd},
    snapshot::{SessionSnapshot, SharedSnapshot},
};

/// A task that has to be started again more often than this in [`WINDOW`] is
/// left alone for as long.
const MAX_RESTARTS: usize = 5;
const WINDOW: Duration = Duration::from_secs(600);
/// Between attempts to read the session's row.
const READ_AGAIN: Duration = Duration::from_secs(1);
/// Before callers are refused because the row can't be read.
const PATIENCE: Duration = Duration::from_millis(500);

pub(crate) struct Supervised {
    pub(crate) name: SessionName,
    pub(crate) shared: Arc<Shared>,
    pub(crate) lane: LaneParts,
    pub(crate) tasks: TaskTracker,
    pub(crate) stopping: CancellationToken,
    pub(crate) snapshot: SharedSnapshot,
}

/// Why a session needs no task any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SessionEnd {
    Deleted,
    HostStopping,
}

/// How one run of the task ended.
enum RunEnd {
    Task(TaskEnd),
    Panicked,
    HostStopping,
}

impl Supervised {
    /// When this returns neither task nor engine is left.
    pub(crate) async fn run(
        self,
        mut record: Option<SessionRecord>,
        mut taking_up: Option<TakingUp>,
        mailbox: &mut mpsc::Receiver<CommandMessage>,
    ) -> SessionEnd {
        let mut restarts: Vec<Timestamp> = Vec::new();
        loop {
            match self.run_once(record, taking_up.take(), mailbox).await {
                RunEnd::Task(TaskEnd::Deleted) => return SessionEnd::Deleted,
                RunEnd::HostStopping => return SessionEnd::HostStopping,
                RunEnd::Task(TaskEnd::Overtaken) | RunEnd::Panicked => {}
            }
            record = match self.read(mailbox).await {
                Some(record) => record,
                None => return SessionEnd::HostStopping,
            };
            // What the task showed has ended with it.
            self.show(record.as_ref());
            let now = self.shared.clock.now();
            restarts.retain(|restart| now.since(*restart) < WINDOW);
            restarts.push(now);
            metrics::counter!("session_task_restarts_total").increment(1);
            if restarts.len() > MAX_RESTARTS {
                tracing::error!(session.name = %self.name, "the session's task fails again and again; it is left alone for ten minutes");
                let again = self.shared.clock.sleep_until(now.after(WINDOW));
                let mut mailbox = Mailbox::new(mailbox);
                tokio::select! {
                    // Callers hear at once that nobody is there.
                    () = mailbox.refuse_until(again, || CommandError::Interrupted) => {}
                    () = self.stopping.cancelled() => return SessionEnd::HostStopping,
                }
                restarts.clear();
            }
        }
    }

    /// What readers see while no task has committed anything.
    pub(crate) fn show(&self, record: Option<&SessionRecord>) {
        let show = |record| Arc::new(SessionSnapshot::new(record, None, &self.lane.slots));
        self.snapshot.store(record.map(show));
    }

    async fn run_once(
        &self,
        record: Option<SessionRecord>,
        taking_up: Option<TakingUp>,
        mailbox: &mut mpsc::Receiver<CommandMessage>,
    ) -> RunEnd {
        // It was in the middle of attempts that failed.
        let detail = record.as_ref().and_then(|record| record.view.detail.as_ref());
        let is_suspect = detail.is_some_and(|detail| detail.attempt.is_some());
        let (lane, driver) = EngineLane::open(self.lane.clone(), self.name.clone(), is_suspect);
        // Ends by itself, engine and all, when the task drops its lane.
        let mut driver = self.tasks.spawn(driver);
        let task = SessionTask::new(
            self.shared.clone(),
            self.name.clone(),
            record,
            lane,
            self.snapshot.clone(),
            taking_up,
        );
        let end = tokio::select! {
            end = AssertUnwindSafe(task.run(mailbox)).catch_unwind() => match end {
                Ok(end) => RunEnd::Task(end),
                Err(_) => {
                    tracing::error!(session.name = %self.name, "the session's task panicked");
                    RunEnd::Panicked
                }
            },
            broken = &mut driver => {
                let error = broken.err().map(|error| error.to_string());
                tracing::error!(session.name = %self.name, error, "the engine's lane ended");
                return RunEnd::Panicked;
            }
            () = self.stopping.cancelled() => RunEnd::HostStopping,
        };
        if let Err(error) = driver.await {
            tracing::error!(session.name = %self.name, %error, "the engine's lane panicked");
        }
        end
    }

    /// The session's row; none when the host stops before it could be read.
    /// Meanwhile callers hear at once that nobody is there.
    async fn read(
        &self,
        mailbox: &mut mpsc::Receiver<CommandMessage>,
    ) -> Option<Option<SessionRecord>> {
        let mut mailbox = Mailbox::new(mailbox);
        let read = async {
            loop {
                match self.shared.store.sessions().await {
                    Ok(records) => {
                        return records.into_iter().find(|record| record.name == self.name);
                    }
                    Err(error) => {
                        tracing::warn!(session.name = %self.name, %error, "the session could not be read; trying again");
                        tokio::time::sleep(READ_AGAIN).await;
                    }
                }
            }
        };
        tokio::pin!(read);
        // Most often it is there in no time, and nobody need be turned away.
        let is_late = tokio::time::sleep(PATIENCE);
        tokio::select! {
            record = &mut read => return Some(record),
            () = is_late => {}
            () = self.stopping.cancelled() => return None,
        }
        tokio::select! {
            record = mailbox.refuse_until(read, || CommandError::Interrupted) => Some(record),
            () = self.stopping.cancelled() => None,
        }
    }
}
