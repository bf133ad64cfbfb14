//! Components of every release load and work in today's host. They stand in
//! `tests/museum`, a folder for each release; what is put there is found.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use pairing_core::{
    clock::Timestamp,
    command::Command,
    event::{CodeNotice, Cursor, EventData, JournalEvent},
    fan_out::{FanOut, Interest, QR_CODE_PLACEHOLDER, Transport},
    handler::{Attempt, EventHandlers, HandleError, HandlerEvent},
    plugin::Slot,
    renderer::{ImageFormat, QrRenderer, RenderOptions},
    session::Status,
    subscription::SubscriptionId,
    workflow::{Effect, EngineReport, Input, Workflow},
};
use pairing_plugin_runtime::{
    Authority, Filling, Origin, Plugins, PluginsConfig, WEBHOOK, digest_of,
};
use serde_json::Value;

use crate::{handlers, limits::context};

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
        let name = path.file_stem().unwrap().to_string_lossy();
        let slot: Slot = name.parse().unwrap();
        (slot, fs::read(path).unwrap())
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
        let (handlers, own): (Vec<_>, Vec<_>) =
            pieces.iter().partition(|(slot, _)| slot.handler().is_some());
        let others: Vec<_> = own.iter().map(|(slot, piece)| (*slot, &piece[..])).collect();
        let plugins = Plugins::load_with(PluginsConfig::default(), &others).await;
        let plugins = plugins.unwrap_or_else(|error| panic!("{}: {error}", release.display()));
        for (slot, piece) in handlers {
            assert_eq!(slot.as_str(), WEBHOOK);
            posts(*slot, piece).await;
            seen.insert(*slot);
        }
        for (slot, _) in own {
            match slot {
                Slot::Workflow => leads_to_a_code(&*plugins.workflow).await,
                Slot::QrRenderer => draws(&*plugins.renderer).await,
                Slot::FanOut => routes(&*plugins.fan_out).await,
                Slot::Handler(_) => unreachable!("see above"),
            }
            seen.insert(*slot);
        }
    }
    assert_eq!(seen.len(), Slot::OWN.len() + 1, "a world has no museum piece: {seen:?}");
}

/// Nobody listens where it is told to post, and it says so.
async fn posts(slot: Slot, component: &[u8]) {
    let handler = slot.handler().unwrap();
    let runtime = handlers::runtime();
    let sealed = runtime.compile(slot, component).await.unwrap();
    let digest = digest_of(component);
    let origin = Origin { digest, source: "upload".into(), is_proven: true };
    let active = runtime.load(slot, sealed, origin).await.unwrap().unwrap();
    let (canary, pins) = (None, Vec::new());
    runtime.fill(slot, Filling { generation: 1, active, canary, pins, is_new: false });
    let nobody = "http://127.0.0.1:1/";
    let settings = serde_json::from_value(serde_json::json!({
        "config": { "url": nobody },
        "grants": {
            "log": true, "config": true, "clock": true, "secrets": true,
            "http": [{ "url": nobody }],
        },
    }));
    let id = SubscriptionId { handler, name: "default".parse().unwrap() };
    let secrets = BTreeMap::from([("signing".to_owned(), "whsec_c2VjcmV0".into())]);
    let authority = Authority { id: id.clone(), settings: settings.unwrap(), secrets };
    runtime.set_subscriptions(handler, vec![authority]);
    let event = HandlerEvent {
        id: "1".into(),
        session: "sales".parse().unwrap(),
        at: Timestamp(1_790_000_000_000),
        data: EventData::SessionDeleted,
    };
    let attempt = Attempt { number: 1, first_at: Timestamp(1_790_000_000_000) };
    let handled = runtime.handle(&id, Arc::new(event), attempt).await;
    let Err(HandleError::Retry { why, .. }) = handled else { panic!("{handled:?}") };
    assert!(why.to_lowercase().contains("refused"), "{why}");
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
