//! When the host ends: a first signal asks it to, a second one insists.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a process that was ended by SIGINT or SIGTERM answers by custom.
const KILLED: i32 = 130;

/// Cancels the token at the first SIGINT or SIGTERM. At a second one the process
/// ends at once; browsers that it leaves are ended by the next start.
pub fn stop_on_signals() -> anyhow::Result<CancellationToken> {
    let interrupt = signal(SignalKind::interrupt()).context("could not listen for SIGINT")?;
    let terminate = signal(SignalKind::terminate()).context("could not listen for SIGTERM")?;
    let stopping = CancellationToken::new();
    tokio::spawn(listen(interrupt, terminate, stopping.clone()));
    Ok(stopping)
}

async fn listen(mut interrupt: Signal, mut terminate: Signal, stopping: CancellationToken) {
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if stopping.is_cancelled() {
            tracing::warn!("a second signal: ending at once");
            std::process::exit(KILLED);
        }
        tracing::info!("stopping; a second signal ends at once");
        stopping.cancel();
    }
}
