//! One engine's life, from the started browser to its last process: attaches to
//! it, has the page listened to, and leaves nothing behind.

use std::{path::PathBuf, process::ExitStatus, sync::Arc};

use pairing_core::{
    engine::EngineEvent,
    evidence::{Evidence, RepairStep},
    id::SessionName,
    workflow::{EngineFailure, EngineFailureKind, EngineReport},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    config::Deadlines,
    custody::BrowserProcess,
    evidence::Witnesses,
    failure::failure,
    page_hooks::PageHooks,
    page_link::{Attached, PageLink},
    page_scripts::AgentMode,
    process,
    profile::Profile,
    stderr_tail::StderrTail,
    user_agent::UserAgent,
};

/// How the owner of an engine reaches it.
#[derive(Debug, Clone)]
pub(crate) struct Controls {
    pub(crate) orders: mpsc::UnboundedSender<Order>,
    pub(crate) status: watch::Receiver<Status>,
    /// Ends the engine with grace.
    pub(crate) stop: CancellationToken,
    /// Ends it at once.
    pub(crate) abandon: CancellationToken,
    /// Nothing is left of it.
    pub(crate) ended: CancellationToken,
}

pub(crate) enum Order {
    /// We are going to unlink; answers whether there is something to unlink.
    BeginLogOut(oneshot::Sender<bool>),
    /// We are going to ask for a new QR code.
    ExpectQr,
}

/// Where the page stands, for those who want to ask it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Status {
    pub(crate) link: Option<PageLink>,
    /// The document, once its agent can be asked.
    pub(crate) doc: Option<String>,
    pub(crate) step: String,
}

/// An engine whose browser runs.
pub(crate) struct Run {
    pub(crate) session: SessionName,
    pub(crate) process: BrowserProcess,
    pub(crate) stderr: StderrTail,
    pub(crate) profile: Profile,
    pub(crate) address: String,
    pub(crate) page_url: Url,
    pub(crate) user_agent: UserAgent,
    pub(crate) hooks: watch::Receiver<Arc<PageHooks>>,
    pub(crate) mode: AgentMode,
    pub(crate) deadlines: Deadlines,
    pub(crate) events: mpsc::Sender<EngineEvent>,
}

pub(crate) enum End {
    Stopped,
    Abandoned,
    Failed(EngineFailure, Box<Evidence>),
}

pub(crate) struct Inbox {
    pub(crate) orders: mpsc::UnboundedReceiver<Order>,
    pub(crate) status: watch::Sender<Status>,
    pub(crate) stop: CancellationToken,
    pub(crate) abandon: CancellationToken,
}

impl Run {
    /// Lives in a task of its own.
    pub(crate) fn begin(self) -> Controls {
        let (orders, order_inbox) = mpsc::unbounded_channel();
        let (status, status_seen) = watch::channel(Status::default());
        let (stop, abandon, ended) =
            (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());
        let inbox =
            Inbox { orders: order_inbox, status, stop: stop.clone(), abandon: abandon.clone() };
        let last = ended.clone().drop_guard();
        tokio::spawn(async move {
            self.live(inbox).await;
            drop(last);
        });
        Controls { orders, status: status_seen, stop, abandon, ended }
    }

    async fn live(self, mut inbox: Inbox) {
        let mut attached = None;
        let end = self.until_end(&mut inbox, &mut attached).await;
        inbox.status.send_replace(Status::default());
        let folder = self.profile.folder().to_owned();
        if matches!(end, End::Stopped)
            && let Some(attached) = &mut attached
        {
            let close = async {
                // It may be dying already, which comes to the same.
                let _ = attached.browser.close().await;
                self.process.ended().await
            };
            tokio::select! {
                closed = timeout(self.deadlines.close, close) => {
                    if closed.is_err() {
                        tracing::warn!(session.name = %self.session, "the browser did not close in time; it is killed");
                    }
                }
                () = inbox.abandon.cancelled() => {}
            }
        }
        self.process.kill();
        let left = self.wait_until_gone(folder).await;
        if let Some(attached) = attached {
            attached.connection.abort();
        }
        // Free before it is told, since a start may follow at once.
        drop(self.profile);
        let last_word = match end {
            End::Stopped | End::Abandoned => EngineEvent::Report(EngineReport::Stopped),
            End::Failed(failure, evidence) => {
                tracing::warn!(session.name = %self.session, %failure, "the engine failed");
                EngineEvent::Evidenced { report: EngineReport::Failed(failure), evidence }
            }
        };
        if !left.is_empty() {
            tracing::error!(session.name = %self.session, ?left, "processes of the browser can't be ended");
        }
        // The listener may be gone, or not listening any more.
        let _ = timeout(self.deadlines.close, self.events.send(last_word)).await;
    }

    async fn wait_until_gone(&self, folder: PathBuf) -> Vec<i32> {
        let deadline = self.deadlines.close * 2;
        // A process in uninterruptible sleep outlives even that.
        let _ = timeout(deadline, self.process.ended()).await;
        let left = process::end_all_that_use(&folder, deadline).await;
        if let Err(error) = self.profile.clean() {
            tracing::debug!(session.name = %self.session, %error, "the browser's marks remain until the next start");
        }
        left
    }

    async fn until_end(&self, inbox: &mut Inbox, attached: &mut Option<Attached>) -> End {
        let hooks = self.hooks.borrow().clone();
        let opening = timeout(
            self.deadlines.command * 2,
            Attached::open(
                &self.address,
                &hooks,
                self.mode,
                &self.user_agent,
                self.deadlines.longest_answer(),
            ),
        );
        let step = "attaching to the browser";
        let opened = tokio::select! {
            biased;
            () = inbox.abandon.cancelled() => return End::Abandoned,
            () = inbox.stop.cancelled() => return End::Stopped,
            status = self.process.ended() => {
                return self.failed_unseen(self.exited(step, status).await).await;
            }
            opened = opening => opened,
        };
        let page = match opened {
            Ok(Ok(opened)) => attached.insert(opened),
            Ok(Err(error)) => {
                let launch_failed = EngineFailureKind::LaunchFailed;
                return self.failed_unseen(failure(launch_failed, step, error)).await;
            }
            Err(_) => {
                let why = "the browser did not open a page in time";
                return self.failed_unseen(failure(EngineFailureKind::Deadline, step, why)).await;
            }
        };
        self.tell(inbox, EngineEvent::Report(EngineReport::Started)).await;
        self.listen(inbox, page, hooks).await
    }

    /// It failed before there was a page to look at.
    async fn failed_unseen(&self, failure: EngineFailure) -> End {
        let witnesses = Witnesses { stderr: &self.stderr, page: None };
        let (step, message) = (&failure.step, &failure.message);
        let evidence = witnesses.evidence(RepairStep::Restart, step, message).await;
        End::Failed(failure, evidence)
    }

    pub(crate) async fn exited(&self, step: &str, status: ExitStatus) -> EngineFailure {
        failure(
            EngineFailureKind::BrowserExited,
            step,
            format!("the browser ended ({status}): {}", self.stderr.last_words().await),
        )
    }

    pub(crate) async fn tell(&self, inbox: &Inbox, event: EngineEvent) {
        tokio::select! {
            // An error means that the session is gone; it stops the engine.
            _ = self.events.send(event) => {}
            () = inbox.stop.cancelled() => {}
            () = inbox.abandon.cancelled() => {}
        }
    }
}
