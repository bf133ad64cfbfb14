//! One handler's slot: which version serves, for which subscriptions, and one
//! call of it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::{ArcSwap, ArcSwapOption};
use metrics::SharedString;
use pairing_core::{
    handler::{Attempt, HandleError, HandlerEvent},
    plugin::{PluginError, Slot},
    subscription::SubscriptionName,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    authority::{Authority, Bound},
    call::{self, CallError, Ended, Order},
    host::HandlerHost,
    load::HandlerWorld,
};
use crate::{
    bindings::{events, handler::exports::pairing_console::handler::handler as wit},
    measure::{at_most, excerpt, size},
    plugin::{Version, VersionAlarm},
    routes::{Caller, Routes},
};

/// One handler.
pub(crate) struct HandlerSlot {
    pub(crate) slot: Slot,
    pub(crate) routes: ArcSwapOption<Routes<HandlerWorld>>,
    subscriptions: ArcSwap<HashMap<SubscriptionName, Arc<Bound>>>,
    /// Half of all places, so that no handler can take them all.
    turns: Arc<Semaphore>,
    host: Arc<HandlerHost>,
}

type Handled = Result<(), wit::HandleError>;

impl HandlerSlot {
    pub(crate) fn empty(slot: Slot, host: Arc<HandlerHost>) -> Self {
        let turns = Arc::new(Semaphore::new((host.limits.at_once / 2).max(1)));
        Self {
            slot,
            routes: ArcSwapOption::empty(),
            subscriptions: ArcSwap::default(),
            turns,
            host,
        }
    }

    /// Replaces all subscriptions. A call that is under way keeps what it began with.
    pub(crate) fn set_subscriptions(&self, authorities: Vec<Authority>) {
        let bind = |authority: Authority| {
            let name = authority.id.name.clone();
            (name, Arc::new(Bound::new(&self.host.parts.egress, authority)))
        };
        self.subscriptions.store(Arc::new(authorities.into_iter().map(bind).collect()));
    }

    /// Hands over one event. A version that is new hands what it fails in to the
    /// one before.
    pub(crate) async fn handle(
        &self,
        subscription: &SubscriptionName,
        event: Arc<HandlerEvent>,
        attempt: Attempt,
    ) -> Result<(), HandleError> {
        let slot = self.slot;
        let nobody = || HandleError::NotCalled(PluginError::Paused { slot, retry_after: None });
        let bound = self.subscriptions.load().get(subscription).cloned().ok_or_else(nobody)?;
        let routes = self.routes.load_full().ok_or_else(nobody)?;
        at_most(slot, "the event", size(&event.data), self.host.limits.bytes)?;
        let choice = routes.choose(Caller { session: &event.session, schema: None });
        let first = self.attempt(&choice.version, &bound, event.clone(), attempt).await;
        let Err(error) = &first else {
            if choice.second.is_some() && !choice.version.standing.is_on_trial() {
                routes.before.store(None);
            }
            return first;
        };
        let helps = matches!(
            error,
            HandleError::Failed(_) | HandleError::NotCalled(PluginError::Paused { .. })
        );
        match choice.second.filter(|_| helps) {
            Some(before) => self.attempt(&before, &bound, event, attempt).await,
            None => first,
        }
    }

    async fn attempt(
        &self,
        version: &Arc<Version<HandlerWorld>>,
        bound: &Arc<Bound>,
        event: Arc<HandlerEvent>,
        attempt: Attempt,
    ) -> Result<(), HandleError> {
        if !version.world.wants(event.data.kind()) {
            return Ok(());
        }
        let slot = self.slot;
        let _place = self.admit().await.ok_or(PluginError::Busy { slot })?;
        version.standing.admit()?;
        let pre = version.world.linked_for(&self.host, &bound.settings.grants).map_err(|_| {
            // The registry has checked it, unless it was changed under its hands.
            let retry_after = None;
            HandleError::NotCalled(PluginError::Paused { slot, retry_after })
        })?;
        let order = Order {
            slot,
            served: Some((bound.clone(), event.clone())),
            timeout: bound.settings.timeout(),
        };
        let delivery = wit::Delivery {
            subscription: bound.id.name.to_string(),
            attempt: attempt.number,
            first_attempt_at: attempt.first_at.0,
            extra: Vec::new(),
        };
        let given = events::Event::from(&*event);
        let host = self.host.clone();
        let calling = call::run(host, order, move |store| {
            Box::pin(async move {
                let guest = pre.instantiate_async(&mut *store).await?;
                let handler = guest.pairing_console_handler_handler();
                handler.call_handle(store, &given, &delivery).await
            })
        });
        let ended = self.host.run(calling).await;
        let lost = || PluginError::Trapped { slot, message: "the host failed in the call".into() };
        let Ended { memory, result, cpu_time } = ended.unwrap_or_else(|| Ended {
            memory: 0,
            result: Err(CallError::Plugin(lost())),
            cpu_time: Duration::ZERO,
        });
        metrics::histogram!("plugin_call_memory_bytes", "plugin" => slot.label())
            .record(memory as f64);
        self.take_note(version, &event, &result, cpu_time);
        told(result, bound.settings.timeout())
    }

    async fn admit(&self) -> Option<[OwnedSemaphorePermit; 2]> {
        let turn = async {
            let of_slot = self.turns.clone().acquire_owned().await.ok()?;
            Some([of_slot, self.host.places.clone().acquire_owned().await.ok()?])
        };
        tokio::time::timeout(self.host.max_wait, turn).await.ok()?
    }

    fn take_note(
        &self,
        version: &Version<HandlerWorld>,
        event: &HandlerEvent,
        result: &Result<Handled, CallError>,
        time: Duration,
    ) {
        let (slot, digest) = (self.slot.label(), &version.info.digest);
        let kind = match result {
            Ok(Ok(())) => "answered",
            // A receiver that is down says nothing of the component.
            Ok(Err(_)) => "refused",
            Err(CallError::TimedOut) => "timed-out",
            Err(CallError::Plugin(error)) => error.kind(),
        };
        let label = SharedString::from_shared(digest.0.clone());
        metrics::histogram!("plugin_call_cpu_seconds", "plugin" => slot.clone()).record(time);
        metrics::counter!("plugin_calls_total", "plugin" => slot.clone(), "digest" => label, "result" => kind)
            .increment(1);
        match result {
            Err(CallError::Plugin(PluginError::Busy { .. })) => return,
            Err(CallError::Plugin(error)) => {
                tracing::warn!(plugin = slot, %digest, session.name = %event.session, kind, "a handler gave no answer");
                version.standing.failed(&event.session, kind, error, time);
            }
            Ok(_) | Err(CallError::TimedOut) => version.standing.answered(time),
        }
        if let Some(alarm) = version.standing.alarm() {
            let alarm = VersionAlarm { slot: self.slot, digest: digest.clone(), alarm };
            let _ = self.host.alarms.send(alarm);
        }
    }
}

/// In the host's words.
fn told(result: Result<Handled, CallError>, timeout: Duration) -> Result<(), HandleError> {
    let retry = |why: String, after| Err(HandleError::Retry { why, after });
    match result {
        Ok(Ok(())) => Ok(()),
        Ok(Err(wit::HandleError::Reject(why))) => Err(HandleError::Reject(excerpt(&why))),
        Ok(Err(wit::HandleError::Gone(why))) => Err(HandleError::Gone(excerpt(&why))),
        Ok(Err(wit::HandleError::RetryAfter(wit::Later { after, why }))) => {
            retry(excerpt(&why), Some(Duration::from_millis(after)))
        }
        Ok(Err(wit::HandleError::Retry(why) | wit::HandleError::Other(why))) => {
            retry(excerpt(&why), None)
        }
        Err(CallError::TimedOut) => retry(format!("it did not end within {timeout:?}"), None),
        Err(CallError::Plugin(error)) => Err(error.into()),
    }
}
