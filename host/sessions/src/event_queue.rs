//! Events on their way to the bus: sorted by place, and kept while the fan-out is
//! paused.

use std::collections::{BTreeMap, VecDeque};

use pairing_core::event::{Cursor, JournalEvent};
use tokio::sync::mpsc;

use crate::committed::Committed;

/// So many are kept in memory; the journal has the others, less their codes.
const KEPT: usize = 10_000;

#[derive(Default)]
pub(crate) struct EventQueue {
    /// By place. What is not after the head is here because it came twice.
    waiting: BTreeMap<Cursor, Committed>,
    /// Codes that came after their event had been handed out without.
    late: VecDeque<Committed>,
}

impl EventQueue {
    pub(crate) fn add(&mut self, arrived: Vec<Committed>, head: Cursor) {
        for committed in arrived {
            if committed.event.id > head {
                self.waiting.insert(committed.event.id, committed);
            } else {
                self.add_late(committed);
            }
        }
        while self.waiting.len() > KEPT {
            self.waiting.pop_first();
        }
    }

    /// What came straight from its session is better: it has the code.
    pub(crate) fn add_from_journal(&mut self, events: Vec<JournalEvent>) {
        for event in events {
            self.waiting.entry(event.id).or_insert(Committed { event, code: None });
        }
    }

    /// What is next after the head. Late codes wait until nothing else does, so
    /// that none overtakes its own event.
    pub(crate) fn next(&mut self, head: Cursor) -> Option<Committed> {
        while let Some(entry) = self.waiting.first_entry()
            && entry.key().0 <= head.0 + 1
        {
            let committed = entry.remove();
            if committed.event.id > head {
                return Some(committed);
            }
            self.add_late(committed);
        }
        if self.has_gap() { None } else { self.late.pop_front() }
    }

    /// After [`EventQueue::next`] gave none: something waits for what is missing.
    pub(crate) fn has_gap(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes in what arrives; never returns.
    pub(crate) async fn fill(
        &mut self,
        inbox: &mut mpsc::UnboundedReceiver<Vec<Committed>>,
        head: Cursor,
    ) {
        while let Some(arrived) = inbox.recv().await {
            self.add(arrived, head);
        }
        std::future::pending().await
    }

    fn add_late(&mut self, committed: Committed) {
        // Without a code it has nothing new to say.
        if committed.code.is_some() {
            self.late.push_back(committed.once_more());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pairing_core::{
        clock::Timestamp,
        event::EventData,
        session::{CodeKind, ShownCode},
    };

    use super::*;
    use crate::{committed::NO_PLACE, live_code::LiveCode};

    fn event(place: u64) -> JournalEvent {
        JournalEvent {
            id: Cursor(place),
            session: "sales".parse().unwrap(),
            at: Timestamp(0),
            data: EventData::Loading { percent: 1 },
        }
    }

    fn without_code(place: u64) -> Committed {
        Committed { event: event(place), code: None }
    }

    fn with_code(place: u64) -> Committed {
        let expires_at = Timestamp(1);
        let shown = ShownCode { kind: CodeKind::Qr, sequence: 1, expires_at };
        let text = Some(Arc::from("image"));
        let code = LiveCode { shown, text, draw_again_at: None, payload: None };
        Committed { event: event(place), code: Some(code) }
    }

    /// All that can be handed out, as place and whether it has a code.
    fn drain(queue: &mut EventQueue, head: &mut Cursor) -> Vec<(u64, bool)> {
        let mut drained = Vec::new();
        while let Some(committed) = queue.next(*head) {
            *head = committed.event.id.max(*head);
            drained.push((committed.event.id.0, committed.code.is_some()));
        }
        drained
    }

    #[test]
    fn a_late_code_does_not_overtake_its_event() {
        let mut queue = EventQueue::default();
        let mut head = Cursor(0);
        queue.add(vec![without_code(2)], head);
        queue.add(vec![with_code(2).once_more()], head);
        assert_eq!(drain(&mut queue, &mut head), [], "the first is missing");
        assert!(queue.has_gap());
        queue.add(vec![without_code(1)], head);
        assert_eq!(drain(&mut queue, &mut head), [(1, false), (2, false), (NO_PLACE.0, true)]);
    }

    #[test]
    fn what_comes_twice_is_handed_out_once_and_its_code_later() {
        let mut queue = EventQueue::default();
        let head = &mut Cursor(0);
        queue.add_from_journal(vec![event(1), event(2)]);
        let first = queue.next(*head).unwrap();
        // It arrives while it is handed out.
        queue.add(vec![with_code(1)], *head);
        *head = first.event.id;
        assert_eq!(drain(&mut queue, head), [(2, false), (NO_PLACE.0, true)]);
    }

    #[test]
    fn a_full_queue_keeps_the_newest() {
        let mut queue = EventQueue::default();
        let kept = KEPT as u64;
        queue.add((1..=kept + 2).map(without_code).collect(), Cursor(0));
        assert!(
            queue.next(Cursor(1)).is_none() && queue.has_gap(),
            "the oldest are in the journal"
        );
        assert_eq!(queue.next(Cursor(2)).unwrap().event.id, Cursor(3));
    }
}
