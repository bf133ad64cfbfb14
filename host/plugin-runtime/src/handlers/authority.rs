//! What a subscription may do, ready to be used.

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use pairing_core::{
    id::SessionName,
    subscription::{SubscriptionId, SubscriptionSettings},
};
use pairing_egress::{Egress, Permit};
use secrecy::SecretString;

/// Actions that a subscription may ask of one session in a row; one more becomes
/// possible each [`ACTION_EVERY`]. A handler that answers its own doings ends here.
const ACTIONS: NonZeroU32 = NonZeroU32::new(8).expect("not zero");
const ACTION_EVERY: Duration = Duration::from_secs(75);

/// What a subscription may do.
#[derive(Debug, Clone)]
pub struct Authority {
    /// Whose.
    pub id: SubscriptionId,
    /// Its grants and settings.
    pub settings: SubscriptionSettings,
    /// Its secrets, which no guest ever sees.
    pub secrets: BTreeMap<String, SecretString>,
}

/// An authority with all that it is used with.
pub(crate) struct Bound {
    pub(crate) id: SubscriptionId,
    pub(crate) settings: SubscriptionSettings,
    pub(crate) secrets: BTreeMap<String, SecretString>,
    pub(crate) permit: Permit,
    pub(crate) actions: DefaultKeyedRateLimiter<SessionName>,
}

impl Bound {
    pub(crate) fn new(egress: &Egress, authority: Authority) -> Self {
        let Authority { id, settings, secrets } = authority;
        let permit = egress.permit(id.handler, &settings.grants, secrets.clone());
        let quota = Quota::with_period(ACTION_EVERY).map(|quota| quota.allow_burst(ACTIONS));
        let quota = quota.unwrap_or_else(|| Quota::per_minute(NonZeroU32::MIN));
        Self { id, settings, secrets, permit, actions: RateLimiter::keyed(quota) }
    }
}
