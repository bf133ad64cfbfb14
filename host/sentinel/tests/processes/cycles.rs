//! Many starts and stops leave nothing (A16): no process, zombie, namespace, mount,
//! temporary file, shared memory, control group or lock.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    os::{fd::AsFd, unix::fs::MetadataExt},
    time::Duration,
};

use nix::unistd::Pid;
use pairing_sentinel::{Browser, Isolation, Launch, MemoryLimits, Sentinel};
use tokio::time::timeout;

use crate::harness::{Debugger, Family, GUARD, Home, count, figures, program, zombies};

/// What could be left outside of the browser's own folders.
struct Inventory {
    mounts: String,
    shared_memory: BTreeSet<String>,
    temporary: BTreeSet<String>,
    groups: BTreeSet<String>,
    zombies: Vec<i32>,
}

impl Inventory {
    /// What is there now and was not then.
    fn since(&self, before: &Self) -> Vec<String> {
        let mut new = Vec::new();
        for (now, then) in [
            (&self.shared_memory, &before.shared_memory),
            (&self.temporary, &before.temporary),
            (&self.groups, &before.groups),
        ] {
            new.extend(now.difference(then).cloned());
        }
        let mounts: BTreeSet<_> = before.mounts.lines().collect();
        new.extend(self.mounts.lines().filter(|line| !mounts.contains(line)).map(str::to_owned));
        new.extend(self.zombies.iter().map(|id| format!("zombie {id}")));
        new
    }

    fn take(limits: Option<&MemoryLimits>) -> Self {
        let user = browsers_user();
        let names = |folder: &str, is_browsers: bool| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            // Others use these folders, too.
            let entries = entries.filter(|entry| {
                !is_browsers || entry.metadata().is_ok_and(|metadata| metadata.uid() == user)
            });
            let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
            names.filter(|name| !is_browsers || name.contains("hromium")).collect::<BTreeSet<_>>()
        };
        let mut groups = limits.map(|limits| names(limits.folder().to_str().unwrap(), false));
        let own = format!("pairing-{}-", std::process::id());
        groups.iter_mut().for_each(|names| names.retain(|name| name.starts_with(&own)));
        Self {
            mounts: fs::read_to_string("/proc/self/mountinfo").unwrap(),
            shared_memory: names("/dev/shm", true),
            temporary: names("/tmp", true),
            groups: groups.unwrap_or_default(),
            zombies: zombies(),
        }
    }
}

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Whose files the browsers' are.
fn browsers_user() -> u32 {
    let home = Home::new();
    fs::metadata(home.path("profile")).unwrap().uid()
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
    let (before, files) = (Inventory::take(limits.as_ref()), open_files());
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
    // The attendant of the last one, which was dropped, ends by itself; and other
    // tests' browsers may have such files for a while.
    let left = || Inventory::take(limits.as_ref()).since(&before);
    for _ in 0..1500 {
        if left().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(left(), [""; 0]);
    // Other tests of this process have some, too.
    assert!(open_files() < files + cycles / 2 + 20, "{files}, then {}", open_files());
    assert!(fakes.is_unlocked() && chromiums.is_unlocked());
}
