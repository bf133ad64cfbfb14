//! How an engine ends: what is told, and that nothing of it is left.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use pairing_core::{
    engine::{Engine, EngineEvent},
    workflow::{EngineFailureKind, EngineReport},
};
use pairing_engine::{ChromiumEngine, Deadlines, EngineConfig};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    sync::mpsc,
};

use crate::harness::{
    DEADLINE, PHONE, Session, Setup, browser_of, config, parent_of, processes_of, script,
};

#[tokio::test(flavor = "multi_thread")]
async fn our_logout_is_told_once_the_server_has_heard_of_it() {
    let setup = Setup::with(|settings, _| settings.logout_delay_ms = 800).await;
    let mut session = setup.linked("one").await;
    session.handle.log_out().await.unwrap();
    session.hears("logged-out-by-us").await;
    let state = setup.standin.state();
    assert_eq!((state.counter("pageLogouts"), state.devices.len()), (1, 0));
    session.stop().await;
    setup.unpaired("one").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_that_nobody_confirms_fails_in_time() {
    let setup = Setup::with(|settings, deadlines| {
        settings.logout_delay_ms = 600_000;
        deadlines.log_out = Duration::from_secs(2);
    })
    .await;
    let mut session = setup.linked("one").await;
    session.handle.log_out().await.unwrap();
    let failure = session.fails().await;
    assert_eq!(failure.kind, EngineFailureKind::Deadline, "{failure}");
    assert!(failure.step.contains("logging out"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_an_unlinked_session_is_done_at_once() {
    let setup = Setup::new().await;
    let mut session = setup.unpaired("one").await;
    session.handle.log_out().await.unwrap();
    session.hears("logged-out-by-us").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phone_removes_the_device() {
    let setup = Setup::new().await;
    let mut session = setup.linked("one").await;
    assert_eq!(setup.standin.unlink(PHONE), 1);
    session.hears("logged-out-by-phone").await;
    session.stop().await;
    setup.wipe("one").await;
    // While the host is away, too.
    setup.linked("one").await.stop().await;
    assert_eq!(setup.standin.unlink(PHONE), 1);
    setup.start("one").await.hears("started logged-out-by-phone").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_browser_is_told_and_none_of_its_processes_is_left() {
    let setup = Setup::new().await;
    let mut session = setup.linked("one").await;
    kill(Pid::from_raw(browser_of(&setup.profile("one")).id), Signal::SIGKILL).unwrap();
    let failure = session.fails().await;
    assert_eq!(failure.kind, EngineFailureKind::BrowserExited, "{failure}");
    setup.assert_nothing_is_left_of("one");
    assert!(session.handle.probe().await.is_err(), "what is asked afterwards fails too");
    setup.start("one").await.hears(&format!("started authenticated ready:{PHONE}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_and_dropping_leave_no_process_at_whatever_moment() {
    let setup = Setup::new().await;
    for moment in ["at once", "loading", "unpaired"] {
        for is_dropped in [false, true] {
            let mut session = setup.start("one").await;
            match moment {
                "at once" => {}
                "loading" => session.hears("started").await,
                _ => session.hears("started qr!").await,
            }
            if is_dropped {
                let mut events = session.events;
                drop(session.handle);
                let last = async {
                    let mut last = None;
                    while let Some(event) = events.recv().await {
                        last = Some(event);
                    }
                    last
                };
                let last = tokio::time::timeout(DEADLINE, last).await.unwrap();
                assert!(
                    matches!(last, Some(EngineEvent::Report(EngineReport::Stopped))),
                    "{last:?}"
                );
            } else {
                session.stop().await;
            }
            setup.assert_nothing_is_left_of("one");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_wiped_only_when_no_engine_runs_on_it() {
    let setup = Setup::new().await;
    let name = "one".parse().unwrap();
    let mut session = setup.linked("one").await;
    let refusal = setup.engine.wipe_profile(&name).await.unwrap_err();
    assert!(refusal.message.contains("one.lock"), "{refusal}");
    let second = setup.engine.start(&name, mpsc::channel(1).0).await.err().unwrap();
    assert_eq!(second.kind, EngineFailureKind::LaunchFailed, "{second}");
    session.stop().await;
    setup.engine.wipe_profile(&name).await.unwrap();
    assert!(!setup.profile("one").exists());
    setup.engine.wipe_profile(&name).await.unwrap();
    setup.unpaired("one").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_cannot_start_is_told_with_its_words() {
    let setup = Setup::new().await;
    let line = "[ \"$1\" = --product-version ] && echo 156.0.8078.79 && exit; echo 'no display' >&2; exit 7";
    let chromium = script(&setup, line);
    let config = config(setup.folder(), &setup.standin.base_url(), Deadlines::default());
    let engine = ChromiumEngine::new(EngineConfig { chromium, ..config }).unwrap();
    let failure = Session::start(&engine, "one").await.err().unwrap();
    assert_eq!(failure.kind, EngineFailureKind::LaunchFailed, "{failure}");
    assert!(failure.message.contains("no display"), "{failure}");
}

/// Set for the copy of this program that plays a host to be killed.
const HOST: &str = "ENGINE_TEST_HOST";

#[tokio::test(flavor = "multi_thread")]
async fn no_browser_outlives_a_killed_host() {
    let setup = Setup::new().await;
    setup.linked("one").await.stop().await;
    let mut host = tokio::process::Command::new(std::env::current_exe().unwrap());
    host.args(["--exact", "ends::plays_a_host", "--ignored", "--nocapture"]);
    host.env(HOST, format!("{} {}", setup.folder().display(), setup.standin.base_url()));
    let mut host = host.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(host.stdout.take().unwrap()).lines();
    let ready = async {
        while !lines
            .next_line()
            .await
            .unwrap()
            .expect("it says when it is ready")
            .contains("host is ready")
        {}
    };
    tokio::time::timeout(DEADLINE, ready).await.unwrap();
    assert!(processes_of(&setup.profile("one")).len() > 3, "the browser runs");
    let socket = socket_of(&setup, "one");
    host.kill().await.unwrap();

    // Its sentinel ends the browser with the host.
    let end = std::time::Instant::now() + DEADLINE;
    while processes_of(&setup.profile("one"))
        .iter()
        .any(|process| process.command.contains("--type=renderer"))
    {
        assert!(std::time::Instant::now() < end, "the browser outlives its host");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut session = setup.start("one").await;
    assert!(!socket.parent().unwrap().exists(), "the browser or the next start has removed it");
    assert_ne!(socket_of(&setup, "one"), socket);
    session.hears(&format!("started authenticated ready:{PHONE}")).await;
    let browser = browser_of(&setup.profile("one"));
    let parents: Vec<_> = std::iter::successors(Some(browser.id), |id| parent_of(*id)).collect();
    let own = std::process::id().cast_signed();
    assert_eq!(parents.iter().position(|id| *id == own), Some(3), "browser, inner, outer, and we");
}

/// Not a test: run by the one above as a process of its own.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "plays a host that is killed"]
async fn plays_a_host() {
    let Ok(given) = std::env::var(HOST) else { return };
    let (folder, page) = given.split_once(' ').unwrap();
    let engine = ChromiumEngine::new(config(folder.as_ref(), page, Deadlines::default())).unwrap();
    let (to, mut events) = mpsc::channel(64);
    let _handle = engine.start(&"one".parse().unwrap(), to).await.unwrap();
    while let Some(event) = events.recv().await {
        if matches!(event, EngineEvent::Report(EngineReport::Ready(_))) {
            println!("host is ready");
        }
    }
}

/// Where a running browser has its socket: in none but our own folders, since a
/// killed one leaves it there.
fn socket_of(setup: &Setup, name: &str) -> PathBuf {
    let socket = fs::read_link(setup.profile(name).join("SingletonSocket")).unwrap();
    assert!(socket.starts_with(setup.folder()), "{}", socket.display());
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_has_its_temporary_files_in_our_folder_whatever_the_length_of_its_name() {
    let setup = Setup::new().await;
    let long = "x".repeat(64);
    let mut session = setup.unpaired(&long).await;
    let socket = socket_of(&setup, &long);
    assert!(socket.exists(), "{}", socket.display());
    kill(Pid::from_raw(browser_of(&setup.profile(&long)).id), Signal::SIGKILL).unwrap();
    session.fails().await;
    assert!(!socket.parent().unwrap().exists());
    setup.wipe(&long).await;
    let names = fs::read_dir(setup.folder()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), [format!("{long}.lock").as_str()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_ends_what_an_earlier_host_has_left_on_the_profile() {
    let setup = Setup::new().await;
    setup.linked("one").await.stop().await;
    let profile = setup.profile("one");
    // As if its parent's death had not reached it: nobody's child, on our profile.
    let mut orphan = Command::new("setpriv");
    if nix::unistd::Uid::effective().is_root() {
        orphan.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    }
    orphan
        .args(["/usr/bin/chromium", "--headless=new", "--no-first-run"])
        .arg(format!("--user-data-dir={}", profile.display()));
    let mut orphan = orphan
        .env("HOME", &profile)
        .env("TMPDIR", &profile)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while profile.join("SingletonLock").symlink_metadata().is_err() {
        assert!(orphan.try_wait().unwrap().is_none(), "the orphan ended by itself");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let reaper = std::thread::spawn(move || orphan.wait());
    setup.start("one").await.hears(&format!("started authenticated ready:{PHONE}")).await;
    let status = tokio::task::spawn_blocking(|| reaper.join().unwrap().unwrap()).await.unwrap();
    assert!(!status.success(), "it was killed: {status}");
}
