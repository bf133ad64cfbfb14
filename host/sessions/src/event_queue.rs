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
