//! The disk gets full under a working host: it warns, then starts no browser, then
//! takes no change, and goes on by itself once there is room. Nothing that it
//! acknowledged is lost, and it does not panic.
//!
//! The disk is a tmpfs of 64 MiB, which takes root to mount; where that is refused
//! the test says so and does nothing.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sys::statvfs::statvfs,
};
use pairing_tests::{Leftovers, Oracle, TestHost, assert_good, seed, until};
use reqwest::Method;
use serde_json::{Value, json};

use super::{link, names, watching};

const SIZE_MIB: u64 = 64;
const RECOVERY_GUARD: Duration = Duration::from_secs(30);

/// A small file system, unmounted at the end.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None where nothing may be mounted.
    fn mount(folder: &Path) -> Option<Self> {
        let options = format!("size={SIZE_MIB}m,mode=0711");
        let none = MsFlags::empty();
        mount(Some("tmpfs-of-the-test"), folder, Some("tmpfs"), none, Some(&*options)).ok()?;
        Some(Self(folder.to_owned()))
    }

    /// Fills it until no more than so many percent are free.
    fn leave(&self, percent: u64) {
        let filler = self.0.join("filler");
        let _ = std::fs::remove_file(&filler);
        let system = statvfs(&self.0).expect("it is mounted");
        let block = system.fragment_size();
        let (free, all) = (system.blocks_available() * block, system.blocks() * block);
        let keep = all * percent / 100;
        let take = free.saturating_sub(keep).max(1);
        let made = Command::new("fallocate")
            .args(["-l", &take.to_string()])
            .arg(&filler)
            .status()
            .expect("util-linux is there");
        assert!(made.success(), "fallocate of {take} bytes");
    }

    fn make_room(&self) {
        let _ = std::fs::remove_file(self.0.join("filler"));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whoever still has a file open there keeps it until then.
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_met_with_refusals_and_forgotten_when_there_is_room() {
    let disks = tempfile::Builder::new().prefix("small-disk-").tempdir().unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o711);
    std::fs::set_permissions(disks.path(), mode).unwrap();
    let Some(disk) = SmallDisk::mount(disks.path()) else {
        println!("SKIPPED: no file system may be mounted here; run it as root");
        return;
    };
    let sessions = names("disk", 4);
    let mut host = TestHost::with_fake_browsers("--fake-links-after=50 --fake-flap-every=790")
        .set("PAIRING_DATA_DIR", disk.0.join("data").display())
        .start()
        .await;
    let mut options = watching(&sessions, 1, seed());
    options.commands_every = 300;
    let oracle = Oracle::watch(&host, &options).await;
    link(&host, &sessions).await;

    disk.leave(8);
    until("it warns", async || host.log().contains("getting full").then_some(())).await;
    host.init("disk-while-low").await;

    disk.leave(4);
    until("it says that no browser starts", async || {
        host.log().contains("no browser starts until there is room").then_some(())
    })
    .await;
    let (status, problem) = try_init(&host, "disk-too-late").await;
    println!("init without room for a browser: {status} {}", problem["code"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!has_started(&host, "disk-too-late"), "no browser starts without room");

    disk.leave(1);
    until("changes are refused", async || {
        let (status, problem) = try_init(&host, "disk-full").await;
        if matches!(status, 507 | 503) { Some(problem) } else { None }
    })
    .await;
    // Reading goes on.
    assert!(host.get("/whatsapp/sessions").await.to_string().contains(&sessions[0]));
    assert!(host.get("/whatsapp/events?after=0&limit=10").await["events"].is_array());
    let live = host.request(Method::GET, "/health/live").send().await.unwrap();
    assert_eq!(live.status(), 200);
    // Not even one byte more.
    disk.leave(0);
    tokio::time::sleep(Duration::from_secs(3)).await;

    disk.make_room();
    let begun = Instant::now();
    until("changes are taken again", async || {
        let (status, _) = try_init(&host, "disk-again").await;
        (status == 200).then_some(())
    })
    .await;
    println!("changes are taken {:?} after there was room again", begun.elapsed());
    assert!(begun.elapsed() < RECOVERY_GUARD);

    if status == 200 {
        until("what waited for room starts", async || {
            has_started(&host, "disk-too-late").then_some(())
        })
        .await;
    }
    assert_good(&oracle.verdict().await);
    assert!(!host.log().contains("panicked"), "{}", host.log());
    // What it wrote can be read by the next host.
    host.kill();
    host.launch().await;
    for session in &sessions {
        host.until_status(session, "CONNECTED").await;
    }
    assert_eq!(host.stop().await, Some(0));
    Leftovers::none(disks.path()).await;
}

fn has_started(host: &TestHost, session: &str) -> bool {
    host.log().lines().any(|line| line.contains("browser started") && line.contains(session))
}

async fn try_init(host: &TestHost, session: &str) -> (u16, Value) {
    let request = host.request(Method::POST, "/whatsapp/init");
    let answer = request.json(&json!({ "sessionName": session })).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}
