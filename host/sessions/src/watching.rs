//! Who looks at which session. Codes are made for somebody who sees them, and for
//! nobody else.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use pairing_core::{
    clock::{SharedClock, Timestamp},
    id::SessionName,
};

/// Counts who looks at each session.
#[derive(Clone)]
pub(crate) struct Watching(Arc<Shared>);

struct Shared {
    clock: SharedClock,
    /// A look counts for so long.
    window: Duration,
    looks: Mutex<BTreeMap<SessionName, Looks>>,
}

#[derive(Default)]
struct Looks {
    /// Guards that are held.
    open: usize,
    /// The latest look of somebody who holds none.
    last: Option<Timestamp>,
}

/// Somebody watches a session, as long as this is held: it is open in a console,
/// or subscribed to by its name.
pub struct WatchGuard {
    watching: Watching,
    session: SessionName,
}

impl Looks {
    fn count(&self, now: Timestamp, window: Duration) -> bool {
        self.open > 0 || self.last.is_some_and(|last| now.since(last) < window)
    }
}

impl Watching {
    pub(crate) fn new(clock: SharedClock, window: Duration) -> Self {
        Self(Arc::new(Shared { clock, window, looks: Mutex::default() }))
    }

    pub(crate) fn watch(&self, session: &SessionName) -> WatchGuard {
        let now = self.0.clock.now();
        let mut looks = self.looks();
        // Names can be watched that no session has: they must not pile up.
        looks.retain(|_, looks| looks.count(now, self.0.window));
        looks.entry(session.clone()).or_default().open += 1;
        drop(looks);
        WatchGuard { watching: self.clone(), session: session.clone() }
    }

    pub(crate) fn looked_at(&self, session: &SessionName) {
        let now = self.0.clock.now();
        self.looks().entry(session.clone()).or_default().last = Some(now);
    }

    pub(crate) fn is_watched(&self, session: &SessionName) -> bool {
        let now = self.0.clock.now();
        self.looks().get(session).is_some_and(|looks| looks.count(now, self.0.window))
    }

    /// The session is gone.
    pub(crate) fn forget(&self, session: &SessionName) {
        let mut looks = self.looks();
        if let Some(entry) = looks.get_mut(session) {
            entry.last = None;
            if entry.open == 0 {
                looks.remove(session);
            }
        }
    }

    fn looks(&self) -> MutexGuard<'_, BTreeMap<SessionName, Looks>> {
        self.0.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The moment of leaving is a look, too: who loads a page anew is back at once.
impl Drop for WatchGuard {
    fn drop(&mut self) {
        let now = self.watching.0.clock.now();
        let mut looks = self.watching.looks();
        if let Some(entry) = looks.get_mut(&self.session) {
            entry.open = entry.open.saturating_sub(1);
            entry.last = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use pairing_core::fakes::FakeClock;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(60);

    fn watching() -> (Arc<FakeClock>, Watching, SessionName) {
        let clock = Arc::new(FakeClock::default());
        (clock.clone(), Watching::new(clock, WINDOW), "sales".parse().unwrap())
    }

    #[test]
    fn a_look_counts_for_the_window_and_not_longer() {
        let (clock, watching, session) = watching();
        assert!(!watching.is_watched(&session));
        watching.looked_at(&session);
        clock.advance(WINDOW - Duration::from_millis(1));
        assert!(watching.is_watched(&session));
        assert!(!watching.is_watched(&"other".parse().unwrap()));
        clock.advance(Duration::from_millis(1));
        assert!(!watching.is_watched(&session));
    }

    #[test]
    fn a_guard_counts_as_long_as_it_is_held_and_a_window_more() {
        let (clock, watching, session) = watching();
        let guards = [watching.watch(&session), watching.watch(&session)];
        clock.advance(10 * WINDOW);
        let [first, second] = guards;
        drop(first);
        clock.advance(10 * WINDOW);
        assert!(watching.is_watched(&session));
        drop(second);
        assert!(watching.is_watched(&session));
        clock.advance(WINDOW);
        assert!(!watching.is_watched(&session));
    }

    #[test]
    fn a_session_that_is_gone_is_forgotten_but_not_who_waits_for_its_name() {
        let (_, watching, session) = watching();
        watching.looked_at(&session);
        watching.forget(&session);
        assert!(!watching.is_watched(&session));
        assert!(watching.looks().is_empty());
        let guard = watching.watch(&session);
        watching.forget(&session);
        assert!(watching.is_watched(&session));
        drop(guard);
    }
}
