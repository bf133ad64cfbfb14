//! Swaps while sessions are at work: nothing fails, nothing is lost or doubled, and
//! nobody is served by what was left.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use pairing_core::{
    command::Command,
    plugin::{PluginDigest, Slot},
    workflow::Transition,
};
use pairing_plugin_registry::{Activate, Push, Registry, RegistryConfig};
use pairing_plugin_runtime::digest_of;
use pairing_sessions::{CommandReply, Sessions};
use pairing_tests::{TestApi, chameleon};
use tokio::sync::Semaphore;

const SESSIONS: usize = 500;
const SWAPS: usize = 200;
/// So many commands are under way at once: they and the swaps share SQLite's one
/// writer, and each swap waits for those before it.
const AT_ONCE: usize = 32;

/// The versions that take turns.
fn versions() -> [(&'static str, PluginDigest, Vec<u8>); 2] {
    ["1.0.0", "2.0.0"].map(|version| {
        let component = chameleon(version, "plain");
        (version, digest_of(&component), component)
    })
}

async fn push_all(registry: &Registry) {
    for (_, _, component) in versions() {
        let push = Push {
            slot: Slot::Workflow,
            component,
            signature: None,
            accept_unsigned: None,
            who: "test".into(),
        };
        registry.push(push).await.expect("a good component");
    }
}

async fn activate(registry: &Registry, digest: &PluginDigest) {
    let ask = Activate {
        slot: Slot::Workflow,
        digest: digest.to_string(),
        canary: None,
        why: "its turn".into(),
        who: "test".into(),
    };
    let activated = registry.activate(ask).await.expect("nothing speaks against it");
    assert_eq!(activated.pinned_sessions, 0);
}

/// How far the swaps are. Swap `n` makes version `n % 2` active.
struct Progress {
    begun: AtomicUsize,
    done: AtomicUsize,
    is_over: AtomicBool,
    turns: Semaphore,
}

/// The swaps that were done when a call began, and begun when it was answered.
type Between = (usize, usize);

/// One session at work: each answer must be the next count.
async fn work(sessions: Sessions, number: usize, progress: Arc<Progress>) -> Vec<Between> {
    let name = format!("session-{number}").parse().expect("a name by the rule");
    let mut calls = Vec::new();
    while !progress.is_over.load(Ordering::Acquire) {
        let _turn = progress.turns.acquire().await.expect("it is never closed");
        let done = progress.done.load(Ordering::Acquire);
        let command = Command::Init { expected_phone_number: None, confirm: false };
        let answer = sessions.command(&name, command).await;
        calls.push((done, progress.begun.load(Ordering::Acquire)));
        let Ok(CommandReply::Done { message }) = answer else { panic!("a call failed") };
        assert_eq!(message, format!("counts {}", calls.len()), "neither lost nor doubled");
    }
    calls
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_swaps_under_load_fail_no_call_and_lose_no_input() {
    // What the gate costs is measured by the bench; here it is the swap that counts.
    let rules =
        RegistryConfig { refuse_unsigned: false, replayed_sessions: 10, ..Default::default() };
    let mut api = TestApi::with_plugins(rules).await;
    push_all(&api.registry).await;
    let versions = versions();
    activate(&api.registry, &versions[0].1).await;

    let progress = Arc::new(Progress {
        begun: AtomicUsize::new(0),
        done: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
        turns: Semaphore::new(AT_ONCE),
    });
    let workers: Vec<_> = (0..SESSIONS)
        .map(|number| tokio::spawn(work(api.sessions.clone(), number, progress.clone())))
        .collect();
    for swap in 1..=SWAPS {
        progress.begun.store(swap, Ordering::Release);
        activate(&api.registry, &versions[swap % 2].1).await;
        progress.done.store(swap, Ordering::Release);
        let health = &api.registry.slots()[0].active.health;
        assert!(health.errors.is_empty(), "{health:?}");
    }
    progress.is_over.store(true, Ordering::Release);
    let mut served: BTreeMap<PluginDigest, u64> = BTreeMap::new();
    for (number, worker) in workers.into_iter().enumerate() {
        let calls = worker.await.expect("no assertion failed");
        check_records(&api, number, &calls, &mut served).await;
    }
    let by = |version: usize| served.get(&versions[version].1).copied().unwrap_or(0);
    assert!(by(0) > SESSIONS as u64 && by(1) > SESSIONS as u64, "both were at work: {served:?}");
    assert!(api.registry.parked(Slot::Workflow, 1).await.expect("a store").is_empty());
    api.stop().await;
}

/// What was recorded: each input once, by a version that was active between question
/// and answer, and that has left its name in the state.
async fn check_records(
    api: &TestApi,
    number: usize,
    calls: &[Between],
    served: &mut BTreeMap<PluginDigest, u64>,
) {
    let versions = versions();
    let name = format!("session-{number}").parse().expect("a name by the rule");
    let inputs = api.store.inputs(&name, 0, u32::MAX).await.expect("a store");
    let numbers: Vec<_> = inputs.iter().map(|input| input.number).collect();
    assert_eq!(numbers, (1..=calls.len() as u64).collect::<Vec<_>>());
    for (input, (done, begun)) in inputs.into_iter().zip(calls) {
        let transition: Transition = serde_json::from_str(&input.transition).expect("as recorded");
        let state = String::from_utf8(transition.state).expect("text");
        let decided = versions.iter().find(|(version, _, _)| state.ends_with(version));
        assert_eq!(
            input.digest,
            decided.expect("one of the two").1,
            "the record names who decided"
        );
        let mut allowed = (*done..=*begun).map(|swap| &versions[swap % 2].1);
        assert!(
            allowed.any(|digest| *digest == input.digest),
            "{state} was decided between swaps {done} and {begun}"
        );
        *served.entry(input.digest).or_default() += 1;
    }
}

/// Bytes of this process that are in memory.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: u64 = statm.split(' ').nth(1).and_then(|text| text.parse().ok()).expect("pages");
    pages * 4096
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_swaps_leave_memory_as_it_was() {
    let mut api = TestApi::start().await;
    push_all(&api.registry).await;
    let versions = versions();
    let swap_and_call = async |swap: usize| {
        activate(&api.registry, &versions[swap % 2].1).await;
        let name = "session-1".parse().expect("a name by the rule");
        let command = Command::Init { expected_phone_number: None, confirm: false };
        assert!(api.sessions.command(&name, command).await.is_ok());
    };
    for swap in 0..100 {
        swap_and_call(swap).await;
    }
    let before = resident();
    for swap in 0..1000 {
        swap_and_call(swap).await;
    }
    let after = resident();
    assert!(
        after < before + before / 20,
        "{} KiB before and {} KiB after a thousand swaps",
        before >> 10,
        after >> 10
    );
    api.stop().await;
}
