//! Keeps one session's task running: starts it again when it panics, when its
//! engine's lane does, or when another writer changed its row; and lets it be for
//! a while when that happens too often.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use pairing_core::{clock::Timestamp, engine::Engine, id::SessionName, session::SessionRecord};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    commands::{CommandError, CommandMessage, Mailbox},
    engine_lane::EngineLane,
    session_task::{SessionTask, Shared, TaskEnd},
    snapshot::{SessionSnapshot, SharedSnapshot},
};

/// A task that has to be started again more often than this in [`WINDOW`] is
/// left alone for as long.
const MAX_RESTARTS: usize = 5;
const WINDOW: Duration = Duration::from_secs(600);
/// Between attempts to read the session's row.
const READ_AGAIN: Duration = Duration::from_secs(1);

pub(crate) struct Supervised {
    pub(crate) name: SessionName,
    pub(crate) shared: Arc<Shared>,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) starts: Arc<Semaphore>,
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
        mailbox: &mut mpsc::Receiver<CommandMessage>,
    ) -> SessionEnd {
        let mut restarts: Vec<Timestamp> = Vec::new();
        loop {
            match self.run_once(record, mailbox).await {
                RunEnd::Task(TaskEnd::Deleted) => return SessionEnd::Deleted,
                RunEnd::HostStopping => return SessionEnd::HostStopping,
                RunEnd::Task(TaskEnd::Overtaken) | RunEnd::Panicked => {}
            }
            record = match self.read().await {
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
        self.snapshot.store(record.map(|record| Arc::new(SessionSnapshot::new(record, None))));
    }

    async fn run_once(
        &self,
        record: Option<SessionRecord>,
        mailbox: &mut mpsc::Receiver<CommandMessage>,
    ) -> RunEnd {
        let (lane, driver) =
            EngineLane::open(self.engine.clone(), self.name.clone(), self.starts.clone());
        // Ends by itself, engine and all, when the task drops its lane.
        let mut driver = self.tasks.spawn(driver);
        let task = SessionTask::new(
            self.shared.clone(),
            self.name.clone(),
            record,
            lane,
            self.snapshot.clone(),
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
    async fn read(&self) -> Option<Option<SessionRecord>> {
        loop {
            let read = tokio::select! {
                read = self.shared.store.sessions() => read,
                () = self.stopping.cancelled() => return None,
            };
            match read {
                Ok(records) => {
                    return Some(records.into_iter().find(|record| record.name == self.name));
                }
                Err(error) => {
                    tracing::warn!(session.name = %self.name, %error, "the session could not be read; trying again");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(READ_AGAIN) => {}
                () = self.stopping.cancelled() => return None,
            }
        }
    }
}
