//! Keeps what a plugin failed at, with the reason, for whoever repairs the plugin.
//! Logs get no more than the error's kind: what a guest says may hold a phone
//! number.

use std::time::Duration;

use pairing_core::{
    clock::SharedClock,
    event::JournalEvent,
    plugin::{PluginError, Slot},
    plugin_store::Parked,
    store::{Records, StoreError},
    workflow::{Context, Input},
};

/// What can't be kept in this time is not kept.
const PATIENCE: Duration = Duration::from_secs(1);

/// An input that the workflow failed at.
pub(crate) async fn park_input(
    store: &dyn Records,
    input: &Input,
    context: &Context,
    error: &PluginError,
) {
    let cause = input.cause();
    metrics::counter!("session_inputs_parked_total", "cause" => cause).increment(1);
    park(
        store,
        Parked {
            slot: Slot::Workflow,
            session: context.session_name.clone(),
            at: context.now,
            what: cause.to_owned(),
            reason: error.to_string(),
            input: serde_json::to_string(input).ok(),
            context: serde_json::to_string(context).ok(),
        },
    )
    .await;
}

/// An event that the fan-out failed at.
pub(crate) async fn park_event(
    store: &dyn Records,
    clock: &SharedClock,
    event: &JournalEvent,
    error: &PluginError,
) {
    metrics::counter!("events_parked_total").increment(1);
    park(
        store,
        Parked {
            slot: Slot::FanOut,
            session: event.session.clone(),
            at: clock.now(),
            what: format!("event {}", event.id),
            reason: error.to_string(),
            input: None,
            context: None,
        },
    )
    .await;
}

/// A store that is away must not hold up the session or the other events.
async fn park(store: &dyn Records, parked: Parked) {
    let kept = match tokio::time::timeout(PATIENCE, store.park(&parked)).await {
        Ok(kept) => kept,
        Err(_) => Err(StoreError::Unavailable("it does not answer".into())),
    };
    if let Err(error) = kept {
        tracing::error!(session.name = %parked.session, what = parked.what, %error, "what a plugin failed at could not be kept");
    }
}
