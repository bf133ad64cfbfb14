//! How many events a subscriber gets at once. All handlers share the host's
//! places, so who keeps them for long gets few: one that never answers holds two,
//! however many sessions it has.

use std::time::Duration;

/// An attempt that takes longer is slow, however it ends.
const SLOW: Duration = Duration::from_secs(1);

/// Two, so that one session's event that gets no answer leaves a way to the others.
const FEWEST: usize = 2;

/// Grows by one with each attempt that was quick, and halves with each that was
/// slow, down to [`FEWEST`].
pub(crate) struct Pace(usize);

impl Default for Pace {
    fn default() -> Self {
        Self(FEWEST)
    }
}

impl Pace {
    /// So many may be in flight.
    pub(crate) fn at_once(&self, allowed: u32) -> usize {
        self.0.min(Self::most(allowed))
    }

    /// An attempt took so long.
    pub(crate) fn took(&mut self, time: Duration, allowed: u32) {
        let now = self.at_once(allowed);
        self.0 =
            if time > SLOW { (now / 2).max(FEWEST) } else { (now + 1).min(Self::most(allowed)) };
    }

    fn most(allowed: u32) -> usize {
        allowed.clamp(1, 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(900);
    const LATE: Duration = Duration::from_secs(5);

    #[test]
    fn who_is_quick_soon_gets_all_that_is_allowed_and_who_is_slow_two() {
        let mut pace = Pace::default();
        assert_eq!((pace.at_once(8), pace.at_once(1)), (2, 1), "nobody knows it yet");
        (0..20).for_each(|_| pace.took(QUICK, 8));
        assert_eq!(pace.at_once(8), 8);
        assert_eq!(pace.at_once(3), 3, "a narrower setting counts at once");
        pace.took(LATE, 8);
        assert_eq!(pace.at_once(8), 4);
        (0..3).for_each(|_| pace.took(LATE, 8));
        assert_eq!(pace.at_once(8), 2, "and never none");
        pace.took(QUICK, 8);
        assert_eq!(pace.at_once(8), 3);
    }

    #[test]
    fn settings_out_of_bounds_do_no_harm() {
        let mut pace = Pace::default();
        (0..200).for_each(|_| pace.took(QUICK, u32::MAX));
        assert_eq!((pace.at_once(u32::MAX), pace.at_once(0)), (64, 1));
    }
}
