//! Many starts and stops leave nothing (A16): no process, zombie, namespace, mount,
//! temporary file, shared memory, control group or lock.

use std::{
    fs::{self, File},
    os::fd::AsFd,
    time::Duration,
};

use nix::unistd::Pid;
use pairing_sentinel::{Browser, Isolation, Launch, MemoryLimits, Sentinel};
use tokio::time::timeout;

use crate::harness::{Debugger, Family, GUARD, Home, count, figures, program, zombies};

/// What could be left outside of the browser's own folders.
#[derive(Debug, PartialEq, Eq)]
struct Inventory {
    mounts: String,
    shared_memory: Vec<String>,
    temporary: Vec<String>,
    groups: Vec<String>,
    zombies: Vec<i32>,
    open_files: usize,
}

impl Inventory {
    fn take(limits: Option<&MemoryLimits>) -> Self {
        let names = |folder: &str| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            let mut names: Vec<_> =
                entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        };
        // Others use the folder too.
        let mut temporary = names("/tmp");
        temporary.retain(|name| name.contains("hromium"));
        let mut groups = limits.map(|limits| names(limits.folder().to_str().unwrap()));
        let own = format!("pairing-{}-", std::process::id());
        groups.iter_mut().for_each(|names| names.retain(|name| name.starts_with(&own)));
        Self {
            mounts: fs::read_to_string("/proc/self/mountinfo").unwrap(),
            shared_memory: names("/dev/shm"),
            temporary,
            groups: groups.unwrap_or_default(),
            zombies: zombies(),
            open_files: fs::read_dir("/proc/self/fd").unwrap().count(),
        }
    }
}

/// One start and one end; how it ends depends on the round.
async fn cycle(
    home: &Home,
    browser: Browser,
    limits: Option<&MemoryLimits>,
    round: usize,
) -> (Family, Duration) {
    let lock = File::create(home.path("lock")).unwrap();
    lock.try_lock().expect("the one before has freed it");
    let isolation = Isolation::Namespaces;
    let program = program();
    let launch = Launch {
        program: &program,
        browser,
        isolation: &isolation,
        lock: Some(lock.as_fd()),
        deadline: Duration::from_secs(45),
        memory: limits.map(|limits| limits.group(1 << 30).unwrap()),
    };
    let sentinel = Sentinel::start(launch).unwrap();
    let address = sentinel.ready().await.unwrap();
    let family = Family::of(Pid::from_raw(sentinel.id()));
    assert!(family.has_namespace());
    let since = std::time::Instant::now();
    match round % 4 {
        0 => sentinel.kill(),
        1 => sentinel.close(Duration::from_secs(20)),
        2 => {
            let mut debugger = Debugger::attach(&address).await;
            debugger.ask("", "Browser.close", serde_json::json!({})).await;
        }
        _ => drop(sentinel),
    }
    drop(lock);
    let family = tokio::task::spawn_blocking(move || {
        let time = family.gone_after(since);
        (family, time)
    });
    family.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_starts_and_stops_leave_nothing() {
    let cycles = count("BROWSER_CYCLES", 100);
    let limits = MemoryLimits::find().ok();
    let (fakes, chromiums) = (Home::new(), Home::new());
    let (mut fake_times, mut chromium_times) = (Vec::new(), Vec::new());
    // The first one opens what this process keeps.
    cycle(&fakes, fakes.fake(&[]), limits.as_ref(), 0).await;
    let before = Inventory::take(limits.as_ref());
    for round in 0..cycles {
        let is_chromium = round % 20 == 19;
        let (home, browser) = if is_chromium {
            (&chromiums, chromiums.chromium())
        } else {
            (&fakes, fakes.fake(&["--children=2"]))
        };
        let place = if is_chromium { round / 20 } else { round };
        let ended = timeout(GUARD, cycle(home, browser, limits.as_ref(), place));
        let (family, time) = ended.await.unwrap();
        assert_eq!(family.left(), [""; 0], "round {round}");
        if is_chromium { &mut chromium_times } else { &mut fake_times }.push(time);
    }
    figures("end asked for, all gone (fake browser)", fake_times);
    figures("end asked for, all gone (Chromium)", chromium_times);
    // The attendant of the last one, which was dropped, ends by itself.
    let mut after = Inventory::take(limits.as_ref());
    for _ in 0..200 {
        if after == before {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        after = Inventory::take(limits.as_ref());
    }
    assert_eq!(after, before);
    assert!(fakes.is_unlocked() && chromiums.is_unlocked());
}
