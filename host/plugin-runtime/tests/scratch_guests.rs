#![allow(clippy::unwrap_used)]
use std::time::Instant;
use pairing_core::{clock::Timestamp, command::Command, renderer::*, workflow::{Context, EngineReport, Input, PairingSettings}, event::*, fan_out::*};
use pairing_plugin_runtime::Plugins;
use std::sync::Arc;
fn p(name: &str, mut s: Vec<f64>) { s.sort_by(f64::total_cmp); println!("{name}: p50 {:.1} us p99 {:.1} us", s[s.len()/2], s[s.len()*99/100]); }
#[tokio::test(flavor="multi_thread")]
async fn speed() {
    let plugins = Plugins::load(Default::default()).await.unwrap();
    let context = |input_number| Context { session_name: "bench".parse().unwrap(), now: Timestamp(1_790_000_000_000), seed: 1, input_number, settings: PairingSettings::default() };
    let init = Input::Command { id: 1, command: Command::Init { expected_phone_number: None, confirm: false } };
    let begun = plugins.workflow.handle(None, &init, &context(1)).await.unwrap();
    let state = (begun.state_schema, &begun.transition.state[..]);
    let input = Input::Engine(EngineReport::QrMade { begins_round: true });
    let mut s = vec![];
    for _ in 0..5000 { let t = Instant::now(); plugins.workflow.handle(Some(state), &input, &context(2)).await.unwrap(); s.push(t.elapsed().as_secs_f64()*1e6); }
    p("workflow", s);
    let payload = format!("2@{},{k},{k},{k},1", "x".repeat(90), k = "y".repeat(44)).into();
    let mut s = vec![];
    for _ in 0..300 { let t = Instant::now(); let i = plugins.renderer.render(&payload, RenderOptions::default()).await.unwrap(); s.push(t.elapsed().as_secs_f64()*1e6); if s.len()==1 { println!("png {} bytes {}x{}", i.bytes.len(), i.width, i.height);} }
    p("render png", s);
    let event = JournalEvent { id: Cursor(3), session: "bench".parse().unwrap(), at: Timestamp(1_790_000_000_000), data: EventData::QrCode(CodeNotice { sequence: 1, expires_at: Timestamp(1_790_000_000_000) }) };
    let interests = [Arc::new(Interest { transport: Transport::SocketIo, sessions: None, types: None })];
    let mut s = vec![];
    for _ in 0..3000 { let t = Instant::now(); plugins.fan_out.route(&event, &interests).await.unwrap(); s.push(t.elapsed().as_secs_f64()*1e6); }
    p("route", s);
}
