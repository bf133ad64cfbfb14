//! What talks to WhatsApp for a session.

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync::mpsc;

use crate::{
    evidence::Evidence,
    id::SessionName,
    workflow::{CodeFailure, EngineFailure, EngineReport},
};

/// What an engine tells its session, in order.
#[derive(Debug)]
pub enum EngineEvent {
    /// A QR code's payload: opaque text, live until replaced.
    Qr {
        /// What to draw.
        payload: SecretString,
        /// It is the first of a round, so it lives longer.
        begins_round: bool,
    },
    /// All that needs no secret. Never `QrMade` or `CodeMade`.
    Report(EngineReport),
    /// A report with what was seen: a step of a repair (`Probe { answered: false }`)
    /// or the engine's end (`Failed`). It makes a line of history.
    Evidenced {
        /// What is reported.
        report: EngineReport,
        /// What was seen.
        evidence: Box<Evidence>,
    },
}

/// Starts engines and owns their profiles.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Starts an engine on the session's profile, which is made if needed.
    /// Returns once the browser's process runs; the rest comes as events, ending
    /// with `Stopped` or `Failed`, after which nothing of the engine is left.
    async fn start(
        &self,
        session: &SessionName,
        events: mpsc::Sender<EngineEvent>,
    ) -> Result<Box<dyn EngineHandle>, EngineFailure>;

    /// Removes the session's profile. No engine may run on it.
    async fn wipe_profile(&self, session: &SessionName) -> Result<(), EngineFailure>;
}

/// A running engine. Dropping it ends the browser without grace.
#[async_trait]
pub trait EngineHandle: Send + Sync {
    /// Has the page make a new QR code; leaves pairing by code.
    async fn refresh_qr(&self) -> Result<(), EngineFailure>;

    /// Has the page make a pairing code: 8 characters without a dash.
    /// `phone_number` is in international form, digits only.
    async fn request_pairing_code(&self, phone_number: &str) -> Result<SecretString, CodeFailure>;

    /// Asks the page whether it is alive and connected.
    async fn probe(&self) -> Result<(), EngineFailure>;

    /// Unlinks; `LoggedOut { by_us: true }` follows, or `Failed`.
    async fn log_out(&self) -> Result<(), EngineFailure>;

    /// Closes the browser, by force after a deadline. Returns when no process
    /// is left. `Stopped` is the last event.
    async fn stop(&self);
}
