//! What the page has been telling so far, and what follows of it for the
//! session. Pure: messages in, reports out; no browser, no clock.

use std::sync::Arc;

use pairing_core::workflow::{EngineFailureKind, EngineReport};
use secrecy::SecretString;

use crate::{
    agent_message::{AgentMessage, News, Snapshot},
    page_hooks::{PageHooks, PageState},
};

/// What the session is told.
#[derive(Debug)]
pub(crate) enum Said {
    Qr { payload: SecretString, begins_round: bool },
    Report(EngineReport),
}

/// What the page is expected to do next; it has only so much time for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// To come to a code, an idle page or a connection.
    Boot,
    /// To be synchronised, or to progress.
    Sync,
    /// To be unlinked, as asked.
    LogOut,
    /// Nothing: it waits for people, or heals itself.
    Nothing,
}

#[derive(Debug)]
pub(crate) struct Story {
    hooks: Arc<PageHooks>,
    /// Those of the next document's agent.
    next_hooks: Option<Arc<PageHooks>>,
    doc: String,
    seq: u64,
    now: Snapshot,
    /// What keeps the document from going on, in the agent's words.
    obstacle: Option<(EngineFailureKind, String)>,
    has_begun: bool,
    /// The state has been `UNPAIRED` without a break.
    is_unpaired: bool,
    round_has_begun: bool,
    qr_is_shown: bool,
    idle_is_told: bool,
    /// A new QR code was asked for and has not come.
    qr_is_due: bool,
    passkey_is_told: bool,
    refuses_browser: bool,
    /// A phone has been seen to link this browser, or to have linked it.
    is_linked: bool,
    authenticated_is_told: bool,
    is_ready: bool,
    was_ready: bool,
    percent: Option<u8>,
    asked_to_log_out: bool,
    is_over: bool,
}

impl Story {
    pub(crate) fn new(hooks: Arc<PageHooks>) -> Self {
        Self {
            hooks,
            next_hooks: None,
            doc: String::new(),
            seq: 0,
            now: Snapshot::default(),
            obstacle: None,
            has_begun: false,
            is_unpaired: false,
            round_has_begun: false,
            qr_is_shown: false,
            idle_is_told: false,
            qr_is_due: false,
            passkey_is_told: false,
            refuses_browser: false,
            is_linked: false,
            authenticated_is_told: false,
            is_ready: false,
            was_ready: false,
            percent: None,
            asked_to_log_out: false,
            is_over: false,
        }
    }

    /// What follows from the message. After the link's end nothing does.
    pub(crate) fn hear(&mut self, message: AgentMessage) -> Vec<Said> {
        let mut said = Vec::new();
        let is_new_doc = matches!(message.news, News::Hello { .. }) && message.doc != self.doc;
        let is_next = is_new_doc || (message.doc == self.doc && message.seq > self.seq);
        if !is_next {
            return said;
        }
        self.seq = message.seq;
        let was_over = self.is_over;
        match message.news {
            News::Hello { again: true, .. } => {
                (self.doc, self.has_begun, self.obstacle) = (message.doc, false, None);
            }
            News::Hello { logged_out, reason, .. } => {
                if let Some(hooks) = self.next_hooks.take() {
                    self.hooks = hooks;
                }
                self.begin_document(message.doc, logged_out.then_some(reason), &mut said);
            }
            News::Waiting { missing } => {
                self.obstacle =
                    Some((EngineFailureKind::PageChanged, format!("the page lacks {missing}")));
            }
            News::Begun {} => {
                self.has_begun = true;
                self.obstacle = None;
            }
            News::State(now) => self.see(now, &mut said),
            News::Qr { payload } => self.show(payload, &mut said),
            News::QrBlocked { missing } => {
                self.obstacle = Some((
                    EngineFailureKind::PageChanged,
                    format!("no QR code can be made: {missing}"),
                ));
            }
            News::Progress { percent } => self.progress(percent, &mut said),
            News::Logout { reason, .. } => self.lose_link_because(&reason, false, &mut said),
            News::Passkey {} => {
                if !std::mem::replace(&mut self.passkey_is_told, true) {
                    said.push(Said::Report(EngineReport::PasskeyRequired));
                }
            }
            News::Unsupported {} => {
                if !std::mem::replace(&mut self.refuses_browser, true) {
                    said.push(Said::Report(EngineReport::ClientOutdated));
                }
            }
            News::Trouble { .. } => {}
        }
        if was_over {
            said.clear();
        }
        said
    }

    /// We are about to unlink. True if there is nothing to unlink.
    pub(crate) fn begin_log_out(&mut self) -> Option<EngineReport> {
        self.asked_to_log_out = true;
        let is_unlinked =
            matches!(self.state(), PageState::Unpaired | PageState::Idle) && !self.is_linked;
        if !is_unlinked || self.is_over {
            return None;
        }
        self.is_over = true;
        Some(EngineReport::LoggedOut { by_us: true })
    }

    /// The page is about to be asked for a new QR code.
    pub(crate) fn expect_qr(&mut self) {
        self.qr_is_due = true;
    }

    /// From the next document on the page is read by these.
    pub(crate) fn put_hooks(&mut self, hooks: Arc<PageHooks>) {
        self.next_hooks = Some(hooks);
    }

    /// The page's own word.
    pub(crate) fn page_state(&self) -> &str {
        &self.now.state
    }

    /// It has a link as far as is known.
    pub(crate) fn has_link(&self) -> bool {
        self.is_linked && !self.is_over
    }

    pub(crate) fn doc(&self) -> &str {
        &self.doc
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }

    pub(crate) fn expected(&self) -> Expected {
        if self.is_over {
            return Expected::Nothing;
        }
        if self.asked_to_log_out {
            return Expected::LogOut;
        }
        match self.state() {
            _ if self.refuses_browser => Expected::Nothing,
            // A linked page without a network goes on trying by itself.
            PageState::Starting | PageState::Pairing | PageState::Lost | PageState::Unknown => {
                if self.was_ready && self.has_begun {
                    Expected::Nothing
                } else {
                    Expected::Boot
                }
            }
            PageState::Unpaired if self.qr_is_shown || self.now.by_code => Expected::Nothing,
            PageState::Unpaired => Expected::Boot,
            PageState::Connected if self.is_ready => Expected::Nothing,
            PageState::Connected => Expected::Sync,
            PageState::Idle if self.qr_is_due => Expected::Boot,
            PageState::Idle | PageState::Conflict | PageState::Banned | PageState::Outdated => {
                Expected::Nothing
            }
        }
    }

    pub(crate) fn percent(&self) -> Option<u8> {
        self.percent
    }

    /// Where the page stands, for a failure's text.
    pub(crate) fn step(&self) -> String {
        let state = &self.now.state;
        match (self.expected(), &self.obstacle) {
            _ if self.doc.is_empty() => "loading the page".into(),
            (Expected::LogOut, _) => format!("logging out (page {state})"),
            (Expected::Sync, _) => match self.percent {
                Some(percent) => format!("synchronising (page {state}, {percent} %)"),
                None => format!("synchronising (page {state})"),
            },
            _ if !self.has_begun => "waiting for the page's modules".into(),
            _ if state.is_empty() => "reading the page's state".into(),
            _ => format!("page {state}"),
        }
    }

    /// Why what was expected did not come.
    pub(crate) fn overdue(&self) -> (EngineFailureKind, String) {
        if let Some(obstacle) = &self.obstacle {
            return obstacle.clone();
        }
        let why = match self.expected() {
            Expected::Sync if self.now.synced => "the page is synchronised, but does not tell whose account it is".into(),
            Expected::Sync => "connected, but not synchronised in time".into(),
            Expected::LogOut => "the page did not confirm the logout in time; the device may still be listed on the phone".into(),
            _ if self.doc.is_empty() => "no document of the page began in time".into(),
            _ if !self.has_begun => return (EngineFailureKind::PageChanged, "the page's modules did not appear in time".into()),
            _ if self.state() == PageState::Unknown => {
                return (EngineFailureKind::PageChanged, format!("the page has a state that is not known: {:?}", self.now.state));
            }
            _ => format!("the page stayed {} (ref: {})", self.now.state, self.now.r#ref),
        };
        (EngineFailureKind::Deadline, why)
    }

    fn state(&self) -> PageState {
        if self.now.state.is_empty() {
            PageState::Starting
        } else {
            self.hooks.states.meaning(&self.now.state)
        }
    }

    fn begin_document(&mut self, doc: String, logged_out: Option<String>, said: &mut Vec<Said>) {
        self.doc = doc;
        self.now = Snapshot::default();
        self.has_begun = false;
        self.obstacle = None;
        self.is_unpaired = false;
        self.qr_is_shown = false;
        self.idle_is_told = false;
        match logged_out {
            Some(reason) => self.lose_link_because(&reason, true, said),
            None => self.lose_connection(said),
        }
    }

    fn see(&mut self, now: Snapshot, said: &mut Vec<Said>) {
        let before = std::mem::replace(&mut self.now, now);
        let state = self.state();
        let is_new_state = before.state != self.now.state;
        match state {
            PageState::Unpaired => self.see_unpaired(said),
            PageState::Idle => self.see_idle(said),
            PageState::Pairing => {
                // Before the first ref it is only a step of opening.
                if self.is_unpaired && !self.now.r#ref {
                    self.authenticated(said);
                }
            }
            PageState::Connected => self.see_connected(said),
            PageState::Starting | PageState::Lost | PageState::Unknown => {
                self.lose_connection(said)
            }
            PageState::Conflict if is_new_state => {
                self.is_ready = false;
                said.push(Said::Report(EngineReport::Conflict));
            }
            PageState::Banned if is_new_state => {
                said.push(Said::Report(EngineReport::Banned { word: self.now.state.clone() }));
            }
            PageState::Outdated if is_new_state => {
                said.push(Said::Report(EngineReport::ClientOutdated))
            }
            PageState::Conflict | PageState::Banned | PageState::Outdated => {}
        }
        if !matches!(state, PageState::Unpaired | PageState::Pairing) {
            self.is_unpaired = false;
            self.qr_is_shown = false;
        }
        if state != PageState::Idle {
            self.idle_is_told = false;
        }
    }

    fn see_unpaired(&mut self, said: &mut Vec<Said>) {
        if self.is_linked {
            return self.lose_link(true, said);
        }
        // Linking that was begun has failed if the page is unpaired again.
        self.authenticated_is_told = false;
        if !std::mem::replace(&mut self.is_unpaired, true) {
            self.round_has_begun = false;
        }
        if self.now.by_code {
            // The QR code is void, but a pairing code takes its place.
            self.qr_is_shown = false;
            self.round_has_begun = false;
            self.qr_is_due = false;
        }
    }

    fn see_idle(&mut self, said: &mut Vec<Said>) {
        if self.is_linked {
            return self.lose_link(true, said);
        }
        // A pairing code outlives the refs.
        if !self.now.by_code && !std::mem::replace(&mut self.idle_is_told, true) {
            said.push(Said::Report(EngineReport::QrExpired));
        }
    }

    fn see_connected(&mut self, said: &mut Vec<Said>) {
        if !self.is_linked {
            self.percent = None;
        }
        self.is_linked = true;
        if !self.was_ready {
            self.authenticated(said);
        }
        match (self.now.synced, self.now.account.clone()) {
            (true, Some(account)) if !self.is_ready => {
                (self.is_ready, self.was_ready) = (true, true);
                said.push(Said::Report(EngineReport::Ready(account.into())));
            }
            (false, _) => self.lose_connection(said),
            _ => {}
        }
    }

    fn authenticated(&mut self, said: &mut Vec<Said>) {
        if !std::mem::replace(&mut self.authenticated_is_told, true) {
            said.push(Said::Report(EngineReport::Authenticated));
        }
    }

    fn lose_connection(&mut self, said: &mut Vec<Said>) {
        if std::mem::replace(&mut self.is_ready, false) {
            said.push(Said::Report(EngineReport::ConnectionLost));
        }
    }

    /// The link is gone, perhaps for the page's age: then it would go again, whatever
    /// were linked anew, and that is what is told.
    fn lose_link_because(&mut self, reason: &str, page_is_unlinked: bool, said: &mut Vec<Said>) {
        if self.is_over || self.asked_to_log_out || !self.hooks.events.tells_outdated(reason) {
            return self.lose_link(page_is_unlinked, said);
        }
        self.is_over = true;
        said.push(Said::Report(EngineReport::ClientOutdated));
    }

    /// The link is gone. A logout of ours is confirmed only by the page's being
    /// unlinked, so that the server has heard of it.
    fn lose_link(&mut self, page_is_unlinked: bool, said: &mut Vec<Said>) {
        if self.is_over || (self.asked_to_log_out && !page_is_unlinked) {
            return;
        }
        self.is_over = true;
        said.push(Said::Report(EngineReport::LoggedOut { by_us: self.asked_to_log_out }));
    }

    fn show(&mut self, payload: SecretString, said: &mut Vec<Said>) {
        if self.state() != PageState::Unpaired || self.now.by_code {
            return;
        }
        self.obstacle = None;
        self.qr_is_shown = true;
        self.qr_is_due = false;
        let begins_round = !std::mem::replace(&mut self.round_has_begun, true);
        said.push(Said::Qr { payload, begins_round });
    }

    fn progress(&mut self, percent: Option<f64>, said: &mut Vec<Said>) {
        let Some(percent) = percent.filter(|percent| (0.0..=100.0).contains(percent)) else {
            return;
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is from 0 to 100"
        )]
        let percent = percent as u8;
        if self.is_ready || self.percent == Some(percent) {
            return;
        }
        self.percent = Some(percent);
        said.push(Said::Report(EngineReport::Loading { percent }));
    }
}

#[cfg(test)]
mod tests;
