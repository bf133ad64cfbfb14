//! One engine's life, from the started browser to its last process: listens to
//! page and browser, minds the deadlines, and leaves nothing behind.

use std::{path::PathBuf, pin::pin, process::ExitStatus, sync::Arc};

use futures::StreamExt;
use pairing_core::{
    engine::EngineEvent,
    id::SessionName,
    workflow::{EngineFailure, EngineFailureKind, EngineReport},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use url::Url;

use crate::{
    agent_message::{AgentMessage, News},
    config::Deadlines,
    failure::{cleared, failure},
    page_hooks::PageHooks,
    page_link::{Attached, PageLink},
    process::{self, BrowserProcess},
    profile::Profile,
    pulse::pulse,
    sandbox,
    stderr_tail::StderrTail,
    story::{Said, Story},
    user_agent::UserAgent,
    waiting::Waiting,
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
    pub(crate) hooks: Arc<PageHooks>,
    pub(crate) deadlines: Deadlines,
    pub(crate) events: mpsc::Sender<EngineEvent>,
}

enum End {
    Stopped,
    Abandoned,
    Failed(EngineFailure),
}

struct Inbox {
    orders: mpsc::UnboundedReceiver<Order>,
    status: watch::Sender<Status>,
    stop: CancellationToken,
    abandon: CancellationToken,
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
        let report = match end {
            End::Stopped | End::Abandoned => EngineReport::Stopped,
            End::Failed(failure) => {
                tracing::warn!(session.name = %self.session, %failure, "the engine failed");
                EngineReport::Failed(failure)
            }
        };
        if !left.is_empty() {
            tracing::error!(session.name = %self.session, ?left, "processes of the browser can't be ended");
        }
        // The listener may be gone, or not listening any more.
        let _ = timeout(self.deadlines.close, self.events.send(EngineEvent::Report(report))).await;
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
        let opening = timeout(
            self.deadlines.command * 2,
            Attached::open(
                &self.address,
                &self.hooks,
                &self.user_agent,
                self.deadlines.longest_answer(),
            ),
        );
        let opened = tokio::select! {
            biased;
            () = inbox.abandon.cancelled() => return End::Abandoned,
            () = inbox.stop.cancelled() => return End::Stopped,
            status = self.process.ended() => return End::Failed(self.exited("attaching to the browser", status).await),
            opened = opening => opened,
        };
        let step = "attaching to the browser";
        let page = match opened {
            Ok(Ok(opened)) => attached.insert(opened),
            Ok(Err(error)) => {
                return End::Failed(failure(EngineFailureKind::LaunchFailed, step, error));
            }
            Err(_) => {
                return End::Failed(failure(
                    EngineFailureKind::Deadline,
                    step,
                    "the browser did not open a page in time",
                ));
            }
        };
        self.say(inbox, Said::Report(EngineReport::Started)).await;
        self.listen(inbox, page).await
    }

    async fn listen(&self, inbox: &mut Inbox, attached: &mut Attached) -> End {
        let Attached { link, events, connection, .. } = attached;
        let link = link.clone();
        let mut story = Story::new(self.hooks.clone());
        let mut waiting = Waiting::default();
        let mut sandbox_is_checked = false;
        let mut why_unreachable = String::new();
        let (pulse_said, mut pulse_heard) = mpsc::unbounded_channel();
        let mut pulse = pin!(pulse(link.clone(), self.deadlines, pulse_said));
        // What becomes of it is told by events: the load of a page that goes on
        // is no measure, and one that fails shows an error page.
        let going = link.page().clone();
        let target = self.page_url.to_string();
        let going = async move { going.goto(target).await.map(drop) };
        let _going = AbortOnDropHandle::new(tokio::spawn(going));

        loop {
            let due = waiting.until(&story, &self.deadlines);
            inbox.show(&link, &story);
            let end = tokio::select! {
                biased;
                () = inbox.abandon.cancelled() => return End::Abandoned,
                () = inbox.stop.cancelled() => return End::Stopped,
                status = self.process.ended() => self.exited(&story.step(), status).await,
                Some(_) = events.crashed.next() => {
                    failure(EngineFailureKind::PageCrashed, &story.step(), "the page's process crashed")
                }
                Some(event) = events.destroyed.next() => {
                    if event.target_id != *link.page().target_id() {
                        continue;
                    }
                    failure(EngineFailureKind::PageCrashed, &story.step(), "the page was closed")
                }
                _ = &mut *connection => {
                    // Usually the browser's end, whose status says more.
                    match timeout(self.deadlines.close, self.process.ended()).await {
                        Ok(status) => self.exited(&story.step(), status).await,
                        Err(_) => failure(EngineFailureKind::BrowserExited, &story.step(), "the connection to the browser was lost"),
                    }
                }
                Some(event) = events.spoken.next() => {
                    if !link.is_spoken_by_agent(&event) {
                        continue;
                    }
                    let message: AgentMessage = match serde_json::from_str(&event.payload) {
                        Ok(message) => message,
                        Err(error) => {
                            tracing::warn!(session.name = %self.session, line = error.line(), column = error.column(), "a message of the page's agent can't be read");
                            continue;
                        }
                    };
                    self.trace(&message);
                    for said in story.hear(message) {
                        self.say(inbox, said).await;
                    }
                    if std::mem::replace(&mut sandbox_is_checked, true) {
                        continue;
                    }
                    match self.check_sandbox().await {
                        Ok(()) => continue,
                        Err(off) => failure(EngineFailureKind::LaunchFailed, "looking at the browser's sandbox", off),
                    }
                }
                Some(event) = events.loading_failed.next() => {
                    if event.r#type == chromiumoxide::cdp::browser_protocol::network::ResourceType::Document {
                        why_unreachable.clone_from(&event.error_text);
                    }
                    continue;
                }
                Some(event) = events.responded.next() => {
                    let is_page = event.r#type == chromiumoxide::cdp::browser_protocol::network::ResourceType::Document
                        && event.frame_id.as_ref().is_some_and(|frame| frame.inner() == link.page().target_id().inner());
                    if !is_page || event.response.status < 400 {
                        continue;
                    }
                    failure(EngineFailureKind::NavigationFailed, &story.step(), format!("the page's address answered {}", event.response.status))
                }
                Some(event) = events.navigated.next() => {
                    if event.frame.parent_id.is_some() || event.frame.unreachable_url.is_none() {
                        continue;
                    }
                    failure(EngineFailureKind::NavigationFailed, &story.step(), format!("{} can't be reached: {why_unreachable}", self.page_url))
                }
                Some(answered) = pulse_heard.recv() => {
                    if story.is_linked() {
                        self.say(inbox, Said::Report(EngineReport::Probe { answered })).await;
                    }
                    continue;
                }
                why = &mut pulse => failure(EngineFailureKind::PageCrashed, &story.step(), why),
                Some(order) = inbox.orders.recv() => {
                    match order {
                        Order::ExpectQr => story.expect_qr(),
                        Order::BeginLogOut(reply) => {
                            let report = story.begin_log_out();
                            // Who asked may be gone.
                            let _ = reply.send(report.is_none());
                            if let Some(report) = report {
                                self.say(inbox, Said::Report(report)).await;
                            }
                        }
                    }
                    continue;
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    let (kind, why) = story.overdue();
                    failure(kind, &story.step(), why)
                }
            };
            return End::Failed(end);
        }
    }

    async fn say(&self, inbox: &Inbox, said: Said) {
        let event = match said {
            Said::Qr { payload, begins_round } => EngineEvent::Qr { payload, begins_round },
            Said::Report(report) => EngineEvent::Report(report),
        };
        tokio::select! {
            // An error means that the session is gone; it stops the engine.
            _ = self.events.send(event) => {}
            () = inbox.stop.cancelled() => {}
            () = inbox.abandon.cancelled() => {}
        }
    }

    async fn check_sandbox(&self) -> Result<(), sandbox::SandboxOff> {
        let folder = self.profile.folder().to_owned();
        // An error means that the host's runtime ends.
        tokio::task::spawn_blocking(move || sandbox::check(&folder)).await.unwrap_or(Ok(()))
    }

    async fn exited(&self, step: &str, status: ExitStatus) -> EngineFailure {
        failure(
            EngineFailureKind::BrowserExited,
            step,
            format!("the browser ended ({status}): {}", self.stderr.last_words().await),
        )
    }

    fn trace(&self, message: &AgentMessage) {
        match &message.news {
            News::State(now) => {
                tracing::debug!(session.name = %self.session, state = %cleared(&now.state), synced = now.synced, "page state")
            }
            News::Waiting { missing } | News::QrBlocked { missing } => {
                tracing::debug!(session.name = %self.session, missing = %cleared(missing), "the page lacks parts so far");
            }
            News::Logout { event } => {
                tracing::info!(session.name = %self.session, event = %cleared(event), "the page was told that its link is gone")
            }
            News::Trouble { error } => {
                tracing::warn!(session.name = %self.session, error = %cleared(error), "trouble in the page")
            }
            _ => {}
        }
    }
}

impl Inbox {
    fn show(&self, link: &PageLink, story: &Story) {
        let doc = story.has_begun().then(|| story.doc().to_owned());
        let step = story.step();
        self.status.send_if_modified(|status| {
            let is_news = status.link.is_none() || status.doc != doc || status.step != step;
            *status = Status { link: Some(link.clone()), doc, step };
            is_news
        });
    }
}
