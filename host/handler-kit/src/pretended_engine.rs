//! An engine without a browser, for those who write handlers: each session shows
//! a code, is linked after a while, and loses its link soon after.

use std::time::Duration;

use async_trait::async_trait;
use pairing_core::{
    engine::{Engine, EngineEvent, EngineHandle},
    id::SessionName,
    page_hooks::{HooksRefused, HooksReport, PageDriver},
    session::Account,
    workflow::{CodeFailure, EngineFailure, EngineFailureKind, EngineReport},
};
use secrecy::SecretString;
use tokio::{sync::mpsc, task::JoinHandle};

/// Between one step of the play and the next.
const STEP: Duration = Duration::from_secs(2);

/// Starts plays.
#[derive(Debug, Clone, Copy, Default)]
pub struct PretendedEngine;

struct Play {
    events: mpsc::Sender<EngineEvent>,
    task: JoinHandle<()>,
}

#[async_trait]
impl Engine for PretendedEngine {
    async fn start(
        &self,
        _session: &SessionName,
        events: mpsc::Sender<EngineEvent>,
    ) -> Result<Box<dyn EngineHandle>, EngineFailure> {
        let task = tokio::spawn(play(events.clone()));
        Ok(Box::new(Play { events, task }))
    }

    async fn wipe_profile(&self, _session: &SessionName) -> Result<(), EngineFailure> {
        Ok(())
    }
}

/// There is no page to know anything about.
#[async_trait]
impl PageDriver for PretendedEngine {
    fn embedded(&self) -> &str {
        ""
    }

    fn check(&self, _text: &str) -> Result<(), HooksRefused> {
        Ok(())
    }

    async fn try_out(&self, _text: Option<&str>) -> Result<HooksReport, HooksRefused> {
        Err(HooksRefused::Untried(EngineFailure {
            kind: EngineFailureKind::Other,
            step: "start".into(),
            message: "sessions are only pretended here, without a page".into(),
        }))
    }

    fn put(&self, _text: &str) -> Result<(), HooksRefused> {
        Ok(())
    }
}

async fn play(events: mpsc::Sender<EngineEvent>) {
    let account = Account { phone_number: "15550100".into(), name: Some("Pretended".into()) };
    let code =
        EngineEvent::Qr { payload: SecretString::from("pretended-code"), begins_round: true };
    let reports = [
        code,
        EngineEvent::Report(EngineReport::Authenticated),
        EngineEvent::Report(EngineReport::Ready(account)),
        EngineEvent::Report(EngineReport::LoggedOut { by_us: false }),
    ];
    let _ = events.send(EngineEvent::Report(EngineReport::Started)).await;
    for report in reports {
        tokio::time::sleep(STEP).await;
        // The session may have ended, and with it the play.
        if events.send(report).await.is_err() {
            return;
        }
    }
}

impl Play {
    async fn report(&self, report: EngineReport) {
        // Nobody may be listening any more.
        let _ = self.events.send(EngineEvent::Report(report)).await;
    }
}

#[async_trait]
impl EngineHandle for Play {
    async fn refresh_qr(&self) -> Result<(), EngineFailure> {
        Ok(())
    }

    async fn request_pairing_code(&self, _phone_number: &str) -> Result<SecretString, CodeFailure> {
        Ok(SecretString::from("PRETENDS"))
    }

    async fn probe(&self) -> Result<(), EngineFailure> {
        Ok(())
    }

    async fn log_out(&self) -> Result<(), EngineFailure> {
        self.report(EngineReport::LoggedOut { by_us: true }).await;
        Ok(())
    }

    async fn stop(&self) {
        self.task.abort();
        self.report(EngineReport::Stopped).await;
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        self.task.abort();
    }
}
