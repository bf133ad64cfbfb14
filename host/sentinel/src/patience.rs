//! How long a browser may live without its host: a pure state machine over the
//! boot clock.

use std::time::Duration;

/// So long before the deadline the browser is asked to close.
const POLITE: Duration = Duration::from_secs(6);

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// Ask the browser to close.
    Close,
    /// End everything.
    Kill,
}

/// When the browser is to close, and when everything ends.
#[derive(Debug)]
pub(crate) struct Patience {
    deadline: Duration,
    /// When the last renewal was sent.
    renewed: Duration,
    /// The browser was asked to close; it has until then.
    closing: Option<Duration>,
}

impl Patience {
    pub(crate) fn new(deadline: Duration, renewed: Duration) -> Self {
        Self { deadline, renewed, closing: None }
    }

    /// Counts from when it was sent: it may have lain about while we were frozen.
    pub(crate) fn renew(&mut self, sent: Duration, now: Duration) {
        self.renewed = self.renewed.max(sent.min(now));
    }

    /// The browser has been asked, and has until then; what was set earlier stays.
    pub(crate) fn closes_until(&mut self, until: Duration) {
        self.closing = Some(self.closing.map_or(until, |set| set.min(until)));
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// What is due; having been told to close, it counts as closing.
    pub(crate) fn due(&mut self, now: Duration) -> Due {
        match self.closing {
            Some(until) if now >= until => Due::Kill,
            Some(_) => Due::Nothing,
            None if now >= self.end() => Due::Kill,
            None if now >= self.polite() => {
                self.closing = Some(self.end());
                Due::Close
            }
            None => Due::Nothing,
        }
    }

    /// When to ask again what is due.
    pub(crate) fn next(&self) -> Duration {
        self.closing.unwrap_or_else(|| self.polite())
    }

    fn end(&self) -> Duration {
        self.renewed + self.deadline
    }

    fn polite(&self) -> Duration {
        self.end() - POLITE.min(self.deadline / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn without_renewals_the_browser_closes_politely_and_ends_at_the_deadline() {
        let mut patience = Patience::new(s(45), s(100));
        assert_eq!((patience.next(), patience.due(s(138))), (s(139), Due::Nothing));
        assert_eq!(patience.due(s(139)), Due::Close);
        assert_eq!((patience.next(), patience.due(s(144))), (s(145), Due::Nothing));
        // Too late: it is closing.
        patience.renew(s(144), s(144));
        assert_eq!(patience.due(s(145)), Due::Kill);
    }

    #[test]
    fn a_short_deadline_is_polite_at_its_half_and_a_long_sleep_kills_at_once() {
        let mut patience = Patience::new(s(2), s(10));
        assert_eq!((patience.next(), patience.due(s(11))), (s(11), Due::Close));
        assert_eq!(Patience::new(s(45), s(0)).due(s(3600)), Due::Kill);
    }

    #[test]
    fn a_renewal_counts_from_when_it_was_sent_and_never_from_the_future() {
        let mut patience = Patience::new(s(45), s(100));
        patience.renew(s(110), s(130));
        assert_eq!(patience.next(), s(149));
        // One that was overtaken, and one of a clock that can't be right.
        patience.renew(s(105), s(130));
        assert_eq!(patience.next(), s(149));
        patience.renew(s(9999), s(131));
        assert_eq!(patience.next(), s(170));
    }

    #[test]
    fn the_earlier_end_of_a_close_counts() {
        let mut patience = Patience::new(s(45), s(0));
        patience.closes_until(s(5));
        patience.closes_until(s(9));
        assert!(patience.is_closing());
        assert_eq!((patience.next(), patience.due(s(5))), (s(5), Due::Kill));
    }
}
