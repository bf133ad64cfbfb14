//! Which sign-ins are still valid. A token tied to one is void soon after it
//! ends: what is known here is at most [`MAX_AGE`] old.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use pairing_core::{
    clock::{SharedClock, Timestamp},
    store::{Store, StoreError},
};
use uuid::Uuid;

/// Revocation is felt within this time, whoever did it.
const MAX_AGE: Duration = Duration::from_secs(2);
/// So many sign-ins are remembered before old ones are dropped.
const REMEMBERED: usize = 10_000;

/// What is known of sign-ins.
pub struct LiveLogins {
    store: Arc<dyn Store>,
    clock: SharedClock,
    known: Mutex<HashMap<Uuid, (bool, Timestamp)>>,
}

impl LiveLogins {
    /// Nothing is known yet.
    pub fn new(store: Arc<dyn Store>, clock: SharedClock) -> Self {
        Self { store, clock, known: Mutex::default() }
    }

    /// Is this sign-in still valid?
    pub async fn is_live(&self, login: Uuid) -> Result<bool, StoreError> {
        let now = self.clock.now();
        if let Some((is_live, at)) = self.known().get(&login).copied()
            && now.since(at) < MAX_AGE
        {
            return Ok(is_live);
        }
        let is_live = self.store.live_logins(&[login]).await?.contains(&login);
        let mut known = self.known();
        if known.len() >= REMEMBERED {
            known.retain(|_, (_, at)| now.since(*at) < MAX_AGE);
        }
        known.insert(login, (is_live, now));
        Ok(is_live)
    }

    /// This sign-in has just ended here: no need to wait.
    pub fn forget(&self, login: Uuid) {
        self.known().remove(&login);
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, (bool, Timestamp)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
