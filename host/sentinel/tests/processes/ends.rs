//! What ends when something is killed or frozen.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};

use crate::harness::{Debugger, Family, Home, Keeper, count, figures, inner_of};

const LONG: Duration = Duration::from_secs(45);

/// What a killed sentinel's processes may take (A6), on a machine that is busy.
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn the_browsers_own_end_is_told_and_takes_all_with_it() {
    let home = Home::new();
    for with_namespaces in [true, false] {
        let browser = home.fake(&["--children=3"]);
        let keeper = Keeper::start_in(&home, &browser, LONG, with_namespaces);
        let family = Family::of(keeper.sentinel);
        let mut debugger = Debugger::attach(&keeper.address).await;
        debugger.ask("", "Browser.crash", serde_json::json!({})).await;
        assert_eq!(keeper.end(), "exit status: 7");
        assert_eq!(family.left(), [""; 0]);
        assert!(home.is_unlocked());
    }
}

#[test]
fn a_killed_sentinel_takes_the_browser_with_it() {
    let home = Home::new();
    let mut times = Vec::new();
    for round in 0..count("SENTINEL_KILLS", 100) {
        let mut keeper = Keeper::start(&home, &home.fake(&["--children=3", "--stubborn"]), LONG);
        let family = Family::of(keeper.sentinel);
        assert!(family.has_namespace() && family.ids().count() >= 6, "{family:?}");
        let inner = inner_of(keeper.sentinel);
        assert_eq!(family.listeners(), [(inner.as_raw(), 1)]);
        let since = Instant::now();
        kill(if round % 2 == 0 { keeper.sentinel } else { inner }, Signal::SIGKILL).unwrap();
        times.push(family.gone_after(since));
        keeper.kill();
        assert!(home.is_unlocked());
    }
    let slowest = *times.iter().max().unwrap();
    figures("sentinel killed, all gone (fake browser)", times);
    assert!(slowest <= SECOND, "{slowest:?}");
}

#[test]
fn a_killed_sentinel_takes_chromium_with_it() {
    let mut times = Vec::new();
    for round in 0..count("SENTINEL_KILLS", 100).div_ceil(5) {
        let home = Home::new();
        let mut keeper = Keeper::start(&home, &home.chromium(), LONG);
        let family = Family::of(keeper.sentinel);
        let inner = inner_of(keeper.sentinel);
        assert_eq!(family.listeners(), [(inner.as_raw(), 1)]);
        let since = Instant::now();
        kill(if round % 2 == 0 { keeper.sentinel } else { inner }, Signal::SIGKILL).unwrap();
        times.push(family.gone_after(since));
        keeper.kill();
    }
    let slowest = *times.iter().max().unwrap();
    figures("sentinel killed, all gone (Chromium)", times);
    assert!(slowest <= SECOND, "{slowest:?}");
}

#[test]
fn without_namespaces_a_killed_sentinel_takes_the_browser_with_it_too() {
    let home = Home::new();
    let mut times = Vec::new();
    for round in 0..10 {
        let browser = home.fake(&["--children=3", "--stubborn"]);
        let mut keeper = Keeper::start_in(&home, &browser, LONG, false);
        let family = Family::of(keeper.sentinel);
        assert!(!family.has_namespace() && family.ids().count() >= 6, "{family:?}");
        let inner = inner_of(keeper.sentinel);
        let since = Instant::now();
        kill(if round % 2 == 0 { keeper.sentinel } else { inner }, Signal::SIGKILL).unwrap();
        times.push(family.gone_after(since));
        keeper.kill();
    }
    figures("sentinel killed, all gone (no namespaces)", times);
}

#[test]
fn a_frozen_hosts_browser_ends_at_the_deadline() {
    let deadline = Duration::from_secs(4);
    for (arguments, earliest) in [(&["--stubborn"][..], deadline / 2), (&[], Duration::ZERO)] {
        let home = Home::new();
        let mut keeper = Keeper::start(&home, &home.fake(arguments), deadline);
        let family = Family::of(keeper.sentinel);
        // The last renewal was sent before this.
        let frozen = Instant::now();
        keeper.signal(Signal::SIGSTOP);
        let gone = family.gone_after(frozen);
        println!("frozen host, deadline {deadline:?}, {arguments:?}: gone after {gone:?}");
        assert!(gone >= earliest && gone <= deadline + SECOND, "{gone:?}");
        assert!(!home.is_unlocked(), "the frozen host itself still has it");
        keeper.kill();
        assert!(home.is_unlocked());
    }
}

#[test]
fn a_frozen_hosts_chromium_ends_at_the_deadline() {
    let deadline = Duration::from_secs(6);
    let home = Home::new();
    let keeper = Keeper::start(&home, &home.chromium(), deadline);
    let family = Family::of(keeper.sentinel);
    let frozen = Instant::now();
    keeper.signal(Signal::SIGSTOP);
    let gone = family.gone_after(frozen);
    println!("frozen host, deadline {deadline:?}, Chromium: gone after {gone:?}");
    assert!(gone <= deadline + SECOND, "{gone:?}");
}

#[test]
fn a_host_that_lives_keeps_its_browser_beyond_the_deadline() {
    let home = Home::new();
    let keeper = Keeper::start(&home, &home.fake(&[]), Duration::from_secs(5));
    let family = Family::of(keeper.sentinel);
    let members = family.ids().count();
    std::thread::sleep(Duration::from_secs(7));
    assert_eq!(family.left().len(), members);
}

#[test]
fn a_killed_hosts_browser_is_asked_to_close_and_killed_if_it_does_not() {
    let home = Home::new();
    let mut times = Vec::new();
    for round in 0..10 {
        let arguments: &[&str] = if round % 2 == 0 { &[] } else { &["--children=2", "--stubborn"] };
        let mut keeper = Keeper::start_in(&home, &home.fake(arguments), LONG, round % 3 > 0);
        let family = Family::of(keeper.sentinel);
        let since = Instant::now();
        keeper.signal(Signal::SIGKILL);
        let gone = family.gone_after(since);
        keeper.wait();
        assert!(home.is_unlocked());
        if arguments.is_empty() {
            assert!(gone < Duration::from_millis(890), "it closed by itself: {gone:?}");
        }
        times.push(gone);
    }
    let slowest = *times.iter().max().unwrap();
    figures("host killed, all gone (half of them stubborn)", times);
    assert!(slowest <= SECOND * 2, "{slowest:?}");
}

#[test]
fn a_frozen_sentinel_is_killed_by_its_host() {
    let home = Home::new();
    let keeper = Keeper::start(&home, &home.fake(&["--children=2"]), LONG);
    let family = Family::of(keeper.sentinel);
    let since = Instant::now();
    kill(inner_of(keeper.sentinel), Signal::SIGSTOP).unwrap();
    println!("frozen sentinel: all gone after {:?}", family.gone_after(since));
    assert!(keeper.end().contains("SIGKILL"));
}
