//! One attempt to hand an event over.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use metrics::{Counter, Histogram};
use pairing_core::{
    handler::{EventHandlers, HandleError},
    subscription::SubscriptionId,
};
use tokio::time::Instant;

use crate::lanes::Call;

/// Never fails to end: a handler that panics has failed. Tells how long it took.
pub(crate) async fn make(
    handlers: Arc<dyn EventHandlers>,
    subscription: Arc<SubscriptionId>,
    call: Call,
    meters: Meters,
) -> (Call, Result<(), HandleError>, Duration) {
    let begun = Instant::now();
    let handling = handlers.handle(&subscription, call.event.clone(), call.attempt);
    let result = AssertUnwindSafe(handling).catch_unwind().await.unwrap_or_else(|_| {
        let why = "the host itself failed at it; its log says more".into();
        Err(HandleError::Retry { why, after: None })
    });
    meters.count(&result);
    let took = begun.elapsed();
    if !matches!(result, Err(HandleError::NotCalled(_))) {
        meters.duration.record(took);
    }
    (call, result, took)
}

/// Of one subscription.
#[derive(Clone)]
pub(crate) struct Meters {
    handled: Counter,
    rejected: Counter,
    retried: Counter,
    gone: Counter,
    failed: Counter,
    not_called: Counter,
    duration: Histogram,
    pub(crate) dead: Counter,
}

impl Meters {
    pub(crate) fn of(subscription: &SubscriptionId) -> Self {
        let handler = subscription.handler.to_string();
        let attempts = |result: &'static str| metrics::counter!("delivery_attempts_total", "handler" => handler.clone(), "result" => result);
        Self {
            handled: attempts("handled"),
            rejected: attempts("rejected"),
            retried: attempts("retry"),
            gone: attempts("gone"),
            failed: attempts("failed"),
            not_called: attempts("not-called"),
            duration: metrics::histogram!("delivery_duration_seconds", "handler" => handler.clone()),
            dead: metrics::counter!("delivery_dead_letters_total", "handler" => handler.clone()),
        }
    }

    fn count(&self, result: &Result<(), HandleError>) {
        let counter = match result {
            Ok(()) => &self.handled,
            Err(HandleError::Reject(_)) => &self.rejected,
            Err(HandleError::Retry { .. }) => &self.retried,
            Err(HandleError::Gone(_)) => &self.gone,
            Err(HandleError::Failed(_)) => &self.failed,
            Err(HandleError::NotCalled(_)) => &self.not_called,
        };
        counter.increment(1);
    }
}
