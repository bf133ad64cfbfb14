//! What swaps, replays and many sessions cost.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use pairing_core::{
    clock::Timestamp,
    command::Command,
    fakes::{FakeClock, FakeEngine},
    id::SessionName,
    plugin::{PluginError, Slot},
    session::{Account, SessionRecord},
    store::{Commit, RecordedInput, Store},
    workflow::{Context, Decision, EngineReport, Input, PairingSettings, Workflow},
};
use pairing_plugin_registry::{Activate, Push, Registry, RegistryConfig, RegistryParts, Rollback};
use pairing_plugin_runtime::{ChildCompiler, Compiler, Plugins, PluginsConfig, Runtime};
use pairing_sessions::{Sessions, SessionsConfig, SessionsParts};
use pairing_tests::{host_binary, marked, released};
use tokio::task::JoinSet;

use crate::figures::{Figures, ms, percentile};

const SWAPS: usize = 100;
const HISTORIES: usize = 1000;
const INPUTS: u64 = 20;
const REGISTERED: usize = 10_000;
const CALLERS: usize = 64;
const TIME: Duration = Duration::from_secs(5);

pub async fn run(figures: &mut Figures) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    throughput(figures).await?;
    swaps(figures, &store(&folder.path().join("swaps.db")).await?).await?;
    replay(figures, &store(&folder.path().join("replay.db")).await?).await?;
    density(figures, &store(&folder.path().join("density.db")).await?).await
}

async fn store(path: &Path) -> anyhow::Result<Arc<dyn Store>> {
    let url = format!("sqlite:{}", path.display());
    Ok(pairing_store::connect(&pairing_store::Config::new(url)).await?)
}

/// As the host opens it: components are compiled by the host's own binary.
async fn registry(store: &Arc<dyn Store>) -> anyhow::Result<Registry> {
    let compiler = ChildCompiler::new(host_binary(), vec!["compile-plugin".into()]);
    let runtime = Runtime::start(PluginsConfig {
        compiler: Compiler::Child(compiler),
        ..PluginsConfig::default()
    })?;
    let parts = RegistryParts {
        store: store.clone(),
        native_code: store.clone(),
        sessions: store.clone(),
        subscriptions: store.clone(),
        journal: store.clone(),
        secrets_key: vec![7; 32].into(),
        clock: Arc::new(FakeClock::default()),
        runtime,
    };
    let config = RegistryConfig { refuse_unsigned: false, ..RegistryConfig::default() };
    Ok(Registry::open(parts, config).await?)
}

/// Many sessions at once, two processors, no database.
async fn throughput(figures: &mut Figures) -> anyhow::Result<()> {
    let plugins = Plugins::load(PluginsConfig::default()).await?;
    let mut callers = JoinSet::new();
    let until = Instant::now() + TIME;
    for number in 0..CALLERS {
        let workflow = plugins.workflow.clone();
        callers.spawn(async move {
            let name = session(number);
            let mut times = Vec::new();
            let mut state: Option<Decision> = None;
            while Instant::now() < until {
                let number = times.len() as u64;
                let called = Instant::now();
                let decided = decide(&*workflow, &name, state.as_ref(), number).await?;
                times.push(called.elapsed());
                state = Some(decided);
            }
            anyhow::Ok(times)
        });
    }
    let mut times: Vec<Duration> = Vec::new();
    while let Some(caller) = callers.join_next().await {
        times.extend(caller??);
    }
    let rate = times.len() as f64 / TIME.as_secs_f64();
    figures.print("workflow events, 64 sessions at once", format!("{rate:.0}/s"), "≥ 5,000/s");
    figures.print("the same, p99", ms(percentile(&mut times, 0.99)), "< 10 ms");
    Ok(())
}

async fn swaps(figures: &mut Figures, store: &Arc<dyn Store>) -> anyhow::Result<()> {
    let registry = registry(store).await?;
    let plugins = registry.plugins();
    let mut pushes = Vec::new();
    let mut digests = Vec::new();
    for mark in 1..=3 {
        let component = marked(&released("workflow"), mark);
        let begun = Instant::now();
        digests.push(push(&registry, component).await?);
        pushes.push(begun.elapsed());
    }
    let size = released("workflow").len() >> 10;
    figures.print(
        &format!("push of {size} KiB: checked, compiled, probed"),
        ms(percentile(&mut pushes, 0.5)),
        "≤ 2 s",
    );
    let (mut activations, mut rollbacks) = (Vec::new(), Vec::new());
    for swap in 0..SWAPS {
        let begun = Instant::now();
        activate(&registry, &digests[swap % 2]).await?;
        decide(&*plugins.workflow, &session(swap), None, 0).await?;
        activations.push(begun.elapsed());
    }
    for swap in 0..SWAPS {
        let begun = Instant::now();
        let ask = Rollback {
            slot: Slot::Workflow,
            to: Some(digests[swap % 2].clone()),
            why: "bench".into(),
            who: "bench".into(),
        };
        registry.roll_back(ask).await?;
        decide(&*plugins.workflow, &session(0), None, 0).await?;
        rollbacks.push(begun.elapsed());
    }
    let what = "activation to the first event served, p50";
    figures.print(what, ms(percentile(&mut activations, 0.5)), "≤ 5 ms");
    figures.print("the same, p99", ms(percentile(&mut activations, 0.99)), "");
    figures.print("rollback, p99", ms(percentile(&mut rollbacks, 0.99)), "≤ 1 s");
    registry.stop().await;
    Ok(())
}

async fn replay(figures: &mut Figures, store: &Arc<dyn Store>) -> anyhow::Result<()> {
    let registry = registry(store).await?;
    let workflow = registry.plugins().workflow;
    for number in 0..HISTORIES {
        live(store, &*workflow, &session(number), INPUTS).await?;
    }
    let digest = push(&registry, marked(&released("workflow"), 1)).await?;
    let mut times = Vec::new();
    for _ in 0..3 {
        let begun = Instant::now();
        let report = registry.replay(Slot::Workflow, &digest).await?;
        times.push(begun.elapsed());
        anyhow::ensure!(report.inputs == HISTORIES as u64 * INPUTS, "{report:?}");
    }
    figures.print(
        "replay of 1,000 histories of 20 events",
        ms(percentile(&mut times, 0.5)),
        "≤ 2 s",
    );
    registry.stop().await;
    Ok(())
}

/// Sessions that are there and do nothing, as most are most of the time.
async fn density(figures: &mut Figures, store: &Arc<dyn Store>) -> anyhow::Result<()> {
    let registry = registry(store).await?;
    let plugins = registry.plugins();
    for number in 0..REGISTERED {
        live(store, &*plugins.workflow, &session(number), 1).await?;
    }
    let parts = SessionsParts {
        store: store.clone(),
        engine: Arc::new(FakeEngine::default()),
        workflow: plugins.workflow.clone(),
        renderer: plugins.renderer.clone(),
        fan_out: plugins.fan_out.clone(),
        clock: Arc::new(FakeClock::default()),
    };
    let before = resident()?;
    let sessions = Sessions::start(parts, SessionsConfig::default()).await?;
    // Each is told that the host has started; the journal's end says when all were.
    loop {
        let records = store.sessions().await?;
        if records.iter().all(|record| record.input_number > 1) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let each = resident()?.saturating_sub(before) as f64 / REGISTERED as f64 / 1024.0;
    figures.print(
        "10,000 sessions, three plugins: resident, each",
        format!("{each:.1} KiB"),
        "≤ 64 KiB",
    );
    sessions.stop().await;
    registry.stop().await;
    Ok(())
}

/// Bytes of this process that are in memory.
fn resident() -> anyhow::Result<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = statm.split(' ').nth(1).unwrap_or_default().parse()?;
    Ok(pages * 4096)
}

fn session(number: usize) -> SessionName {
    format!("session-{number}").parse().expect("a name by the rule")
}

async fn push(registry: &Registry, component: Vec<u8>) -> anyhow::Result<String> {
    let push = Push {
        slot: Slot::Workflow,
        component,
        signature: None,
        accept_unsigned: None,
        who: "bench".into(),
    };
    Ok(registry.push(push).await?.version.digest.to_string())
}

async fn activate(registry: &Registry, digest: &str) -> anyhow::Result<()> {
    let ask = Activate {
        slot: Slot::Workflow,
        digest: digest.to_owned(),
        canary: None,
        why: "bench".into(),
        who: "bench".into(),
    };
    registry.activate(ask).await?;
    Ok(())
}

/// The `number`th input of a session that is linked, loses its link and finds it again.
fn input(number: u64) -> Input {
    let account = Account { phone_number: "5511999990001".into(), name: None };
    match number {
        0 => Input::Command {
            id: 1,
            command: Command::Init { expected_phone_number: None, confirm: false },
        },
        1 => Input::Engine(EngineReport::Started),
        2 => Input::Engine(EngineReport::QrMade { begins_round: true }),
        3 => Input::Engine(EngineReport::Authenticated),
        number if number % 2 == 0 => Input::Engine(EngineReport::Ready(account)),
        _ => Input::Engine(EngineReport::ConnectionLost),
    }
}

fn context(name: &SessionName, number: u64) -> Context {
    Context {
        session_name: name.clone(),
        now: Timestamp(1_790_000_000_000 + number * 1000),
        seed: number,
        input_number: number + 1,
        settings: PairingSettings::default(),
        watched: true,
    }
}

async fn decide(
    workflow: &dyn Workflow,
    name: &SessionName,
    before: Option<&Decision>,
    number: u64,
) -> anyhow::Result<Decision> {
    let state = before.map(|before| (before.state_schema, &before.transition.state[..]));
    let (input, context) = (input(number), context(name, number));
    loop {
        match workflow.handle(state, &input, &context).await {
            // The host asks again too; the time counts.
            Err(PluginError::Busy { .. }) => tokio::task::yield_now().await,
            answer => return Ok(answer?),
        }
    }
}

/// Lives through some inputs, and writes them down as the host does.
async fn live(
    store: &Arc<dyn Store>,
    workflow: &dyn Workflow,
    name: &SessionName,
    inputs: u64,
) -> anyhow::Result<()> {
    let mut before: Option<Decision> = None;
    for number in 0..inputs {
        let decided = decide(workflow, name, before.as_ref(), number).await?;
        let context = context(name, number);
        let transition = &decided.transition;
        let commit = Commit {
            record: SessionRecord {
                name: name.clone(),
                view: transition.view.clone(),
                state: transition.state.clone(),
                state_schema: decided.state_schema,
                input_number: context.input_number,
                wake_up_at: transition.wake_up_at,
                created_at: context.now,
                updated_at: context.now,
            },
            input: RecordedInput {
                number: context.input_number,
                at: context.now,
                digest: decided.digest.clone(),
                state_schema: decided.state_schema,
                fuel: decided.fuel,
                input: serde_json::to_string(&input(number))?,
                context: serde_json::to_string(&context)?,
                transition: serde_json::to_string(transition)?,
            },
            events: Vec::new(),
            history: None,
            evidence: None,
            delete: false,
        };
        store.commit(&commit).await?;
        before = Some(decided);
    }
    Ok(())
}
