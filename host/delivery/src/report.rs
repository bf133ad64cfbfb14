//! How a subscription stands, for operators.

use pairing_core::{
    clock::Timestamp,
    delivery_store::{Gap, Lane},
    event::Cursor,
    id::SessionName,
    subscription::SubscriptionId,
};

/// So many lanes are told one by one.
pub(crate) const LANES: usize = 100;

/// How a subscription stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionReport {
    /// Which.
    pub id: SubscriptionId,
    /// Everything up to here is settled, but for lagging sessions.
    pub cursor: Cursor,
    /// Entries of the journal after `cursor`.
    pub lag: u64,
    /// Events that are handed over right now.
    pub in_flight: usize,
    /// How many sessions lag behind.
    pub lagging: usize,
    /// The first hundred of them, by the time of their next attempt.
    pub lanes: Vec<LaneReport>,
    /// Why it is switched off, if it is.
    pub disabled: Option<String>,
}

/// A session that lags behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneReport {
    /// Which.
    pub session: SessionName,
    /// Its events up to here are settled.
    pub settled: Cursor,
    /// Failed attempts at the next event.
    pub attempts: u32,
    /// No attempt before this; none without failed attempts.
    pub next_attempt_at: Option<Timestamp>,
    /// How the last attempt failed; it may hold anything that the handler said.
    pub error: String,
    /// Events given up, of which the subscriber does not know yet.
    pub gap: Option<Gap>,
}

impl From<Lane> for LaneReport {
    fn from(lane: Lane) -> Self {
        Self {
            session: lane.session,
            settled: lane.settled,
            attempts: lane.attempts,
            next_attempt_at: (lane.attempts > 0).then_some(lane.next_attempt_at),
            error: lane.error,
            gap: lane.gap,
        }
    }
}

/// The first of them, by the time of their next attempt.
pub(crate) fn first_lanes(lanes: impl Iterator<Item = Lane>) -> Vec<LaneReport> {
    let mut lanes: Vec<_> = lanes.map(LaneReport::from).collect();
    lanes.sort_by(|a, b| {
        let key = |lane: &LaneReport| (lane.next_attempt_at, lane.session.clone());
        key(a).cmp(&key(b))
    });
    lanes.truncate(LANES);
    lanes
}
