//! Histories of pages and hosts on a fake clock. A failing seed replays:
//! `LIVENESS_SEED=… cargo nextest run -p pairing-engine liveness`.

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;
use crate::config::Deadlines;

const HISTORIES: u64 = 4000;
const MINUTES: u64 = 60;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A seed from the environment, or a new one; printed in either case.
fn seed() -> u64 {
    let given = std::env::var("LIVENESS_SEED").ok();
    let seed = given.map_or_else(|| rand::rng().random(), |text| text.parse().unwrap());
    println!("LIVENESS_SEED={seed}");
    seed
}

/// What a page does with a question.
type Answers = Box<dyn FnMut(&mut StdRng) -> Option<Duration>>;

/// A page and a host, played on a clock of their own.
struct Play {
    random: StdRng,
    liveness: Liveness,
    now: Duration,
    answers: Answers,
    /// When answers and messages come.
    coming: Vec<Duration>,
    /// While the host does nothing: from, to.
    stalls: Vec<(Duration, Duration)>,
    /// The whole machine stalls, and so does the page.
    page_stalls_too: bool,
    page_stops: Option<Duration>,
    acts: Vec<(Duration, Act)>,
    last_life: Duration,
}

impl Play {
    fn new(seed: u64, answers: Answers) -> Self {
        let mut liveness = Liveness::new(Duration::ZERO, Deadlines::default().patience());
        liveness.becomes(Duration::ZERO, Page::Linked);
        Self {
            random: StdRng::seed_from_u64(seed),
            liveness,
            now: Duration::ZERO,
            answers,
            coming: Vec::new(),
            stalls: Vec::new(),
            page_stalls_too: false,
            page_stops: None,
            acts: Vec::new(),
            last_life: Duration::ZERO,
        }
    }

    fn until(&mut self, end: Duration) {
        while self.now < end {
            let tick = self.now + self.liveness.next_tick();
            let sign = self.coming.iter().copied().min();
            let at = sign.unwrap_or(tick).min(tick);
            let stall = self.stalls.iter().find(|(from, to)| (*from..*to).contains(&at)).copied();
            self.now = match stall {
                None => at,
                // Whatever waited is let in in any order, soon after the host woke.
                Some((from, to)) => {
                    self.stalls.retain(|stall| *stall != (from, to));
                    for sign in &mut self.coming {
                        if self.page_stalls_too && *sign >= from {
                            *sign += to - from;
                        } else if *sign < to {
                            *sign = to + ms(self.random.random_range(0..90));
                        }
                    }
                    to + ms(self.random.random_range(0..90))
                }
            };
            let signs = self.coming.len();
            self.coming.retain(|sign| *sign > self.now);
            let act = if self.coming.len() < signs {
                self.last_life = self.now;
                self.liveness.lives(self.now)
            } else {
                self.liveness.tick(self.now)
            };
            if let Some(act) = act {
                self.acts.push((self.now, act));
            }
            if act == Some(Act::Ask)
                && self.page_stops.is_none_or(|stops| self.now < stops)
                && let Some(after) = (self.answers)(&mut self.random)
                && self.page_stops.is_none_or(|stops| self.now + after < stops)
            {
                self.coming.push(self.now + after);
            }
        }
    }

    fn repairs(&self) -> Vec<(Duration, Act)> {
        self.acts.iter().filter(|(_, act)| *act != Act::Ask).copied().collect()
    }
}

/// Seconds to answer, with jitter; one answer in ten is lost, but never two in a row.
fn slow_and_lossy(random: &mut StdRng, slowest: u64) -> Answers {
    let usual = random.random_range(0..slowest - 500);
    let jitter = random.random_range(1..500);
    let mut was_lost = false;
    Box::new(move |random| {
        was_lost = !was_lost && random.random_bool(0.1);
        (!was_lost).then(|| ms(usual + random.random_range(0..jitter)))
    })
}

/// Longer than an answer may take, every time.
fn always_late(random: &mut StdRng, slowest: u64) -> Answers {
    let usual = random.random_range(3500..slowest - 700);
    Box::new(move |random| Some(ms(usual + random.random_range(0..700))))
}

fn stalls(random: &mut StdRng) -> Vec<(Duration, Duration)> {
    let mut stalls = Vec::new();
    let mut at = 0;
    loop {
        at += random.random_range(10_000..180_000);
        let longest = if random.random_bool(0.5) { 3_000 } else { 150_000 };
        let length = random.random_range(20..longest);
        if at > MINUTES * 60_000 {
            return stalls;
        }
        stalls.push((ms(at), ms(at + length)));
        at += length;
    }
}

#[test]
fn a_slow_but_healthy_page_is_never_repaired() {
    let first = seed();
    let mut asked = 0;
    for seed in (first..).take(usize::try_from(HISTORIES).unwrap()) {
        let mut random = StdRng::seed_from_u64(seed);
        let (host_stalls, page_stalls_too) = (random.random_bool(0.7), random.random_bool(0.5));
        // A stall between two ticks can't be noticed: with it an answer must still be in time.
        let unseen = if host_stalls { 1100 } else { 0 };
        let answers = match random.random_bool(0.5) {
            true => slow_and_lossy(&mut random, 3900 - unseen),
            false => always_late(&mut random, 7900 - unseen),
        };
        let mut play = Play::new(seed, answers);
        if host_stalls {
            play.stalls = stalls(&mut random);
            play.page_stalls_too = page_stalls_too;
        }
        play.until(Duration::from_secs(MINUTES * 60));
        asked += play.acts.len();
        assert_eq!(play.repairs(), [], "LIVENESS_SEED={seed} repairs a healthy page");
    }
    println!("{HISTORIES} healthy hours, {asked} questions, 0 repairs");
    assert!(asked > 1_000_000);
}

#[test]
fn a_page_that_stops_is_always_noticed_and_given_up_in_time() {
    let first = seed();
    let (mut noticed, mut given_up) = (Vec::new(), Vec::new());
    for seed in (first..).take(usize::try_from(HISTORIES).unwrap()) {
        let mut random = StdRng::seed_from_u64(seed);
        let mut play = Play::new(seed, slow_and_lossy(&mut random, 3900));
        let stops = ms(random.random_range(0..300_000));
        play.page_stops = Some(stops);
        play.until(stops + Duration::from_secs(40));
        let repairs = play.repairs();
        let steps: Vec<_> = repairs.iter().map(|(_, act)| *act).collect();
        let all = [RepairStep::Agent, RepairStep::Reload, RepairStep::Restart].map(Act::Repair);
        assert_eq!(steps, all, "LIVENESS_SEED={seed}");
        // The page may have been silent for a while when it stopped.
        noticed.push(repairs[0].0.saturating_sub(stops).as_millis());
        given_up.push(repairs[2].0.saturating_sub(stops).as_millis());
        assert!(play.last_life <= stops);
    }
    for (what, times, limit) in [("noticed", noticed, 15_000), ("given up", given_up, 30_000)] {
        let mut times = times;
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 100];
        println!("{what} after ms: p50 {}, p95 {}, max {}", at(50), at(95), at(100));
        assert!(at(100) <= limit, "LIVENESS_SEED from {first}: {what} after {} ms", at(100));
    }
}

fn dead(seconds: u64) -> Play {
    let mut play = Play::new(1, Box::new(|_| None));
    play.until(Duration::from_secs(seconds));
    play
}

#[test]
fn an_answer_that_comes_late_is_life_and_ends_the_repair() {
    let mut play = dead(14);
    assert_eq!(play.repairs().last().unwrap().1, Act::Repair(RepairStep::Agent));
    assert!(play.liveness.is_down());
    assert_eq!(play.liveness.lives(play.now), Some(Act::Recovered));
    assert!(!play.liveness.is_down());
    assert_eq!(play.liveness.lives(play.now), None, "it is told once");
}

#[test]
fn what_waited_while_the_host_slept_is_let_in_before_it_is_judged() {
    for answers in [true, false] {
        // The second question is open, and would be missed in a moment.
        let mut play = dead(11);
        assert_eq!(play.acts.len(), 2, "{:?}", play.acts);
        play.liveness.next_tick();
        let woke = play.now + Duration::from_secs(3600);
        assert_eq!(play.liveness.tick(woke), None);
        if answers {
            assert_eq!(play.liveness.lives(woke + ms(5)), None);
        }
        play.now = woke + ms(5);
        play.until(woke + Duration::from_secs(3));
        let repaired = !play.repairs().is_empty();
        assert_eq!(repaired, !answers, "{:?}", play.acts);
    }
}

#[test]
fn a_relapse_begins_with_the_next_step_and_a_later_death_with_the_first() {
    let mut play = dead(14);
    play.liveness.lives(play.now);
    play.until(play.now + Duration::from_secs(13));
    assert_eq!(play.repairs().last().unwrap().1, Act::Repair(RepairStep::Reload));
    play.liveness.lives(play.now);
    play.until(play.now + Duration::from_secs(13));
    assert_eq!(play.repairs().last().unwrap().1, Act::Repair(RepairStep::Restart));
    assert_eq!(play.liveness.lives(play.now), None, "given up is given up");

    let mut play = dead(14);
    play.liveness.lives(play.now);
    play.answers = Box::new(|_| Some(ms(10)));
    play.until(play.now + Duration::from_secs(660));
    play.answers = Box::new(|_| None);
    play.until(play.now + ms(12_500));
    assert_eq!(play.repairs().last().unwrap().1, Act::Repair(RepairStep::Agent));
}

#[test]
fn an_unready_page_is_given_up_late_and_without_repair_and_an_absent_one_not_judged() {
    let mut play = Play::new(1, Box::new(|_| None));
    play.liveness.becomes(play.now, Page::Absent);
    play.until(Duration::from_secs(300));
    assert_eq!(play.acts, []);
    play.liveness.becomes(play.now, Page::Unready);
    play.until(play.now + Duration::from_secs(30));
    let steps: Vec<_> = play.repairs().iter().map(|(_, act)| *act).collect();
    assert_eq!(steps, [Act::Repair(RepairStep::Restart)]);
}
