//! What a call of a component costs, through the host's own traits.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD as STANDARD};
use pairing_core::{
    clock::Timestamp,
    command::Command,
    id::SessionName,
    plugin::Slot,
    renderer::RenderOptions,
    workflow::{Context, EngineReport, Input, PairingSettings},
};
use pairing_plugin_runtime::{
    Origin, Past, Plugins, PluginsConfig, ReplayEnd, Runtime, Step, digest_of, embedded,
};

use crate::figures::{Figures, ms, percentile, us};

const CALLS: usize = 5000;
/// Fewer than make a call slow.
const ROUND: usize = 20;

pub async fn run(figures: &mut Figures) -> anyhow::Result<()> {
    let plugins = Plugins::load(Default::default()).await?;
    let session: SessionName = "bench".parse().expect("a name by the rule");
    let context = |input_number| Context {
        session_name: session.clone(),
        now: Timestamp(1_790_000_000_000),
        seed: 1,
        input_number,
        settings: PairingSettings::default(),
        watched: true,
    };
    let init = Command::Init { expected_phone_number: None, confirm: false };
    let init = Input::Command { id: 1, command: init };
    let begun = plugins.workflow.handle(None, &init, &context(1)).await?;
    let state = (begun.state_schema, &begun.transition.state[..]);
    let input = Input::Engine(EngineReport::ConnectionLost);
    let mut samples = Vec::new();
    for _ in 0..CALLS {
        let called = Instant::now();
        plugins.workflow.handle(Some(state), &input, &context(2)).await?;
        samples.push(called.elapsed());
    }
    let whole = percentile(&mut samples, 0.5);
    figures.print("workflow call, p50", us(whole), "≤ 50 µs");
    let bare =
        bare_call(&input, &context(2), (begun.state_schema, &begun.transition.state)).await?;
    figures.print("of that the guest, without queue, routing, metrics", us(bare), "");
    figures.print("the host's part", us(whole.saturating_sub(bare)), "≤ 10 µs");
    figures.print("workflow call, p99", us(percentile(&mut samples, 0.99)), "≤ 250 µs");

    // As long as the real ones: a ref, three keys of 32 bytes and a number.
    let session = "bench".parse().expect("a name by the rule");
    let payload = format!("2@{},{k},{k},{k},1", "x".repeat(90), k = "y".repeat(44)).into();
    let mut samples: Vec<Duration> = Vec::new();
    for _ in 0..200 {
        let called = Instant::now();
        let image = plugins.renderer.render(&session, &payload, RenderOptions::default()).await?;
        black_box(format!("data:{};base64,{}", image.media_type, STANDARD.encode(image.bytes)));
        samples.push(called.elapsed());
    }
    figures.print("QR payload to PNG data URL, p50", ms(percentile(&mut samples, 0.5)), "≤ 3 ms");
    figures.print("QR payload to PNG data URL, p99", ms(percentile(&mut samples, 0.99)), "");
    Ok(())
}

/// The same call many times on one of the guests' threads: a store, an instance, the
/// call itself, and the conversion of what goes in and comes out.
async fn bare_call(
    input: &Input,
    context: &Context,
    state: (u32, &[u8]),
) -> anyhow::Result<Duration> {
    let runtime = Runtime::start(PluginsConfig::default())?;
    let component = embedded(Slot::Workflow).expect("it is built in");
    let sealed = runtime.compile(Slot::Workflow, component).await?;
    let origin =
        Origin { digest: digest_of(component), source: "embedded".into(), is_proven: true };
    let version = runtime.load(Slot::Workflow, sealed, origin).await?.expect("just sealed");
    let start = Some((state.0, state.1.to_vec()));
    let plugins = Plugins::load(PluginsConfig::default()).await?;
    let decided = plugins.workflow.handle(Some(state), input, context).await?.transition;
    let step = Step { input: input.clone(), context: context.clone(), decided };
    let mut samples = Vec::new();
    for _ in 0..CALLS / ROUND {
        // A report that changes nothing more, so that each step is like the others.
        let past = Past { start: start.clone(), steps: vec![step.clone(); ROUND], present: None };
        let called = Instant::now();
        let replayed = version.replay(&runtime, past).await?;
        anyhow::ensure!(matches!(replayed.end, ReplayEnd::Identical), "{replayed:?}");
        samples.push(called.elapsed() / ROUND as u32);
    }
    Ok(percentile(&mut samples, 0.5))
}
