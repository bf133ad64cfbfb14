//! Which version serves which session. One value, put in place of another as a
//! whole, so that no call ever sees half of a change.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwapOption;
use pairing_core::id::SessionName;
use sha2::{Digest, Sha256};

use crate::plugin::{Served, Version};

/// The versions of a slot, from one change to the next.
pub(crate) struct Routes<W> {
    pub(crate) generation: u64,
    pub(crate) active: Arc<Version<W>>,
    /// For this percentage of the sessions.
    pub(crate) canary: Option<(Arc<Version<W>>, u8)>,
    /// Sessions that stay with a version until they end.
    pub(crate) pins: HashMap<SessionName, Arc<Version<W>>>,
    /// What takes a call that the active version fails in, while that one is new.
    pub(crate) before: ArcSwapOption<Version<W>>,
    /// What was in the slot before and writes states that the active version does
    /// not read: calls that are under way during the change still write some.
    pub(crate) left: Vec<Arc<Version<W>>>,
    /// Pinned sessions that have ended: a new one of the same name is not pinned.
    pub(crate) ended: Mutex<HashSet<SessionName>>,
}

/// Who calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) session: &'a SessionName,
    /// The schema of the state that is handed over; none if there is no state.
    pub(crate) schema: Option<u32>,
}

/// Who serves a call, and who does if that one fails.
pub(crate) struct Choice<W> {
    pub(crate) version: Arc<Version<W>>,
    /// None: the same once more.
    pub(crate) second: Option<Arc<Version<W>>>,
}

impl<W: Served> Routes<W> {
    pub(crate) fn choose(&self, caller: Caller) -> Choice<W> {
        let Choice { version, second } = self.by_session(caller);
        let reads = |version: &Arc<Version<W>>| {
            caller.schema.is_none_or(|schema| version.world.reads(schema))
        };
        if let Some(schema) = caller.schema
            && !reads(&version)
        {
            // Written by a version that was on trial or has been left.
            return Choice { version: self.reader_of(schema).unwrap_or(version), second: None };
        }
        // One that can't read the state is no help, and must not be blamed for it.
        Choice { version, second: second.filter(reads) }
    }

    fn by_session(&self, caller: Caller) -> Choice<W> {
        if let Some(version) = self.pins.get(caller.session)
            && self.is_pinned(caller)
        {
            return Choice { version: version.clone(), second: None };
        }
        if let Some((canary, share)) = &self.canary
            && percentile_of(caller.session) < *share
        {
            return Choice { version: canary.clone(), second: Some(self.active.clone()) };
        }
        Choice { version: self.active.clone(), second: self.before.load_full() }
    }

    /// A session without a state has just begun: whoever had its name is gone.
    fn is_pinned(&self, caller: Caller) -> bool {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if W::HAS_STATE && caller.schema.is_none() {
            ended.insert(caller.session.clone());
        }
        !ended.contains(caller.session)
    }

    /// Whatever serves some session, perhaps several times.
    pub(crate) fn serving(&self) -> impl Iterator<Item = &Arc<Version<W>>> {
        let canary = self.canary.iter().map(|(version, _)| version);
        std::iter::once(&self.active).chain(canary).chain(self.pins.values())
    }

    fn reader_of(&self, schema: u32) -> Option<Arc<Version<W>>> {
        let before = self.before.load_full();
        let mut all = self.serving().chain(&before).chain(&self.left);
        all.find(|version| version.world.reads(schema)).cloned()
    }

    /// What the routes that follow on these must keep for its states.
    pub(crate) fn left_by(&self, active: &Version<W>) -> Vec<Arc<Version<W>>> {
        let canary = self.canary.iter().map(|(version, _)| version);
        let were = std::iter::once(&self.active).chain(canary).chain(&self.left);
        let mut left: Vec<Arc<Version<W>>> = Vec::new();
        for version in were {
            let is_unread =
                version.world.writes().is_some_and(|schema| !active.world.reads(schema));
            if is_unread && left.iter().all(|known| known.info.digest != version.info.digest) {
                left.push(version.clone());
            }
        }
        left
    }

    /// Sessions that stay with another version.
    pub(crate) fn pinned(&self) -> usize {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        self.pins.keys().filter(|session| !ended.contains(*session)).count()
    }
}

/// Where a session stands among all, from 0 to 99; always at the same place, so
/// that it does not flip from version to version.
pub(crate) fn percentile_of(session: &SessionName) -> u8 {
    let hash = Sha256::digest(session.as_str().as_bytes());
    let number = hash.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    (number % 100) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_about_what_they_say_and_a_larger_one_holds_the_smaller() {
        let sessions: Vec<SessionName> =
            (0..2000).map(|number| format!("session-{number}").parse().unwrap()).collect();
        let count = |share| sessions.iter().filter(|one| percentile_of(one) < share).count();
        for share in [1_u8, 10, 50] {
            let expected = 20 * usize::from(share);
            assert!(count(share).abs_diff(expected) < 20 + expected / 4, "{share}");
        }
    }
}
