//! Listening to a running page: what it tells becomes reports, what it should
//! have told in time becomes a failure, and where it does not answer it is repaired.

use std::sync::Arc;

use chromiumoxide::cdp::{
    browser_protocol::network::{EventResponseReceived, ResourceType},
    js_protocol::runtime::EventBindingCalled,
};
use futures::{StreamExt, stream::FuturesUnordered};
use pairing_core::{
    engine::EngineEvent,
    evidence::RepairStep,
    workflow::{EngineFailure, EngineFailureKind, EngineReport},
};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    agent_message::{AgentMessage, News},
    evidence::{PageSeen, Witnesses},
    failure::{cleared, failure},
    heartbeat::{Heartbeat, Pulse},
    liveness::Page,
    page_hooks::PageHooks,
    page_link::{Attached, PageLink},
    run::{End, Inbox, Order, Run, Status},
    sandbox,
    story::{Said, Story},
    waiting::Waiting,
};

/// The page that is listened to.
struct Heard<'a> {
    link: &'a PageLink,
    story: Story,
    /// Those of the running document's agent, or newer.
    hooks: Arc<PageHooks>,
    console: &'a crate::console_tail::ConsoleTail,
}

impl Run {
    /// Until it is told to end, or fails.
    pub(crate) async fn listen(
        &self,
        inbox: &mut Inbox,
        attached: &mut Attached,
        hooks: Arc<PageHooks>,
    ) -> End {
        let Attached { link, events, console, connection, .. } = attached;
        let link = &*link;
        let story = Story::new(hooks.clone());
        let mut heard = Heard { link, story, hooks, console };
        let mut waiting = Waiting::default();
        let mut new_hooks = self.hooks.clone();
        let mut putting = FuturesUnordered::new();
        let mut sandbox_is_checked = false;
        let mut why_unreachable = String::new();
        let mut heartbeat = Heartbeat::of(link.clone(), self.deadlines);
        // What becomes of it is told by events: the load of a page that goes on
        // is no measure, and one that fails shows an error page.
        let going = link.page.clone();
        let target = self.page_url.to_string();
        let going = async move { going.goto(target).await.map(drop) };
        let _going = AbortOnDropHandle::new(tokio::spawn(going));

        loop {
            let due = waiting.until(&heard.story, &self.deadlines);
            inbox.show(&heard);
            let step = heard.story.step();
            let end = tokio::select! {
                biased;
                () = inbox.abandon.cancelled() => return End::Abandoned,
                () = inbox.stop.cancelled() => return End::Stopped,
                status = self.process.ended() => self.exited(&step, status).await,
                Some(_) = events.crashed.next() => {
                    failure(EngineFailureKind::PageCrashed, &step, "the page's process crashed")
                }
                Some(event) = events.destroyed.next() => {
                    if event.target_id != *link.page.target_id() {
                        continue;
                    }
                    failure(EngineFailureKind::PageCrashed, &step, "the page was closed")
                }
                _ = &mut *connection => {
                    // Usually the browser's end, whose status says more.
                    match timeout(self.deadlines.close, self.process.ended()).await {
                        Ok(status) => self.exited(&step, status).await,
                        Err(_) => failure(EngineFailureKind::BrowserExited, &step, "the connection to the browser was lost"),
                    }
                }
                Some(event) = events.spoken.next() => {
                    self.hear(inbox, &mut heard, &mut heartbeat, &event).await;
                    if std::mem::replace(&mut sandbox_is_checked, true) {
                        continue;
                    }
                    match self.check_sandbox().await {
                        Ok(()) => continue,
                        Err(off) => failure(EngineFailureKind::LaunchFailed, "looking at the browser's sandbox", off),
                    }
                }
                Some(event) = events.loading_failed.next() => {
                    if event.r#type == ResourceType::Document {
                        why_unreachable.clone_from(&event.error_text);
                    }
                    continue;
                }
                Some(event) = events.responded.next() => {
                    if !is_of_page(&event, link) || event.response.status < 400 {
                        continue;
                    }
                    failure(EngineFailureKind::NavigationFailed, &step, format!("the page's address answered {}", event.response.status))
                }
                Some(event) = events.navigated.next() => {
                    if event.frame.parent_id.is_some() || event.frame.unreachable_url.is_none() {
                        continue;
                    }
                    failure(EngineFailureKind::NavigationFailed, &step, format!("{} can't be reached: {why_unreachable}", self.page_url))
                }
                pulse = heartbeat.next() => match self.heed(inbox, &heard, &heartbeat, pulse).await {
                    Some(failure) => failure,
                    None => continue,
                },
                // One change after the other. A page that hangs takes it when it can.
                Ok(()) = new_hooks.changed(), if putting.is_empty() => {
                    let hooks = new_hooks.borrow_and_update().clone();
                    putting.push(async move { (link.put_agent(&hooks).await, hooks) });
                    continue;
                }
                Some((put, hooks)) = putting.next() => {
                    match put {
                        Ok(()) => {
                            heard.story.put_hooks(hooks.clone());
                            heard.hooks = hooks;
                        }
                        Err(error) => tracing::warn!(session.name = %self.session, %error, "the page keeps its old hooks"),
                    }
                    continue;
                }
                Some(order) = inbox.orders.recv() => {
                    self.obey(inbox, &mut heard.story, order).await;
                    continue;
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    let (kind, why) = heard.story.overdue();
                    failure(kind, &step, why)
                }
            };
            let evidence = self.witnesses(&heard);
            let evidence = evidence.evidence(RepairStep::Restart, &end.step, &end.message).await;
            return End::Failed(end, evidence);
        }
    }

    async fn hear(
        &self,
        inbox: &Inbox,
        heard: &mut Heard<'_>,
        heartbeat: &mut Heartbeat,
        event: &EventBindingCalled,
    ) {
        if !heard.link.agent.is_speaking(event) {
            return;
        }
        let message: AgentMessage = match serde_json::from_str(&event.payload) {
            Ok(message) => message,
            Err(error) => {
                tracing::warn!(session.name = %self.session, line = error.line(), column = error.column(), "a message of the page's agent can't be read");
                return;
            }
        };
        self.trace(&message);
        for said in heard.story.hear(message) {
            let event = match said {
                Said::Qr { payload, begins_round } => EngineEvent::Qr { payload, begins_round },
                Said::Report(report) => EngineEvent::Report(report),
            };
            self.tell(inbox, event).await;
        }
        let is_linked = heard.story.has_begun() && heard.story.has_link();
        heartbeat.life(if is_linked { Page::Linked } else { Page::Unready });
    }

    /// What the page's heartbeat asks for; a failure if nothing else helps.
    async fn heed(
        &self,
        inbox: &Inbox,
        heard: &Heard<'_>,
        heartbeat: &Heartbeat,
        pulse: Pulse,
    ) -> Option<EngineFailure> {
        let Pulse::Repair(repair) = pulse else {
            if heard.story.has_link() {
                let lives = EngineReport::Probe { answered: true };
                self.tell(inbox, EngineEvent::Report(lives)).await;
            }
            return None;
        };
        let step = heard.story.step();
        if repair == RepairStep::Restart {
            let why = match heard.story.has_link() {
                true => "the page does not answer, and neither a new agent nor a reload helped",
                false => "the page does not answer",
            };
            return Some(failure(EngineFailureKind::PageCrashed, &step, why));
        }
        let why = match repair {
            RepairStep::Agent => "the page does not answer; its agent is put in place anew",
            _ => "the page does not answer; it is loaded anew",
        };
        tracing::warn!(session.name = %self.session, repair = repair.as_str(), %step, "the page does not answer");
        let evidence = self.witnesses(heard).evidence(repair, &step, why).await;
        let report = EngineReport::Probe { answered: false };
        self.tell(inbox, EngineEvent::Evidenced { report, evidence }).await;
        // It may have come back while it was looked at.
        if heartbeat.is_down() {
            let (link, hooks) = (heard.link.clone(), heard.hooks.clone());
            let look = self.deadlines.look;
            // Whether it helps is heard from the page.
            tokio::spawn(async move {
                match repair {
                    RepairStep::Agent => link.renew_agent(&hooks).await,
                    _ => link.reload(look).await,
                }
            });
        }
        None
    }

    async fn obey(&self, inbox: &Inbox, story: &mut Story, order: Order) {
        match order {
            Order::ExpectQr => story.expect_qr(),
            Order::BeginLogOut(reply) => {
                let report = story.begin_log_out();
                // Who asked may be gone.
                let _ = reply.send(report.is_none());
                if let Some(report) = report {
                    self.tell(inbox, EngineEvent::Report(report)).await;
                }
            }
        }
    }

    fn witnesses<'a>(&'a self, heard: &'a Heard<'_>) -> Witnesses<'a> {
        let Heard { link, story, hooks, console } = heard;
        let page = PageSeen { link, console, story, hooks, deadlines: &self.deadlines };
        Witnesses { stderr: &self.stderr, page: Some(page) }
    }

    async fn check_sandbox(&self) -> Result<(), sandbox::SandboxOff> {
        let folder = self.profile.folder().to_owned();
        // An error means that the host's runtime ends.
        tokio::task::spawn_blocking(move || sandbox::check(&folder)).await.unwrap_or(Ok(()))
    }

    fn trace(&self, message: &AgentMessage) {
        match &message.news {
            News::State(now) => {
                tracing::debug!(session.name = %self.session, state = %cleared(&now.state), synced = now.synced, "page state")
            }
            News::Waiting { missing } | News::QrBlocked { missing } => {
                tracing::debug!(session.name = %self.session, missing = %cleared(missing), "the page lacks parts so far");
            }
            News::Logout { event, .. } => {
                tracing::info!(session.name = %self.session, event = %cleared(event), "the page was told that its link is gone")
            }
            News::Trouble { error } => {
                tracing::warn!(session.name = %self.session, error = %cleared(error), "trouble in the page")
            }
            _ => {}
        }
    }
}

fn is_of_page(event: &EventResponseReceived, link: &PageLink) -> bool {
    event.r#type == ResourceType::Document
        && event
            .frame_id
            .as_ref()
            .is_some_and(|frame| frame.inner() == link.page.target_id().inner())
}

impl Inbox {
    fn show(&self, heard: &Heard<'_>) {
        let Heard { link, story, .. } = heard;
        let doc = story.has_begun().then(|| story.doc().to_owned());
        let step = story.step();
        self.status.send_if_modified(|status| {
            let is_news = status.link.is_none() || status.doc != doc || status.step != step;
            *status = Status { link: Some((*link).clone()), doc, step };
            is_news
        });
    }
}
