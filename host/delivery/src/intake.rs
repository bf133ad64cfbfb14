//! How events come into the lanes: from the journal in its order, from it again
//! for a session that lags, and from the dead letters.

use pairing_core::{
    clock::Timestamp,
    delivery_store::DeadLetter,
    event::{Cursor, JournalEvent},
    id::SessionName,
    subscription::SubscriptionSettings,
};

use crate::{
    gap::OpenGap,
    journal::{Expired, LANE_PAGE, Page},
    lane::{Letter, Phase},
    lanes::Lanes,
};

/// So many events are kept in memory, give or take a page.
const HELD: usize = 4_096;

/// A stretch of a session's events that is to be read.
#[derive(Debug, Clone)]
pub(crate) struct Refill {
    pub(crate) session: SessionName,
    pub(crate) after: Cursor,
    /// What comes later comes by the journal.
    up_to: Cursor,
}

impl Lanes {
    /// There is room for another page.
    pub(crate) fn has_room(&self) -> bool {
        self.held < HELD
    }

    /// Takes the next page in.
    pub(crate) fn push(&mut self, page: Page, settings: &SubscriptionSettings, now: Timestamp) {
        if let Some(expired) = page.expired {
            self.expire(expired, now);
        }
        for event in page.events {
            self.read = event.id;
            if settings.wants(&event) {
                self.push_event(event, now);
            }
        }
    }

    fn push_event(&mut self, event: JournalEvent, now: Timestamp) {
        let session = event.session.clone();
        let lane = self.lanes.entry(session.clone()).or_default();
        if event.id <= lane.loaded {
            return;
        }
        if let Some(gap) = &mut lane.gap {
            gap.rests = false;
        }
        if lane.behind {
            lane.missed = true;
        } else if lane.queue.len() >= LANE_PAGE as usize || lane.waits_long(now) {
            if lane.queue.is_empty() {
                lane.loaded = Cursor(event.id.0.saturating_sub(1));
            }
            lane.behind = true;
            self.lag(&session);
        } else {
            lane.loaded = event.id;
            if !lane.lags {
                self.unsettled.insert(event.id);
            }
            lane.queue.push_back(event);
            self.held += 1;
        }
        self.place(&session, now);
    }

    /// The journal has forgotten what was not yet read.
    fn expire(&mut self, expired: Expired, now: Timestamp) {
        let Expired { gap, mut sessions } = expired;
        sessions.extend(self.lanes.keys().cloned());
        for session in &sessions {
            let lane = self.lanes.entry(session.clone()).or_default();
            lane.gap = Some(OpenGap::extended(lane.gap, gap, true));
            self.lag(session);
            self.place(session, now);
        }
        self.read = self.read.max(gap.to);
    }

    /// The next session whose events are to be read.
    pub(crate) fn next_refill(&mut self) -> Option<Refill> {
        while self.has_room() {
            let session = self.hungry.pop_front()?;
            let Some(lane) = self.lanes.get_mut(&session) else { continue };
            lane.phase = Phase::Busy;
            lane.missed = false;
            return Some(Refill { session, after: lane.loaded, up_to: self.read });
        }
        None
    }

    /// It was read.
    pub(crate) fn refilled(
        &mut self,
        refill: Refill,
        page: Page,
        settings: &SubscriptionSettings,
        now: Timestamp,
    ) {
        let Refill { session, up_to, .. } = refill;
        let Some(lane) = self.lanes.get_mut(&session) else { return };
        lane.phase = Phase::Idle;
        if let Some(Expired { gap, .. }) = page.expired {
            lane.gap = Some(OpenGap::extended(lane.gap, gap, true));
            lane.loaded = lane.loaded.max(gap.to);
            lane.trial = None;
        }
        let reached = page.events.last().is_some_and(|last| last.id >= up_to);
        lane.behind = lane.missed || !(page.at_end || reached);
        for event in page.events.into_iter().filter(|event| event.id <= up_to) {
            lane.loaded = event.id;
            if settings.wants(&event) {
                lane.queue.push_back(event);
                self.held += 1;
            }
        }
        self.lag(&session);
        self.free(&session, now);
    }

    /// Takes requeued dead letters in.
    pub(crate) fn push_letters(&mut self, letters: Vec<DeadLetter>, now: Timestamp) {
        for dead in letters {
            if self.letters.insert(dead.event.id) {
                let session = dead.event.session.clone();
                let lane = self.lanes.entry(session.clone()).or_default();
                lane.letters.insert(dead.event.id, Letter { dead, trial: None });
                self.place(&session, now);
            }
        }
    }
}
