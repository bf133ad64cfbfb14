//! As which user, in which namespaces and with how much memory browsers run.

use std::{fs, os::fd::AsFd, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use pairing_sentinel::{Isolation, Launch, MemoryLimits, Sentinel};
use serde_json::json;
use tokio::time::timeout;

use crate::harness::{Debugger, Family, GUARD, Home, Keeper, inner_of, parent, program};

fn status(id: i32, name: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap().trim().to_owned()
}

#[tokio::test]
async fn as_root_and_as_an_ordinary_user_chromium_has_its_own_sandbox_within_ours() {
    for as_root in [true, false] {
        let home = Home::new();
        let keeper = if as_root {
            Keeper::start(&home, &home.chromium(), Duration::from_secs(45))
        } else {
            Keeper::start_as_ordinary_user(&home, &home.chromium())
        };
        let mut debugger = Debugger::attach(&keeper.address).await;
        let page = debugger.open("data:text/html,one").await;
        assert_eq!(debugger.evaluate(&page, "1 + 1").await, 2);
        let family = Family::of(keeper.sentinel);
        let inner = inner_of(keeper.sentinel).as_raw();
        let main = family.ids().find(|id| parent(*id) == Some(inner)).unwrap();
        let is_renderer = |id: &i32| {
            let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains("--type=renderer")
        };
        let renderer = family.ids().find(is_renderer).unwrap();
        assert_eq!(status(renderer, "Seccomp"), "2");
        assert_eq!(status(main, "CapEff"), "0000000000000000");
        for id in [main, renderer] {
            assert!(status(id, "Uid").split_whitespace().all(|uid| uid != "0"));
            // Its number in each namespace: the machine's, ours, and Chromium's own.
            let numbers = status(id, "NSpid").split_whitespace().count();
            assert!(if id == main { numbers == 2 } else { numbers > 2 }, "{numbers}");
        }
        // The machine's own processes can't even be seen.
        let own = fs::read_link(format!("/proc/{main}/ns/mnt")).unwrap();
        assert_ne!(own, fs::read_link("/proc/self/ns/mnt").unwrap());
        // A crash dump would hold the profile's secrets.
        let limits = fs::read_to_string(format!("/proc/{main}/limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
        // As Chromium itself wants it, in our namespaces too.
        let score = fs::read_to_string(format!("/proc/{renderer}/oom_score_adj")).unwrap();
        assert_eq!(score.trim(), "300", "pages go before the host when memory is short");
        kill(keeper.sentinel, Signal::SIGKILL).unwrap();
        family.gone_after(std::time::Instant::now());
    }
}

#[tokio::test]
async fn a_browser_that_takes_too_much_memory_ends_alone_and_its_group_is_removed() {
    let limits = match MemoryLimits::find() {
        Ok(limits) => limits,
        Err(why) => return println!("not tried here: {why}"),
    };
    let home = Home::new();
    let lock = fs::File::create(home.path("lock")).unwrap();
    let memory = limits.group(64 << 20).unwrap();
    let group = memory.folder().to_owned();
    let sentinel = Sentinel::start(Launch {
        program: &program(),
        browser: home.fake(&["--children=1"]),
        isolation: &Isolation::Namespaces,
        lock: Some(lock.as_fd()),
        deadline: Duration::from_secs(45),
        memory: Some(memory),
    })
    .unwrap();
    let address = sentinel.ready().await.unwrap();
    let members = fs::read_to_string(group.join("cgroup.procs")).unwrap();
    let members: Vec<i32> = members.lines().map(|line| line.parse().unwrap()).collect();
    let family = Family::of(Pid::from_raw(sentinel.id()));
    assert_eq!(members.len(), 2, "the browser and its child");
    assert!(members.iter().all(|member| family.ids().any(|id| id == *member)));
    let mut debugger = Debugger::attach(&address).await;
    debugger.tell("Browser.hog", json!({})).await;
    let status = timeout(GUARD, sentinel.ended()).await.unwrap();
    assert!(status.to_string().contains("SIGKILL"), "{status}");
    assert_eq!(family.left(), [""; 0]);
    assert!(!group.exists());
}

#[tokio::test]
async fn namespaces_are_tried_out_and_a_browser_that_is_not_there_is_named() {
    assert_eq!(Isolation::probe(&program()).await.unwrap(), Isolation::Namespaces);
    let home = Home::new();
    let browser = pairing_sentinel::Browser { program: "/no/browser".into(), ..home.fake(&[]) };
    for isolation in [Isolation::Namespaces, Isolation::ProcessGroup { because: String::new() }] {
        let sentinel = Sentinel::start(Launch {
            program: &program(),
            browser: browser.clone(),
            isolation: &isolation,
            lock: None,
            deadline: Duration::from_secs(45),
            memory: None,
        })
        .unwrap();
        let why = timeout(GUARD, sentinel.ready()).await.unwrap().unwrap_err();
        assert!(why.contains("No such file"), "{why}");
        timeout(GUARD, sentinel.ended()).await.unwrap();
    }
    let missing =
        pairing_sentinel::SentinelProgram { program: "/no/sentinel".into(), arguments: Vec::new() };
    let why = Isolation::probe(&missing).await.unwrap_err().to_string();
    assert!(why.contains("/no/sentinel"), "{why}");
}
