//! Keeps what a plugin failed at, with the reason, for whoever repairs the plugin.
//! Logs get no more than the error's kind: what a guest says may hold a phone
//! number.

use pairing_core::{
    clock::SharedClock,
    event::JournalEvent,
    plugin::{PluginError, Slot},
    plugin_store::Parked,
    store::Records,
    workflow::{Context, Input},
};

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
    if let Err(error) = store.park(&parked).await {
        tracing::error!(session.name = %parked.session, what = parked.what, %error, "what a plugin failed at could not be kept");
    }
}
