//! What a session asks of its running engine.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use pairing_core::{
    engine::EngineHandle,
    workflow::{CodeFailure, CodeFailureKind, EngineFailure, EngineFailureKind},
};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, timeout},
};

use crate::{
    code_request::{read_code, read_refusal},
    config::Deadlines,
    failure::failure,
    page_hooks::PageHooks,
    page_link::{AskError, PageLink},
    run::{Controls, Order, Status},
};

/// A running browser with its page.
pub(crate) struct ChromiumHandle {
    controls: Controls,
    deadlines: Deadlines,
    hooks: watch::Receiver<Arc<PageHooks>>,
}

impl ChromiumHandle {
    pub(crate) fn new(
        controls: Controls,
        deadlines: Deadlines,
        hooks: watch::Receiver<Arc<PageHooks>>,
    ) -> Self {
        Self { controls, deadlines, hooks }
    }

    /// The page and the document in it, once its agent can be asked; one other
    /// than `than`, if given.
    async fn document(
        &self,
        than: Option<&str>,
        deadline: Duration,
    ) -> Result<(PageLink, String), AskError> {
        let mut status = self.controls.status.clone();
        let found = timeout(deadline, async {
            loop {
                let Status { link, doc, .. } = status.borrow_and_update().clone();
                if let (Some(link), Some(doc)) = (link, doc)
                    && Some(doc.as_str()) != than
                {
                    return Ok((link, doc));
                }
                status.changed().await.map_err(|_| AskError::Ended)?;
            }
        });
        found.await.unwrap_or(Err(AskError::Deadline(deadline)))
    }

    /// Asks once more if a reload came between.
    async fn ask(
        &self,
        question: &str,
        details: Value,
        deadline: Duration,
    ) -> Result<Value, AskError> {
        let until = Instant::now() + deadline;
        let (link, doc) = self.document(None, deadline).await?;
        match link.ask(question, details.clone(), until - Instant::now()).await {
            Err(AskError::Interrupted) => {}
            other => return other,
        }
        let (link, _) = self.document(Some(&doc), until - Instant::now()).await?;
        link.ask(question, details, deadline).await
    }

    fn step(&self, doing: &str) -> String {
        let step = self.controls.status.borrow().step.clone();
        if step.is_empty() { doing.into() } else { format!("{doing} ({step})") }
    }

    fn failed(&self, doing: &str, error: AskError) -> EngineFailure {
        let kind = match error {
            AskError::Deadline(_) => EngineFailureKind::Deadline,
            AskError::Refused(_) => EngineFailureKind::PageChanged,
            AskError::Ended => EngineFailureKind::BrowserExited,
            AskError::Interrupted | AskError::Browser(_) => EngineFailureKind::Other,
        };
        failure(kind, &self.step(doing), error)
    }
}

#[async_trait]
impl EngineHandle for ChromiumHandle {
    async fn refresh_qr(&self) -> Result<(), EngineFailure> {
        // If the engine has ended the question itself tells.
        let _ = self.controls.orders.send(Order::ExpectQr);
        match self.ask("refresh-qr", Value::Null, self.deadlines.evaluate).await {
            // A page that reloads makes new codes by itself.
            Ok(_) | Err(AskError::Interrupted) => Ok(()),
            Err(error) => Err(self.failed("refreshing the QR code", error)),
        }
    }

    async fn request_pairing_code(&self, phone_number: &str) -> Result<SecretString, CodeFailure> {
        let deadline = self.deadlines.code;
        let error =
            match self.ask("make-code", json!({"phoneNumber": phone_number}), deadline).await {
                Ok(answer) => return read_code(&answer),
                Err(error) => error,
            };
        let failed = |kind, message: String| CodeFailure { kind, message };
        Err(match error {
            AskError::Refused(error) => read_refusal(&error, &self.hooks.borrow().code_errors),
            AskError::Interrupted | AskError::Ended | AskError::Browser(_) => {
                failed(CodeFailureKind::Interrupted, crate::failure::cleared(&error.to_string()))
            }
            AskError::Deadline(_) => {
                // The page would hang on to an attempt that nobody waits for.
                if let Ok((link, _)) = self.document(None, Duration::ZERO).await {
                    let deadline = self.deadlines.evaluate;
                    tokio::spawn(async move {
                        link.ask("leave-code", Value::Null, deadline).await.map(drop)
                    });
                }
                failed(
                    CodeFailureKind::Timeout,
                    format!(
                        "the page made no code within {deadline:?}: {}",
                        self.step("asking for a code")
                    ),
                )
            }
        })
    }

    async fn probe(&self) -> Result<(), EngineFailure> {
        match self.ask("ping", Value::Null, self.deadlines.evaluate).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.failed("asking whether the page is alive", error)),
        }
    }

    async fn log_out(&self) -> Result<(), EngineFailure> {
        const DOING: &str = "logging out";
        let (reply, answer) = oneshot::channel();
        let ended = || failure(EngineFailureKind::BrowserExited, DOING, "the engine has ended");
        self.controls.orders.send(Order::BeginLogOut(reply)).map_err(|_| ended())?;
        if !answer.await.map_err(|_| ended())? {
            return Ok(());
        }
        match self.ask("log-out", Value::Null, self.deadlines.evaluate).await {
            // The page goes away when it is done.
            Ok(_) | Err(AskError::Interrupted) => Ok(()),
            Err(error) => Err(self.failed(DOING, error)),
        }
    }

    async fn stop(&self) {
        self.controls.stop.cancel();
        self.controls.ended.cancelled().await;
    }
}

impl Drop for ChromiumHandle {
    fn drop(&mut self) {
        self.controls.abandon.cancel();
    }
}
