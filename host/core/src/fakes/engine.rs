//! An engine without a browser: tests play the page.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync::{mpsc, watch};

use crate::{
    engine::{Engine, EngineEvent, EngineHandle},
    id::SessionName,
    workflow::{CodeFailure, EngineFailure, EngineReport},
};

/// What the host asked of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the trait's methods")]
pub enum FakeCall {
    Start,
    RefreshQr,
    RequestPairingCode(String),
    LogOut,
    Stop,
    WipeProfile,
}

#[derive(Default)]
struct Page {
    calls: Vec<FakeCall>,
    events: Option<mpsc::Sender<EngineEvent>>,
    code: Option<Result<String, CodeFailure>>,
    start_panics: bool,
    code_panics: bool,
    start_fails: Option<EngineFailure>,
    log_out_fails: Option<EngineFailure>,
    wipe_fails: Option<EngineFailure>,
}

/// Shared by the host and the test.
#[derive(Clone, Default)]
pub struct FakeEngine {
    pages: Arc<Mutex<HashMap<SessionName, Page>>>,
    called: Arc<watch::Sender<u64>>,
    started: Arc<Mutex<Vec<SessionName>>>,
    starts_held: Arc<watch::Sender<bool>>,
    start_held: Arc<watch::Sender<Option<SessionName>>>,
}

impl FakeEngine {
    /// What was asked for this session so far.
    pub fn calls(&self, session: &SessionName) -> Vec<FakeCall> {
        self.page(session, |page| page.calls.clone())
    }

    /// All starts of all sessions so far, in their order.
    pub fn starts(&self) -> Vec<SessionName> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until `call` was made at least `times` times.
    pub async fn wait_for(&self, session: &SessionName, call: &FakeCall, times: usize) {
        let mut called = self.called.subscribe();
        while self.calls(session).iter().filter(|made| *made == call).count() < times {
            if called.changed().await.is_err() {
                return;
            }
        }
    }

    /// The page says something. Nothing happens if no engine runs.
    pub async fn say(&self, session: &SessionName, event: EngineEvent) {
        let events = self.page(session, |page| page.events.clone());
        if let Some(events) = events {
            // The session may be gone already; then nobody listens.
            let _ = events.send(event).await;
        }
    }

    /// The page shows a QR code.
    pub async fn show_qr(&self, session: &SessionName, payload: &str, begins_round: bool) {
        let payload = SecretString::from(payload);
        self.say(session, EngineEvent::Qr { payload, begins_round }).await;
    }

    /// The page reports.
    pub async fn report(&self, session: &SessionName, report: EngineReport) {
        self.say(session, EngineEvent::Report(report)).await;
    }

    /// How the next requests for a pairing code end.
    pub fn answer_code(&self, session: &SessionName, answer: Result<&str, CodeFailure>) {
        self.page(session, |page| page.code = Some(answer.map(str::to_owned)));
    }

    /// The next start panics, as a mistake in the engine would.
    pub fn panic_at_start(&self, session: &SessionName) {
        self.page(session, |page| page.start_panics = true);
    }

    /// The next request for a pairing code panics.
    pub fn panic_at_code(&self, session: &SessionName) {
        self.page(session, |page| page.code_panics = true);
    }

    /// Browsers of any session are in the middle of their start as long as this is
    /// true.
    pub fn hold_starts(&self, held: bool) {
        self.starts_held.send_replace(held);
    }

    /// The browser of this session alone hangs in the middle of its start, until
    /// another one is named, or none.
    pub fn hang_start(&self, session: Option<&SessionName>) {
        self.start_held.send_replace(session.cloned());
    }

    /// Browsers can't be started until told otherwise.
    pub fn fail_starts(&self, session: &SessionName, failure: Option<EngineFailure>) {
        self.page(session, |page| page.start_fails = failure);
    }

    /// The page can't unlink until told otherwise.
    pub fn fail_log_outs(&self, session: &SessionName, failure: Option<EngineFailure>) {
        self.page(session, |page| page.log_out_fails = failure);
    }

    /// Profiles can't be removed until told otherwise.
    pub fn fail_wipes(&self, session: &SessionName, failure: Option<EngineFailure>) {
        self.page(session, |page| page.wipe_fails = failure);
    }

    fn page<T>(&self, session: &SessionName, with: impl FnOnce(&mut Page) -> T) -> T {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        with(pages.entry(session.clone()).or_default())
    }

    fn note(&self, session: &SessionName, call: FakeCall) {
        self.page(session, |page| page.calls.push(call));
        self.called.send_modify(|count| *count += 1);
    }
}

#[async_trait]
impl Engine for FakeEngine {
    async fn start(
        &self,
        session: &SessionName,
        events: mpsc::Sender<EngineEvent>,
    ) -> Result<Box<dyn EngineHandle>, EngineFailure> {
        let panics = self.page(session, |page| {
            page.events = Some(events);
            std::mem::take(&mut page.start_panics)
        });
        self.started.lock().unwrap_or_else(PoisonError::into_inner).push(session.clone());
        self.note(session, FakeCall::Start);
        assert!(!panics, "the fake engine was told to panic");
        // An error would mean that the engine is gone, and it is here.
        let _ = self.starts_held.subscribe().wait_for(|held| !held).await;
        let _ = self.start_held.subscribe().wait_for(|held| held.as_ref() != Some(session)).await;
        if let Some(failure) = self.page(session, |page| page.start_fails.clone()) {
            return Err(failure);
        }
        Ok(Box::new(FakeHandle { engine: self.clone(), session: session.clone() }))
    }

    async fn wipe_profile(&self, session: &SessionName) -> Result<(), EngineFailure> {
        self.note(session, FakeCall::WipeProfile);
        self.page(session, |page| page.wipe_fails.clone()).map_or(Ok(()), Err)
    }
}

struct FakeHandle {
    engine: FakeEngine,
    session: SessionName,
}

#[async_trait]
impl EngineHandle for FakeHandle {
    async fn refresh_qr(&self) -> Result<(), EngineFailure> {
        self.engine.note(&self.session, FakeCall::RefreshQr);
        Ok(())
    }

    async fn request_pairing_code(&self, phone_number: &str) -> Result<SecretString, CodeFailure> {
        self.engine.note(&self.session, FakeCall::RequestPairingCode(phone_number.into()));
        let (answer, panics) = self
            .engine
            .page(&self.session, |page| (page.code.clone(), std::mem::take(&mut page.code_panics)));
        assert!(!panics, "the fake engine was told to panic");
        match answer {
            Some(answer) => answer.map(SecretString::from),
            None => std::future::pending().await,
        }
    }

    async fn probe(&self) -> Result<(), EngineFailure> {
        Ok(())
    }

    async fn log_out(&self) -> Result<(), EngineFailure> {
        self.engine.note(&self.session, FakeCall::LogOut);
        if let Some(failure) = self.engine.page(&self.session, |page| page.log_out_fails.clone()) {
            return Err(failure);
        }
        self.engine.report(&self.session, EngineReport::LoggedOut { by_us: true }).await;
        Ok(())
    }

    async fn stop(&self) {
        self.engine.note(&self.session, FakeCall::Stop);
        self.engine.report(&self.session, EngineReport::Stopped).await;
        self.engine.page(&self.session, |page| page.events = None);
    }
}
