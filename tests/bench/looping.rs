//! What callers of a workflow that loop for ever do to the other sessions: both
//! are of the same slot, and even of the same component.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use pairing_core::{
    clock::Timestamp,
    plugin::{PluginError, Slot},
    workflow::{Context, Decision, Input, PairingSettings, Workflow},
};
use pairing_plugin_runtime::Plugins;
use tokio::task::JoinSet;

use crate::figures::{Figures, percentile, us};

#[path = "../guests/component.rs"]
mod component;

const SESSIONS: usize = 64;
const LOOPING: usize = 4;
const ROUNDS: u32 = 4;
const TIME: Duration = Duration::from_millis(2500);
/// The guest's word for looping.
const HOSTILE: u64 = 666;

pub async fn run(figures: &mut Figures) -> anyhow::Result<()> {
    let guest = component::workflow(include_str!("../guests/loops.wat"));
    let plugins = Plugins::load_with(Default::default(), &[(Slot::Workflow, &guest)]).await?;
    let (mut quiet, mut loud) = (Rounds::default(), Rounds::default());
    // By turns, because the machine's own load comes and goes.
    for _ in 0..ROUNDS {
        measure(&plugins.workflow, 0, &mut quiet).await?;
        measure(&plugins.workflow, LOOPING, &mut loud).await?;
    }
    let rate = quiet.times.len() as f64 / (TIME * ROUNDS).as_secs_f64();
    figures.print("64 sessions, quiet: workflow calls/s", format!("{rate:.0}"), "");
    let (before, after) = (quiet.p99(), loud.p99());
    figures.print("64 sessions, quiet: p99", us(before), "");
    let share = loud.times.len() as f64 / quiet.times.len() as f64;
    let share = format!("{:.1} %", 100.0 * share);
    figures.print("with 4 that loop for ever: throughput", share, "≥ 90 % of quiet");
    let times = format!("{:.2}", after.as_secs_f64() / before.as_secs_f64());
    figures.print("with 4 that loop for ever: p99", times, "≤ 2 times quiet");
    figures.print("with 4 that loop for ever: loops that were ended", loud.ended, "");
    Ok(())
}

#[derive(Default)]
struct Rounds {
    /// Of the sessions' calls.
    times: Vec<Duration>,
    /// Calls of the looping callers that were cut off.
    ended: usize,
}

impl Rounds {
    fn p99(&mut self) -> Duration {
        percentile(&mut self.times, 0.99)
    }
}

/// All sessions call one after the other for as long as the round lasts.
async fn measure(
    workflow: &Arc<dyn Workflow>,
    looping: usize,
    rounds: &mut Rounds,
) -> anyhow::Result<()> {
    let over = Arc::new(AtomicBool::new(false));
    let mut loops = JoinSet::new();
    for number in 0..looping {
        let (workflow, over) = (workflow.clone(), over.clone());
        loops.spawn(async move {
            let context = context(format!("loops-{number}"), HOSTILE);
            let mut ended = 0;
            while !over.load(Relaxed) {
                match ask(&workflow, &context).await {
                    Err(PluginError::Deadline { .. }) => ended += 1,
                    other => anyhow::bail!("a loop was not ended: {other:?}"),
                }
            }
            Ok(ended)
        });
    }
    let mut sessions = JoinSet::new();
    for number in 0..SESSIONS {
        let (workflow, over) = (workflow.clone(), over.clone());
        sessions.spawn(async move {
            let context = context(format!("session-{number}"), 0);
            let mut times = Vec::new();
            while !over.load(Relaxed) {
                let called = Instant::now();
                ask(&workflow, &context).await?;
                times.push(called.elapsed());
            }
            Ok::<_, PluginError>(times)
        });
    }
    tokio::time::sleep(TIME).await;
    over.store(true, Relaxed);
    while let Some(session) = sessions.join_next().await {
        rounds.times.extend(session??);
    }
    while let Some(looping) = loops.join_next().await {
        rounds.ended += looping??;
    }
    Ok(())
}

/// Whoever is told that the plugin is busy asks again, as the host does. That
/// comes where other programs use the machine, and is part of the call's time.
async fn ask(workflow: &Arc<dyn Workflow>, context: &Context) -> Result<Decision, PluginError> {
    loop {
        match workflow.handle(None, &Input::WakeUp, context).await {
            Err(PluginError::Busy { .. }) => tokio::task::yield_now().await,
            answer => return answer,
        }
    }
}

fn context(session_name: String, seed: u64) -> Context {
    Context {
        session_name: session_name.parse().expect("a name by the rule"),
        now: Timestamp(1_790_000_000_000),
        seed,
        input_number: 1,
        settings: PairingSettings::default(),
        watched: true,
    }
}
