//! What was seen, held against the journal and the pages' books. Pure, so that a
//! verdict that should be bad can be tested.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use crate::{
    book::{Book, Reader},
    commands::Orders,
    event::Event,
    pages::Pages,
};

/// As many of each kind are told; more say no more.
const TOLD: usize = 20;

#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) events: usize,
    /// The same event once more.
    pub(crate) repeated: BTreeMap<&'static str, usize>,
    /// Numbers that the fake pages said, and how many of them are in the journal.
    pub(crate) said: usize,
    pub(crate) told: usize,
    pub(crate) orders: Orders,
    pub(crate) mistakes: Vec<String>,
}

impl Verdict {
    pub(crate) fn of(start: u64, head: u64, journal: &[Event], book: &Book, pages: &Pages) -> Self {
        let mut verdict = Self { events: journal.len(), ..Self::default() };
        verdict.journal(start, head, journal);
        verdict.reader("socket", journal, &book.events(Reader::Socket), true);
        verdict.reader("webhook", journal, &book.events(Reader::Webhook), false);
        verdict.pages(journal, pages);
        verdict
    }

    pub(crate) fn is_good(&self) -> bool {
        self.mistakes.is_empty() && self.orders.lost.is_empty()
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "good": self.is_good(),
            "events": self.events,
            "repeated": self.repeated,
            "said": self.said,
            "told": self.told,
            "commands": self.orders,
            "mistakes": self.mistakes.iter().take(TOLD).collect::<Vec<_>>(),
            "mistakeCount": self.mistakes.len(),
        })
    }

    fn journal(&mut self, start: u64, head: u64, journal: &[Event]) {
        let places = journal.iter().map(|event| event.id);
        let expected = start + 1..=head;
        if !places.clone().eq(expected) {
            let have: BTreeSet<u64> = places.collect();
            let missing: Vec<u64> = (start + 1..=head).filter(|id| !have.contains(id)).collect();
            self.mistakes.push(format!("the journal has not all of {start}..={head}: {missing:?}"));
        }
    }

    /// A reader got everything, unchanged, in order. The socket's order is that of
    /// the journal, the webhook's that of each session.
    fn reader(&mut self, name: &'static str, journal: &[Event], seen: &[Event], of_all: bool) {
        let known: HashMap<u64, &Event> = journal.iter().map(|event| (event.id, event)).collect();
        let mut last: HashMap<&str, u64> = HashMap::new();
        let mut ids = BTreeSet::new();
        for event in seen {
            match known.get(&event.id) {
                Some(original) if *original != event => {
                    self.mistakes
                        .push(format!("{name}: {event:?} is in the journal as {original:?}"));
                }
                _ => {}
            }
            if !ids.insert(event.id) {
                *self.repeated.entry(name).or_default() += 1;
                continue;
            }
            let lane = if of_all { "" } else { event.session.as_str() };
            let before = last.insert(lane, event.id).unwrap_or(0);
            if before > event.id {
                self.mistakes.push(format!("{name}: {} came after {before}", event.id));
            }
        }
        let may_lack = |event: &Event| of_all && event.is_code();
        for event in journal.iter().filter(|event| !ids.contains(&event.id) && !may_lack(event)) {
            self.mistakes.push(format!("{name}: never got {event:?}"));
        }
    }

    /// Within one life of a page nothing that it said is missing between two things
    /// that the journal has: only what a kill caught on its way may be.
    fn pages(&mut self, journal: &[Event], pages: &Pages) {
        let mut told: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for event in journal.iter().filter(|event| event.kind == "session-connected") {
            if let Some(number) = event.page_number() {
                told.entry(&event.session).or_default().push(number);
            }
        }
        for (session, numbers) in &told {
            self.told += numbers.len();
            if !numbers.windows(2).all(|two| two[0] < two[1]) {
                self.mistakes.push(format!("{session}: numbers are out of order: {numbers:?}"));
            }
            let Some(said) = pages.0.get(*session) else { continue };
            let have: BTreeSet<u64> = numbers.iter().copied().collect();
            for number in have.iter().filter(|number| !said.contains_key(number)) {
                self.mistakes.push(format!("{session}: the page never said {number}"));
            }
            // The last of each life that the journal has.
            let mut last: BTreeMap<u64, u64> = BTreeMap::new();
            for number in &have {
                if let Some(life) = said.get(number) {
                    last.insert(*life, *number);
                }
            }
            for (number, life) in said {
                let is_before = last.get(life).is_some_and(|last| number < last);
                if is_before && !have.contains(number) {
                    self.mistakes.push(format!("{session}: {number} of life {life} is lost"));
                }
            }
        }
        self.said = pages.0.values().map(BTreeMap::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: u64, session: &str, number: u64) -> Event {
        Event {
            id,
            session: session.into(),
            kind: "session-connected".into(),
            says: String::new(),
            name: Some(format!("n{number}")),
        }
    }

    fn journal() -> Vec<Event> {
        vec![event(1, "a", 1), event(2, "b", 1), event(3, "a", 2), event(4, "a", 4)]
    }

    /// Session a said 3 in its first life, in which 2 was the last that was told.
    fn pages() -> Pages {
        let a = BTreeMap::from([(1, 1), (2, 1), (3, 1), (4, 2)]);
        Pages(BTreeMap::from([("a".into(), a), ("b".into(), BTreeMap::from([(1, 1)]))]))
    }

    fn judge(journal: &[Event], socket: &[Event], webhook: &[Event], pages: &Pages) -> Vec<String> {
        let mut verdict = Verdict::default();
        verdict.journal(0, 4, journal);
        verdict.reader("socket", journal, socket, true);
        verdict.reader("webhook", journal, webhook, false);
        verdict.pages(journal, pages);
        verdict.mistakes
    }

    #[test]
    fn what_was_caught_by_a_kill_and_what_came_twice_is_no_mistake() {
        let all = journal();
        let twice = [all.clone(), all[2..].to_vec()].concat();
        let mixed = vec![all[1].clone(), all[0].clone(), all[2].clone(), all[3].clone()];
        assert_eq!(judge(&all, &twice, &mixed, &pages()), Vec::<String>::new());
    }

    #[test]
    fn each_kind_of_loss_is_seen() {
        let all = journal();
        let sees = |mistakes: Vec<String>, what: &str| {
            assert_eq!(mistakes.len(), 1, "{mistakes:?}");
            assert!(mistakes[0].contains(what), "{mistakes:?}");
        };
        sees(judge(&all, &all[..3], &all, &pages()), "socket: never got");
        sees(judge(&all, &all, &all[1..], &pages()), "webhook: never got");
        let turned = [all[1].clone(), all[0].clone(), all[2].clone(), all[3].clone()];
        sees(judge(&all, &turned, &all, &pages()), "socket: 1 came after 2");
        let turned = [all[2].clone(), all[1].clone(), all[0].clone(), all[3].clone()];
        sees(judge(&all, &all, &turned, &pages()), "webhook: 1 came after 3");
        let changed = [all[0].clone(), all[1].clone(), event(3, "a", 9), all[3].clone()];
        sees(judge(&all, &changed, &all, &pages()), "is in the journal as");

        let holed = [all[0].clone(), all[1].clone(), all[3].clone()];
        sees(judge(&holed, &holed, &holed, &pages()), "has not all of");
        let mut one_life = pages();
        one_life.0.insert("a".into(), BTreeMap::from([(1, 1), (2, 1), (3, 1), (4, 1)]));
        sees(judge(&all, &all, &all, &one_life), "3 of life 1 is lost");
        let mut silent = pages();
        silent.0.insert("b".into(), BTreeMap::new());
        sees(judge(&all, &all, &all, &silent), "never said 1");
    }
}
