//! From the process's start to ready, and what an idle host weighs.

use std::time::Instant;

use pairing_tests::TestHost;

use crate::figures::{Figures, ms, percentile};

const STARTS: usize = 7;

pub async fn run(figures: &mut Figures) -> anyhow::Result<()> {
    // The first start fills the cache of compiled components.
    let mut host = TestHost::on("http://127.0.0.1:9/").start().await;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        host.stop().await;
        let begun = Instant::now();
        host.launch().await;
        starts.push(begun.elapsed());
    }
    figures.print(
        "cold start to ready, components cached, p50",
        ms(percentile(&mut starts, 0.5)),
        "≤ 300 ms",
    );
    let status = std::fs::read_to_string(format!("/proc/{}/status", host.pid()))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    let kib: f64 =
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or_default();
    figures.print(
        "idle host without browsers, resident",
        format!("{:.1} MB", kib / 1000.0),
        "≤ 60 MB",
    );
    host.stop().await;
    Ok(())
}
