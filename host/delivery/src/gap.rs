//! The event that stands for events which a subscriber did not get.

use pairing_core::{
    clock::Timestamp,
    delivery_store::Gap,
    event::{Cursor, EventData},
    handler::{GAP, HandlerEvent},
    id::SessionName,
};

/// A gap of which the subscriber does not know yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenGap {
    pub(crate) range: Gap,
    /// Its end was forgotten by the journal, not given up.
    pub(crate) expired: bool,
    /// Telling it alone has failed: it goes with the next event.
    pub(crate) rests: bool,
}

impl OpenGap {
    /// The smallest range with both.
    pub(crate) fn extended(open: Option<Self>, more: Gap, expired: bool) -> Self {
        let range = open.map_or(more, |Self { range, .. }| Gap {
            from: range.from.min(more.from),
            to: range.to.max(more.to),
        });
        Self { range, expired, rests: false }
    }

    /// What is left to tell after a range was told.
    pub(crate) fn without(self, told: Gap) -> Option<Self> {
        let from = self.range.from.max(Cursor(told.to.0 + 1));
        (from <= self.range.to).then_some(Self { range: Gap { from, to: self.range.to }, ..self })
    }

    /// The event that tells it.
    pub(crate) fn event(&self, session: SessionName, at: Timestamp) -> HandlerEvent {
        let Gap { from, to } = self.range;
        let reason = if self.expired { "expired" } else { "given-up" };
        let fields =
            [("from", from.to_string()), ("to", to.to_string()), ("reason", reason.into())];
        HandlerEvent {
            id: format!("gap-{from}-{to}"),
            session,
            at,
            data: EventData::Other {
                kind: GAP.into(),
                fields: fields.map(|(name, value)| (name.into(), value)).into(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn range(from: u64, to: u64) -> Gap {
        Gap { from: Cursor(from), to: Cursor(to) }
    }

    #[test]
    fn gaps_merge_and_what_came_while_one_was_told_is_left() {
        let gap = OpenGap::extended(None, range(5, 5), false);
        let gap = OpenGap::extended(Some(gap), range(7, 9), true);
        assert_eq!((gap.range, gap.expired), (range(5, 9), true));
        assert_eq!(gap.without(range(5, 5)).map(|gap| gap.range), Some(range(6, 9)));
        assert_eq!(gap.without(range(5, 9)), None);
    }
}
