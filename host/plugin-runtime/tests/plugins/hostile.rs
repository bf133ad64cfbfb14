//! What becomes of the guests of `tests/guests`: each ends with the right name,
//! and no later call feels anything of it.

use std::{fs, time::Duration};

use pairing_core::{
    plugin::{PluginError, Slot},
    workflow::{Context, Decision, EngineReport, Input},
};
use pairing_plugin_runtime::{
    Filling, Limits, Origin, PluginsConfig, Refusal, Runtime, digest_of, embedded,
};

use crate::limits::context;

#[path = "../../../../tests/guests/component.rs"]
pub(crate) mod component;

macro_rules! guest {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/guests/", $name, ".wat"))
    };
}

const SLOT: Slot = Slot::Workflow;
const HOSTILE: u64 = 666;
const HARMLESS: u64 = 0;

/// The workflow's slot alone is filled.
pub(crate) async fn fill(runtime: &Runtime, component: &[u8]) -> Result<(), Refusal> {
    let sealed = runtime.compile(SLOT, component).await?;
    let digest = digest_of(component);
    let origin = Origin { digest, source: "upload".into(), is_proven: true };
    let active = runtime.load(SLOT, sealed, origin).await?.unwrap();
    let pins = Vec::new();
    runtime.fill(SLOT, Filling { generation: 1, active, canary: None, pins, is_new: false });
    Ok(())
}

async fn with(guest: &str) -> Runtime {
    let runtime = Runtime::start(PluginsConfig::default()).unwrap();
    fill(&runtime, &component::workflow(guest)).await.unwrap();
    runtime
}

async fn refusal(guest: &str) -> Refusal {
    let runtime = Runtime::start(PluginsConfig::default()).unwrap();
    let refusal = fill(&runtime, &component::workflow(guest)).await.unwrap_err();
    // Another one can be loaded all the same.
    fill(&runtime, &component::workflow(guest!("loops"))).await.unwrap();
    ask(&runtime, HARMLESS).await.unwrap();
    refusal
}

async fn ask(runtime: &Runtime, seed: u64) -> Result<Decision, PluginError> {
    let context = Context { seed, ..context() };
    runtime.plugins().workflow.handle(None, &Input::WakeUp, &context).await
}

/// What the hostile call ends with, if the next one is answered.
async fn end(runtime: &Runtime, seed: u64) -> PluginError {
    let error = ask(runtime, seed).await.unwrap_err();
    let next = ask(runtime, HARMLESS).await.unwrap();
    assert!(next.transition.state.is_empty() && next.transition.effects.is_empty());
    error
}

fn is_trap(error: &PluginError, words: &str) -> bool {
    matches!(error, PluginError::Trapped { message, .. } if message.contains(words))
}

#[tokio::test]
async fn loops_are_ended_when_their_time_is_over_wherever_they_are() {
    let budget = Duration::from_millis(50);
    for guest in [guest!("loops"), guest!("loops_after_the_answer")] {
        let runtime = with(guest).await;
        assert_eq!(end(&runtime, HOSTILE).await, PluginError::Deadline { slot: SLOT, budget });
        let longest = longest_call(&runtime);
        assert!(longest >= budget && longest < budget + TWO_TICKS, "{longest:?}");
    }
}

#[tokio::test]
async fn long_instructions_count_by_their_length() {
    let runtime = with(guest!("loops_filling_memory")).await;
    let error = end(&runtime, HOSTILE).await;
    assert!(matches!(error, PluginError::Fuel { .. } | PluginError::Deadline { .. }), "{error:?}");
    let longest = longest_call(&runtime);
    assert!(longest < Duration::from_millis(50) + TWO_TICKS, "{longest:?}");
}

/// It may take this much more than its time. Time of a processor, so that the
/// machine's load does not lengthen it.
const TWO_TICKS: Duration = Duration::from_millis(20);

fn longest_call(runtime: &Runtime) -> Duration {
    runtime.filled(SLOT).unwrap().active.health.p99.unwrap()
}

#[tokio::test]
async fn a_loop_in_the_allocator_is_ended_too() {
    let runtime = with(guest!("loops_in_realloc")).await;
    let workflow = runtime.plugins().workflow;
    for bytes in [665, 666, 667] {
        let state = vec![0; bytes];
        let ended = workflow.handle(Some((1, &state)), &Input::WakeUp, &context()).await;
        assert_eq!(matches!(ended, Err(PluginError::Deadline { .. })), bytes == 666, "{ended:?}");
    }
}

#[tokio::test]
async fn what_loops_or_traps_at_its_start_is_refused() {
    let loops = refusal(guest!("loops_at_start")).await;
    assert!(matches!(loops, Refusal::Start(PluginError::Deadline { .. })), "{loops:?}");
    let Refusal::Start(traps) = refusal(guest!("traps_at_start")).await else { panic!("started") };
    assert!(is_trap(&traps, "unreachable"), "{traps:?}");
}

#[tokio::test]
async fn traps_and_nonsense_end_one_call() {
    let runtime = with(guest!("traps")).await;
    for _ in 0..20 {
        let error = end(&runtime, HOSTILE).await;
        assert!(is_trap(&error, "unreachable"), "{error:?}");
    }
    let runtime = with(guest!("answers_nonsense")).await;
    let error = end(&runtime, HOSTILE).await;
    assert!(is_trap(&error, "out of bounds"), "{error:?}");
}

#[tokio::test]
async fn stack_is_bounded() {
    let runtime = with(guest!("recurses")).await;
    ask(&runtime, 1000).await.unwrap();
    let error = end(&runtime, 1_000_000).await;
    assert!(is_trap(&error, "call stack exhausted"), "{error:?}");
}

#[tokio::test]
async fn sixteen_mebibytes_over_eight_memories_are_granted_and_no_page_more() {
    let runtime = with(guest!("takes_memory")).await;
    ask(&runtime, 31).await.unwrap();
    assert_eq!(end(&runtime, 32).await, PluginError::Memory { slot: SLOT, limit_mib: 16 });
}

#[tokio::test]
async fn what_begins_above_the_cap_is_refused() {
    let refused = refusal(guest!("begins_too_large")).await;
    assert_eq!(refused, Refusal::Memory { wanted: 257 << 16, limit: 16 << 20 });
    let words = refused.to_string();
    assert!(words.contains("17 MiB") && words.contains("16 MiB"), "{words}");
    let in_sum = refusal(guest!("begins_too_large_in_sum")).await;
    assert_eq!(in_sum, Refusal::Start(PluginError::Memory { slot: SLOT, limit_mib: 16 }));
}

#[tokio::test]
async fn the_new_state_is_bounded_and_so_is_what_is_copied_to_look_at_it() {
    let runtime = with(guest!("large_state")).await;
    let limit = 256 << 10;
    let largest = ask(&runtime, limit as u64).await.unwrap();
    assert_eq!(largest.transition.state.len(), limit);
    let too_large = |size| PluginError::TooLarge { slot: SLOT, what: "the new state", size, limit };
    assert_eq!(end(&runtime, limit as u64 + 1).await, too_large(limit + 1));
    let copied = 1 << 20;
    assert_eq!(end(&runtime, copied as u64).await, too_large(copied));
    for size in [copied as u64 + 1, 10 << 20] {
        let error = end(&runtime, size).await;
        assert!(is_trap(&error, "too much data"), "{error:?}");
    }
}

#[tokio::test]
async fn effects_and_events_are_counted() {
    for (guest, what) in [
        (guest!("many_effects"), "the list of effects"),
        (guest!("many_events"), "the list of events"),
    ] {
        let runtime = with(guest).await;
        ask(&runtime, 64).await.unwrap();
        let too_many = PluginError::TooLarge { slot: SLOT, what, size: 65, limit: 64 };
        assert_eq!(end(&runtime, 65).await, too_many);
    }
}

#[tokio::test]
async fn the_input_is_bounded() {
    let runtime = with(guest!("loops")).await;
    let workflow = runtime.plugins().workflow;
    let banned = |length| Input::Engine(EngineReport::Banned { word: "x".repeat(length) });
    let limit = 256 << 10;
    let longest = limit - serde_json::to_string(&banned(0)).unwrap().len();
    workflow.handle(None, &banned(longest), &context()).await.unwrap();
    let error = workflow.handle(None, &banned(longest + 1), &context()).await.unwrap_err();
    let what = "the input";
    assert_eq!(error, PluginError::TooLarge { slot: SLOT, what, size: limit + 1, limit });
}

#[tokio::test]
async fn handles_are_counted() {
    let runtime = Runtime::start(PluginsConfig::default()).unwrap();
    let wit = "package test:leaks;
        interface things { resource thing; }
        world leaks { export pairing-console:workflow/machine@0.1.0; export things; }";
    let leaks = component::workflow_of(guest!("leaks_handles"), wit, "leaks");
    fill(&runtime, &leaks).await.unwrap();
    ask(&runtime, 1000).await.unwrap();
    let error = end(&runtime, 1001).await;
    assert!(is_trap(&error, "store handle limit exceeded"), "{error:?}");
}

#[tokio::test]
async fn core_instances_and_memories_are_counted_before_anything_runs() {
    let runtime = Runtime::start(PluginsConfig::default()).unwrap();
    let instances = |count| {
        format!("(component (core module $m) {})", "(core instance (instantiate $m))".repeat(count))
    };
    let memories = |count| {
        let module = format!("(core module {})", "(memory 1)".repeat(count));
        format!("(component {module} (core instance (instantiate 0)))")
    };
    for (what, text) in
        [("instances", &instances as &dyn Fn(usize) -> String), ("memories", &memories)]
    {
        let eight = fill(&runtime, &wat::parse_str(text(8)).unwrap()).await.unwrap_err();
        assert!(matches!(eight, Refusal::MissingInterface { .. }), "{what}: {eight:?}");
        let nine = fill(&runtime, &wat::parse_str(text(9)).unwrap()).await.unwrap_err();
        assert!(nine.to_string().contains(what) && nine.to_string().contains('8'), "{nine:?}");
    }
}

/// Kilobytes that this process has in memory.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn hostile_calls_leave_no_memory_behind() {
    let limits = Limits { cpu_time: Duration::from_millis(5), ..Default::default() };
    let config = PluginsConfig { limits, ..Default::default() };
    let runtime = Runtime::start(config).unwrap();
    let guests = [
        (guest!("loops"), HOSTILE),
        (guest!("loops_filling_memory"), HOSTILE),
        (guest!("traps"), HOSTILE),
        (guest!("answers_nonsense"), HOSTILE),
        (guest!("recurses"), 1_000_000),
        (guest!("takes_memory"), 32),
        (guest!("large_state"), 10 << 20),
        (guest!("many_effects"), 65),
    ];
    let mut before = 0;
    for round in 0..2 {
        for (guest, seed) in guests {
            fill(&runtime, &component::workflow(guest)).await.unwrap();
            for _ in 0..25 {
                end(&runtime, seed).await;
            }
        }
        // The first round fills what is kept on purpose.
        if round == 0 {
            before = resident();
        }
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 16 << 10, "{grown} KiB more than before");
}

/// Two hundred calls of a session that does nothing wrong, one after the other.
async fn two_hundred_calls(runtime: &Runtime) -> Duration {
    let begun = std::time::Instant::now();
    for _ in 0..200 {
        ask(runtime, HARMLESS).await.unwrap();
    }
    begun.elapsed()
}

/// The bound guards against calls that wait for loops to end (each would take
/// a thousand times as long); `bench looping` has the figures.
#[tokio::test]
async fn loops_that_go_on_and_on_do_not_keep_others_of_their_slot_waiting() {
    // Nobody is told to come again later, however loaded the machine is.
    let max_wait = Duration::from_secs(60);
    let runtime = Runtime::start(PluginsConfig { max_wait, ..Default::default() }).unwrap();
    fill(&runtime, &component::workflow(guest!("loops"))).await.unwrap();
    two_hundred_calls(&runtime).await;
    let quiet = two_hundred_calls(&runtime).await;
    let loops: Vec<_> = (0..4)
        .map(|_| {
            let workflow = runtime.plugins().workflow;
            tokio::spawn(async move {
                let session_name = "hostile".parse().unwrap();
                let context = Context { seed: HOSTILE, session_name, ..context() };
                loop {
                    let ended = workflow.handle(None, &Input::WakeUp, &context).await;
                    assert!(matches!(ended, Err(PluginError::Deadline { .. })), "{ended:?}");
                }
            })
        })
        .collect();
    let mut ratio = f64::MAX;
    for _ in 0..5 {
        let loud = two_hundred_calls(&runtime).await;
        ratio = ratio.min(loud.as_secs_f64() / quiet.as_secs_f64());
    }
    for one in loops {
        one.abort();
        assert!(one.await.unwrap_err().is_cancelled());
    }
    assert!(ratio < 20.0, "{ratio:.1} times the quiet time");
}

#[tokio::test]
async fn the_same_call_uses_the_same_fuel_on_every_host() {
    let mut used = Vec::new();
    for threads in [2, 8] {
        let config = PluginsConfig { threads, ..Default::default() };
        let runtime = Runtime::start(config).unwrap();
        fill(&runtime, &component::workflow(guest!("recurses"))).await.unwrap();
        let recursing = ask(&runtime, 100).await.unwrap().fuel;
        assert!(recursing > 100);
        fill(&runtime, embedded(SLOT).unwrap()).await.unwrap();
        let workflow = runtime.plugins().workflow;
        let first = workflow.handle(None, &Input::HostStarted, &context()).await.unwrap();
        let state = Some((first.state_schema, &first.transition.state[..]));
        let second = workflow.handle(state, &Input::WakeUp, &context()).await.unwrap();
        assert_ne!(first.fuel, second.fuel);
        used.push([recursing, first.fuel, second.fuel]);
    }
    assert_eq!(used[0], used[1]);
}
