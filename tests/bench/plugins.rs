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
    renderer::RenderOptions,
    workflow::{Context, EngineReport, Input, PairingSettings},
};
use pairing_plugin_runtime::Plugins;

use crate::figures::{Figures, ms, percentile, us};

const CALLS: usize = 5000;

pub async fn run(figures: &mut Figures) -> anyhow::Result<()> {
    let plugins = Plugins::load(Default::default()).await?;
    let session: SessionName = "bench".parse().expect("a name by the rule");
    let context = |input_number| Context {
        session_name: session.clone(),
        now: Timestamp(1_790_000_000_000),
        seed: 1,
        input_number,
        settings: PairingSettings::default(),
    };
    let init = Command::Init { expected_phone_number: None, confirm: false };
    let init = Input::Command { id: 1, command: init };
    let begun = plugins.workflow.handle(None, &init, &context(1)).await?;
    let state = (begun.state_schema, &begun.transition.state[..]);
    let input = Input::Engine(EngineReport::QrMade { begins_round: true });
    let mut samples = Vec::new();
    for _ in 0..CALLS {
        let called = Instant::now();
        plugins.workflow.handle(Some(state), &input, &context(2)).await?;
        samples.push(called.elapsed());
    }
    figures.print("workflow call, p50", us(percentile(&mut samples, 0.5)), "≤ 50 µs");
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
