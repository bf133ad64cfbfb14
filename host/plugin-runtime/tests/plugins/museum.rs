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

/// The museum's components, each with the slot that its name says.
fn pieces() -> Vec<(PathBuf, Slot)> {
    let museum = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/museum");
    let entries = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|one| one.unwrap().path());
    let releases = entries(museum).filter(|path| path.is_dir());
    let files = releases.flat_map(entries);
    let components = files.filter(|path| path.extension().is_some_and(|ending| ending == "wasm"));
    let with_slot = |path: PathBuf| {
        let slots = Slot::ALL.into_iter();
        let mut named = slots.filter(|slot| path.file_stem().unwrap() == slot.as_str());
        let slot = named.next().unwrap_or_else(|| panic!("{} fills no slot", path.display()));
        (path, slot)
    };
    components.map(with_slot).collect()
}

#[tokio::test]
async fn every_museum_piece_loads_and_works() {
    let pieces = pieces();
    for (path, slot) in &pieces {
        let piece = fs::read(path).unwrap();
        let plugins = Plugins::load_with(PluginsConfig::default(), &[(*slot, &piece)]).await;
        let plugins = plugins.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        println!("{}", path.display());
        match slot {
            Slot::Workflow => leads_to_a_code(&*plugins.workflow).await,
            Slot::QrRenderer => draws(&*plugins.renderer).await,
            Slot::FanOut => routes(&*plugins.fan_out).await,
        }
    }
    let slots: BTreeSet<_> = pieces.iter().map(|(_, slot)| slot.as_str()).collect();
    assert_eq!(slots.len(), Slot::ALL.len(), "a slot has no museum piece: {slots:?}");
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
    let body: Value = serde_json::from_slice(&deliveries[0].body).unwrap();
    assert!(body.to_string().contains(QR_CODE_PLACEHOLDER), "{body}");
}
