//! The fan-out: one event, many interests, at most one delivery for each.

use std::sync::Arc;

use async_trait::async_trait;
use pairing_core::{
    event::JournalEvent,
    fan_out::{Delivery, FanOut, Interest, Transport},
    plugin::{PluginError, PluginInfo, Slot},
};
use serde::de::IgnoredAny;
use wasmtime::component::InstancePre;

use crate::{
    bindings::{events, fan_out::FanOutPre, router as wit},
    call::{Call, CallState},
    config::Limits,
    error::Refusal,
    load::Interface,
    measure::{at_most, excerpt, size},
    plugin::{Named, Plugin, Served, World},
    routes::Caller,
};

const SLOT: Slot = Slot::FanOut;

type Route<'a> = (&'a events::Event, &'a [wit::Subscription]);

pub(crate) struct FanOutWorld {
    pre: FanOutPre<CallState>,
}

impl Served for FanOutWorld {}

impl World for FanOutWorld {
    const SLOT: Slot = SLOT;
    const NAME: &'static str = "fan-out";
    const INTERFACE: &'static str = "pairing-console:events/router@0.1.0";
    type Linked = FanOutPre<CallState>;

    fn compare(guest: &mut Interface) -> Result<(), Refusal> {
        guest.has::<(), (wit::Description,)>("describe")?;
        guest.has::<Route, (Result<Vec<wit::Delivery>, wit::RouteError>,)>("route")
    }

    fn link(pre: InstancePre<CallState>) -> wasmtime::Result<Self::Linked> {
        FanOutPre::new(pre)
    }

    fn describe(pre: Self::Linked, call: &mut Call) -> Result<(Self, Named), PluginError> {
        let said = call.enter(|store| {
            let guest = pre.instantiate(&mut *store)?;
            guest.pairing_console_events_router().call_describe(store)
        })?;
        Ok((Self { pre }, Named { name: said.name, version: said.version }))
    }
}

#[async_trait]
impl FanOut for Plugin<FanOutWorld> {
    fn info(&self) -> PluginInfo {
        Plugin::info(self)
    }

    /// Many interests are routed in several calls, so that neither what goes in
    /// nor what comes out grows with the number of clients.
    async fn route(
        &self,
        event: &JournalEvent,
        interests: &[Arc<Interest>],
    ) -> Result<Vec<Delivery>, PluginError> {
        at_most(SLOT, "the event", size(&event.data), self.limits().bytes)?;
        let caller = Caller { session: &event.session, schema: None };
        let event = Arc::new(events::Event::from(event));
        let mut deliveries = Vec::with_capacity(interests.len());
        let at_once = self.limits().interests;
        for (round, some) in interests.chunks(at_once).enumerate() {
            let routed = self.route_some(caller, event.clone(), some).await?;
            let first = round * at_once;
            deliveries.extend(
                routed
                    .into_iter()
                    .map(|delivery| Delivery { interest: first + delivery.interest, ..delivery }),
            );
        }
        Ok(deliveries)
    }
}

impl Plugin<FanOutWorld> {
    async fn route_some(
        &self,
        caller: Caller<'_>,
        event: Arc<events::Event>,
        interests: &[Arc<Interest>],
    ) -> Result<Vec<Delivery>, PluginError> {
        let subscriptions = subscriptions(interests);
        let input = subscriptions.iter().map(length).sum();
        at_most(SLOT, "the interests", input, self.limits().bytes)?;
        self.call(caller, move |version, call, limits| {
            version.world.route(call, limits, &event, &subscriptions)
        })
        .await
    }
}

impl FanOutWorld {
    /// The deliveries of one event, checked.
    pub(crate) fn route(
        &self,
        call: &mut Call,
        limits: &Limits,
        event: &events::Event,
        subscriptions: &[wit::Subscription],
    ) -> Result<Vec<Delivery>, PluginError> {
        let routed = call.enter(|store| {
            let guest = self.pre.instantiate(&mut *store)?;
            guest.pairing_console_events_router().call_route(store, event, subscriptions)
        })?;
        let deliveries = routed.map_err(|wit::RouteError::Other(why)| refused(excerpt(&why)))?;
        at_most(SLOT, "the list of deliveries", deliveries.len(), subscriptions.len())?;
        let output = deliveries.iter().map(|one| one.name.len() + one.body.len()).sum();
        at_most(SLOT, "the answer", output, limits.bytes)?;
        check(deliveries, subscriptions.len())
    }
}

/// Interests as the component sees them, numbered from 0.
pub(crate) fn subscriptions(interests: &[Arc<Interest>]) -> Vec<wit::Subscription> {
    (0..).zip(interests).map(|(id, one)| subscription(id, one)).collect()
}

fn subscription(id: u32, interest: &Interest) -> wit::Subscription {
    wit::Subscription {
        id,
        transport: match interest.transport {
            Transport::SocketIo => wit::Transport::SocketIo,
            Transport::WebSocket => wit::Transport::WebSocket,
            Transport::EventStream => wit::Transport::EventStream,
        },
        sessions: interest
            .sessions
            .as_ref()
            .map(|names| names.iter().map(|name| name.as_str().to_owned()).collect()),
        types: interest.types.as_ref().map(|types| types.iter().cloned().collect()),
        extra: Vec::new(),
    }
}

fn length(subscription: &wit::Subscription) -> usize {
    let lists = [&subscription.sessions, &subscription.types];
    lists.into_iter().flatten().flatten().map(String::len).sum()
}

/// Bodies go to clients as they are, so what is no JSON goes to nobody.
fn check(deliveries: Vec<wit::Delivery>, interests: usize) -> Result<Vec<Delivery>, PluginError> {
    let mut is_served = vec![false; interests];
    let mut checked = Vec::with_capacity(deliveries.len());
    for wit::Delivery { subscription, name, body } in deliveries {
        let index = subscription as usize;
        match is_served.get_mut(index) {
            Some(served) if !*served => *served = true,
            Some(_) => return Err(refused("it serves a subscription twice")),
            None => return Err(refused("it serves a subscription that does not exist")),
        }
        let body = String::from_utf8(body).map_err(|_| refused("a body is not UTF-8"))?;
        if serde_json::from_str::<IgnoredAny>(&body).is_err() {
            return Err(refused("a body is not JSON"));
        }
        checked.push(Delivery { interest: index, name, body });
    }
    Ok(checked)
}

fn refused(message: impl Into<String>) -> PluginError {
    PluginError::Refused { slot: SLOT, message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(subscription: u32, body: &[u8]) -> wit::Delivery {
        wit::Delivery { subscription, name: "loading".into(), body: body.into() }
    }

    #[test]
    fn deliveries_that_can_not_be_sent_are_refused() {
        let good = || delivery(1, b"{}");
        assert_eq!(check(vec![good()], 2).unwrap()[0].interest, 1);
        for (bad, words) in [
            (vec![good(), good()], "twice"),
            (vec![delivery(2, b"{}")], "does not exist"),
            (vec![delivery(0, b"\xff")], "UTF-8"),
            (vec![delivery(0, b"{}, x")], "JSON"),
        ] {
            let error = check(bad, 2).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
