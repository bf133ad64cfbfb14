//! Asks the workflow what follows from an input.
//!
//! A workflow that is busy or paused has tried nothing. Somebody waits for a
//! command, so that is answered soon; any other input must not be lost, so it
//! waits, and engine and link are left alone meanwhile.

use std::time::Duration;

use pairing_core::{
    plugin::PluginError,
    session::SessionRecord,
    workflow::{Context, Decision, Input},
};
use tokio::time::Instant;

use crate::{
    backoff::Backoff,
    commands::{CommandError, Mailbox},
    session_task::Shared,
};

/// How long a command waits for a busy workflow.
const PATIENCE: Duration = Duration::from_secs(2);

/// # Errors
/// Temporary ones for commands alone; after any other the input must not be
/// handed over again.
pub(crate) async fn ask(
    shared: &Shared,
    record: Option<&SessionRecord>,
    input: &Input,
    context: &Context,
    mailbox: &mut Mailbox<'_>,
) -> Result<Decision, PluginError> {
    let state = record.map(|record| (record.state_schema, &record.state[..]));
    let is_command = matches!(input, Input::Command { .. });
    let asked_at = Instant::now();
    let mut backoff = Backoff::default();
    let mut is_told = false;
    loop {
        let error = match shared.workflow.handle(state, input, context).await {
            Err(error) if error.is_temporary() => error,
            tried => return tried,
        };
        let is_paused = matches!(error, PluginError::Paused { .. });
        if is_command && (is_paused || asked_at.elapsed() >= PATIENCE) {
            return Err(error);
        }
        if is_paused && !is_told {
            is_told = true;
            tracing::warn!(session.name = %context.session_name, cause = input.cause(), "an input waits until the workflow is called again; commands are refused meanwhile");
        }
        let again = backoff.wait(&error, &shared.clock);
        if is_command {
            again.await;
        } else {
            mailbox.refuse_until(again, || CommandError::Plugin(error.clone())).await;
        }
    }
}
