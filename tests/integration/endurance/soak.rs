//! A host works for a long time under steady load, and needs no more at the end than
//! after its warm-up: memory, files, threads, temporary files.
//!
//! `SOAK_SECONDS` sets how long (`make soak` has two hours). In the short run only a
//! ratio is judged, since a slope says nothing after a minute.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use pairing_tests::{Leftovers, Oracle, TestHost, assert_good, seed, variable};

use super::{link, names, watching};

const SECONDS: u64 = 45;
const FLAGS: &str = "--fake-links-after=50 --fake-flap-every=790";

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: f64,
    rss_kib: f64,
    files: usize,
    threads: usize,
    temporary: usize,
}

impl Sample {
    fn take(host: &TestHost, begun: Instant) -> Self {
        let pid = host.pid();
        let entries = |path: String| fs::read_dir(path).map_or(0, Iterator::count);
        let memory = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let rss = memory.lines().find_map(|line| line.strip_prefix("Rss:"));
        let rss = rss.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        Self {
            at: begun.elapsed().as_secs_f64(),
            rss_kib: rss.unwrap_or(0.0),
            files: entries(format!("/proc/{pid}/fd")),
            threads: entries(format!("/proc/{pid}/task")),
            temporary: temporary(&host.data_dir().join("profiles")),
        }
    }
}

fn temporary(profiles: &Path) -> usize {
    let entries = fs::read_dir(profiles).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(".tmp"));
    folders.map(|folder| fs::read_dir(folder.path()).map_or(0, Iterator::count)).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_under_steady_load_needs_no_more_as_time_goes_by() {
    let seconds = variable("SOAK_SECONDS").unwrap_or(SECONDS);
    let sessions = names("soak", 10);
    let mut host = TestHost::with_fake_browsers(FLAGS).start().await;
    let oracle = Oracle::watch(&host, &watching(&sessions, 2, seed())).await;
    link(&host, &sessions).await;

    let begun = Instant::now();
    let mut samples = Vec::new();
    let every = Duration::from_secs(if seconds > 600 { 10 } else { 2 });
    while begun.elapsed() < Duration::from_secs(seconds) {
        tokio::time::sleep(every).await;
        samples.push(Sample::take(&host, begun));
    }
    // The first third warms up.
    let samples = samples.split_off(samples.len() / 3);
    let (first, last) = (samples[0], samples[samples.len() - 1]);
    let slope = slope(&samples);
    let share = slope * 3600.0 / first.rss_kib * 100.0;
    println!("after warm-up {first:?}, at the end {last:?}; RSS slope {share:.2} % an hour");
    let most = |of: fn(&Sample) -> usize| samples.iter().map(of).max().unwrap_or(0);
    let least = |of: fn(&Sample) -> usize| samples.iter().map(of).min().unwrap_or(0);
    println!(
        "files {}..={}, threads {}..={}",
        least(|it| it.files),
        most(|it| it.files),
        least(|it| it.threads),
        most(|it| it.threads)
    );
    if seconds >= 3600 {
        assert!(share <= 1.0, "memory grows by {share:.2} % an hour");
    } else {
        assert!(last.rss_kib < first.rss_kib * 1.3, "memory grows: {first:?} {last:?}");
    }
    assert!(last.files <= first.files + 20, "files: {first:?} {last:?}");
    assert!(last.threads <= first.threads + 10, "threads: {first:?} {last:?}");
    assert!(last.temporary <= first.temporary, "temporary files: {first:?} {last:?}");

    assert_good(&oracle.verdict().await);
    assert!(!host.log().contains("panicked"), "{}", host.log());
    assert_eq!(host.stop().await, Some(0));
    Leftovers::none(host.folder()).await;
}

/// KiB a second, by least squares.
fn slope(samples: &[Sample]) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (time, memory) = (mean(|it| it.at), mean(|it| it.rss_kib));
    let over: f64 = samples.iter().map(|it| (it.at - time) * (it.rss_kib - memory)).sum();
    let under: f64 = samples.iter().map(|it| (it.at - time).powi(2)).sum();
    if under == 0.0 { 0.0 } else { over / under }
}
