//! What one subscription may send, and how much at once.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use http::Method;
use metrics::Counter;
use pairing_core::{handler::HandlerName, subscription::Grants};
use secrecy::SecretString;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::{destination::Destination, error::EgressError, rule::Rule, target::Target};

/// Requests under way.
const IN_FLIGHT: usize = 10;
/// Requests a second, where the grants don't say.
const PER_SECOND: NonZeroU32 = NonZeroU32::new(50).expect("not zero");

/// One subscription's way out: its grants, secrets, quotas and connections. Clones
/// are the same permit.
#[derive(Clone)]
pub struct Permit(Arc<Inner>);

struct Inner {
    handler: HandlerName,
    rules: Vec<(Rule, Arc<Destination>)>,
    secrets: BTreeMap<String, SecretString>,
    in_flight: Arc<Semaphore>,
    rate: RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>,
    sent: Counter,
    received: Counter,
}

/// Held while a request is under way.
pub(crate) struct Slot {
    _destination: OwnedSemaphorePermit,
    _permit: OwnedSemaphorePermit,
}

impl Permit {
    /// Grants that can't be meant are left out; [`crate::check_grant`] says why.
    pub(crate) fn new(
        handler: HandlerName,
        grants: &Grants,
        secrets: BTreeMap<String, SecretString>,
    ) -> Self {
        let good = grants.http.iter().filter_map(|grant| {
            let rule = Rule::new(grant);
            rule.inspect_err(|error| tracing::warn!(%handler, "{error}")).ok()
        });
        let rules: Vec<Rule> = good.collect();
        let mut destinations: Vec<Arc<Destination>> = Vec::new();
        for rule in &rules {
            if destinations.iter().all(|known| known.origin != rule.origin) {
                let same = rules.iter().filter(|other| other.origin == rule.origin);
                let networks = same.flat_map(|other| other.networks.iter().copied()).collect();
                destinations.push(Arc::new(Destination::new(rule.origin.clone(), networks)));
            }
        }
        let with_destination = rules.into_iter().filter_map(|rule| {
            let destination = destinations.iter().find(|known| known.origin == rule.origin)?;
            Some((rule, destination.clone()))
        });
        let per_second = grants.http_per_second.map_or(Some(PER_SECOND), NonZeroU32::new);
        let quota = Quota::per_second(per_second.unwrap_or(NonZeroU32::MIN));
        let bytes = |direction| metrics::counter!("handler_http_bytes_total", "handler" => handler.to_string(), "direction" => direction);
        Self(Arc::new(Inner {
            handler,
            rules: with_destination.collect(),
            secrets,
            in_flight: Arc::new(Semaphore::new(IN_FLIGHT)),
            rate: RateLimiter::direct_with_clock(quota, TokioClock(Instant::now())),
            sent: bytes("sent"),
            received: bytes("received"),
        }))
    }

    /// The destination, if this may be sent to it.
    pub(crate) fn destination(&self, method: &Method, target: &Target) -> Option<Arc<Destination>> {
        let allowing = self.0.rules.iter().find(|(rule, _)| rule.allows(method, target))?;
        Some(allowing.1.clone())
    }

    /// Waits for its turn.
    pub(crate) async fn slot(&self, destination: &Destination) -> Result<Slot, EgressError> {
        let closed = |_| EgressError::TooMany;
        // The destination's first, so that who waits for one does not keep others out.
        let of_destination = destination.slots.clone().acquire_owned().await.map_err(closed)?;
        let of_permit = self.0.in_flight.clone().acquire_owned().await.map_err(closed)?;
        while let Err(early) = self.0.rate.check() {
            tokio::time::sleep(early.wait_time_from(self.0.rate.clock().now())).await;
        }
        Ok(Slot { _destination: of_destination, _permit: of_permit })
    }

    pub(crate) fn handler(&self) -> HandlerName {
        self.0.handler
    }

    pub(crate) fn secrets(&self) -> &BTreeMap<String, SecretString> {
        &self.0.secrets
    }

    pub(crate) fn sent(&self) -> Counter {
        self.0.sent.clone()
    }

    pub(crate) fn received(&self) -> Counter {
        self.0.received.clone()
    }
}

/// Tokio's clock, so that tests move it.
#[derive(Debug, Clone, Copy)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}
