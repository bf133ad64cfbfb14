//! When a failed attempt is repeated.

use std::time::Duration;

/// Longer than this nobody waits, whatever a receiver asks for.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// How long to wait after attempt `attempt` (from 1) has failed; none when it was
/// the last one. `chance` is from 0 to 1.
pub(crate) fn delay(
    retry_seconds: &[u32],
    attempt: u32,
    at_least: Option<Duration>,
    chance: f64,
) -> Option<Duration> {
    let place = usize::try_from(attempt.checked_sub(1)?).ok()?;
    let seconds = f64::from(*retry_seconds.get(place)?);
    // A tenth more or less, so that those who failed together don't come together.
    let varied = Duration::from_secs_f64(seconds * (0.9 + 0.2 * chance.clamp(0.0, 1.0)));
    let at_least = at_least.unwrap_or_default().min(LONGEST);
    Some(varied.max(at_least))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn delays_follow_the_schedule_within_a_tenth() {
        for (attempt, seconds) in [(1, 10), (2, 100)] {
            let of = |chance| delay(&[10, 100], attempt, None, chance).unwrap();
            assert_eq!(of(0.0), SECOND * seconds * 9 / 10);
            assert_eq!(of(0.5), SECOND * seconds);
            assert!(of(1.0) <= SECOND * seconds * 11 / 10 && of(1.0) > of(0.9));
        }
        assert_eq!(delay(&[10, 100], 3, None, 0.5), None, "the third was the last one");
        assert_eq!(delay(&[], 1, None, 0.5), None);
    }

    #[test]
    fn receivers_may_ask_for_more_patience_but_not_for_less_or_more_than_a_day() {
        let of = |after| delay(&[10], 1, Some(after), 0.5);
        assert_eq!(of(SECOND * 3), Some(SECOND * 10));
        assert_eq!(of(SECOND * 30), Some(SECOND * 30));
        assert_eq!(of(LONGEST * 30), Some(LONGEST));
        assert_eq!(delay(&[10], 2, Some(SECOND), 0.5), None, "nor for one attempt more");
    }
}
