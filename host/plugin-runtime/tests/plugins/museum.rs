//! Components of every release load and work in today's host. They stand in
//! `tests/museum`, a folder for each release; what is put there is found.

use std::{collections::BTreeSet, fs, path::Path, path::PathBuf, sync::Arc};

use pairing_core::{
    clock::Timestamp,
    command::Command,
    event::{CodeNotice, Cursor, EventData, JournalEvent},
    fan_out::{FanOut, Interest, QR_CODE_PLACEHOLDER, Transport},
    plugin::Slot,
    renderer::{ImageFormat, QrRenderer, RenderOptions},
    session::Status,
    workflow::{Effect, EngineReport, Input, Workflow},
};
use pairing_plugin_runtime::{Plugins, PluginsConfig};
use serde_json::Value;

use crate::limits::context;

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> =
        fs::read_dir(folder).unwrap().map(|one| one.unwrap().path()).collect();
    entries.sort();
    entries
}

/// A release's components, each with the slot that its name says.
fn pieces(release: &Path) -> Vec<(Slot, Vec<u8>)> {
    let is_component = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "wasm");
    let piece = |path: PathBuf| {
        let mut slots = Slot::OWN.into_iter();
        let slot = slots.find(|slot| path.file_stem().unwrap() == slot.as_str());
        (
            slot.unwrap_or_else(|| panic!("{} fills no slot", path.display())),
            fs::read(path).unwrap(),
        )
    };
    entries(release).into_iter().filter(is_component).map(piece).collect()
}

#[tokio::test]
async fn every_museum_piece_loads_and_works() {
    let museum = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/museum");
    let mut seen = BTreeSet::new();
    for release in entries(&museum).iter().filter(|path| path.is_dir()) {
        // A panic below is about the release that was named last.
        println!("{}", release.display());
        let pieces = pieces(release);
        let others: Vec<_> = pieces.iter().map(|(slot, piece)| (*slot, &piece[..])).collect();
        let plugins = Plugins::load_with(PluginsConfig::default(), &others).await;
        let plugins = plugins.unwrap_or_else(|error| panic!("{}: {error}", release.display()));
        for (slot, _) in &pieces {
            match slot {
                Slot::Workflow => leads_to_a_code(&*plugins.workflow).await,
                Slot::QrRenderer => draws(&*plugins.renderer).await,
                Slot::FanOut => routes(&*plugins.fan_out).await,
                Slot::Handler(_) => unreachable!("handlers are looked at by themselves"),
            }
            seen.insert(*slot);
        }
    }
    assert_eq!(seen.len(), Slot::OWN.len(), "a slot has no museum piece: {seen:?}");
}

async fn leads_to_a_code(workflow: &dyn Workflow) {
    let init = Command::Init { expected_phone_number: None, confirm: false };
    let init = Input::Command { id: 9, command: init };
    let begun = workflow.handle(None, &init, &context()).await.unwrap();
    assert_eq!(begun.transition.view.status, Status::Connecting);
    assert!(begun.transition.effects.contains(&Effect::StartEngine));
    let state = Some((begun.state_schema, &begun.transition.state[..]));
    let made = Input::Engine(EngineReport::QrMade { begins_round: true });
    let shown = workflow.handle(state, &made, &context()).await.unwrap();
    let view = shown.transition.view;
    assert_eq!(view.status, Status::QrReady);
    assert_eq!(view.shown.unwrap().sequence, 1);
}

async fn draws(renderer: &dyn QrRenderer) {
    let (session, payload) = ("museum".parse().unwrap(), "2@museum,piece,of,the,release");
    let png = RenderOptions::default();
    let image = renderer.render(&session, &payload.into(), png).await.ok().unwrap();
    assert_eq!(image.media_type, "image/png");
    let picture = image::load_from_memory(&image.bytes).unwrap().into_luma8();
    let mut picture = rqrr::PreparedImage::prepare(picture);
    let (_, read) = picture.detect_grids()[0].decode().unwrap();
    assert_eq!(read, payload);

    let svg = RenderOptions { format: ImageFormat::Svg, ..Default::default() };
    let image = renderer.render(&session, &payload.into(), svg).await.ok().unwrap();
    assert_eq!(image.media_type, "image/svg+xml");
    assert!(String::from_utf8(image.bytes).unwrap().contains("<svg"));
}

async fn routes(fan_out: &dyn FanOut) {
    let interest = |sessions: Option<&str>| {
        let sessions = sessions.map(|name| [name.parse().unwrap()].into());
        Arc::new(Interest { transport: Transport::WebSocket, sessions, types: None })
    };
    let event = JournalEvent {
        id: Cursor(41),
        session: "museum".parse().unwrap(),
        at: Timestamp(1_790_000_000_000),
        data: EventData::QrCode(CodeNotice {
            sequence: 3,
            expires_at: Timestamp(1_790_000_060_000),
        }),
    };
    let interests = [interest(None), interest(Some("other"))];
    let deliveries = fan_out.route(&event, &interests).await.unwrap();
    assert_eq!(deliveries.iter().map(|one| one.interest).collect::<Vec<_>>(), [0]);
    let body: Value = serde_json::from_str(&deliveries[0].body).unwrap();
    assert!(body.to_string().contains(QR_CODE_PLACEHOLDER), "{body}");
}
