//! What the engine adds to Chromium; run by hand:
//! `cargo test -p pairing-engine --test chromium figures -- --ignored --nocapture`.

use std::{
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use crate::harness::{DEADLINE, Setup};

const ROUNDS: usize = 9;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "prints figures"]
async fn prints_what_the_engine_adds() {
    let setup = Setup::new().await;
    let (mut alone, mut to_ref, mut to_event, mut rotation) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let name = format!("round-{round}");
        let took = chromium_alone(&setup, &format!("alone-{round}")).await;
        let begun = Instant::now();
        let mut session = setup.start(&name).await;
        let started = begun.elapsed();
        let shown = ref_shown(&setup);
        let (shown, ()) = tokio::join!(shown, session.hears("started qr!"));
        let heard = begun.elapsed();
        println!("alone {took:?}, started {started:?}, ref {:?}, heard {heard:?}", shown - begun);
        // The first round warms the disk's cache.
        if round > 0 {
            alone.push(took);
            to_ref.push(shown - begun);
            to_event.push(heard);
            let rotated = Instant::now();
            setup.standin.rotate_refs();
            session.hears("qr").await;
            rotation.push(rotated.elapsed());
        }
        session.stop().await;
    }
    for (what, times) in [
        ("Chromium alone, to the page's ref", alone),
        ("engine, to the page's ref", to_ref),
        ("engine, to the QR event", to_event),
        ("a new ref to the QR event", rotation),
    ] {
        println!("{what}: p50 {:?}", median(times));
    }
}

/// Chromium with the page's address and nothing else: no debugging, no agent.
async fn chromium_alone(setup: &Setup, name: &str) -> Duration {
    let profile = setup.folder().join(name);
    std::fs::create_dir(&profile).unwrap();
    let mut command = Command::new("/usr/bin/chromium");
    if nix::unistd::Uid::effective().is_root() {
        std::os::unix::fs::chown(&profile, Some(65534), Some(65534)).unwrap();
        command.uid(65534).gid(65534);
    }
    command.args([
        "--headless=new",
        "--no-first-run",
        "--disable-background-networking",
        "--user-agent=Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0",
    ]);
    command.arg(format!("--user-data-dir={}", profile.display())).arg(setup.standin.base_url());
    command
        .env("HOME", &profile)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    let begun = Instant::now();
    let mut browser = command.spawn().unwrap();
    let shown = ref_shown(setup).await;
    killpg(Pid::from_raw(browser.id().cast_signed()), Signal::SIGKILL).unwrap();
    browser.wait().unwrap();
    setup.standin.wait_for(DEADLINE, |state| state.pages.is_empty()).await.unwrap();
    shown - begun
}

async fn ref_shown(setup: &Setup) -> Instant {
    setup
        .standin
        .wait_for(DEADLINE, |state| state.pages.iter().any(|page| page.reference.is_some()))
        .await
        .unwrap();
    Instant::now()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
