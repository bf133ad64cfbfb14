//! The components that the host carries.

use std::sync::Arc;

use pairing_core::{
    clock::Timestamp,
    command::{Command, Outcome},
    event::{CodeNotice, Cursor, EventData, JournalEvent},
    fan_out::{Interest, QR_CODE_PLACEHOLDER, Transport},
    renderer::{ImageFormat, RenderOptions},
    session::{Reason, Status},
    workflow::{Effect, EngineReport, Input},
};
use pairing_plugin_runtime::{Plugins, PluginsConfig};
use serde_json::{Value, json};

use crate::limits::context;

async fn plugins() -> Plugins {
    Plugins::load(PluginsConfig::default()).await.unwrap()
}

#[tokio::test]
async fn they_say_what_they_are() {
    let plugins = plugins().await;
    let infos = [plugins.workflow.info(), plugins.renderer.info(), plugins.fan_out.info()];
    for info in infos {
        assert_eq!(info.source, "embedded");
        assert_eq!(info.digest.0.len(), 64);
        assert!(!info.name.is_empty() && info.version.contains('.'), "{info:?}");
    }
}

#[tokio::test]
async fn init_starts_the_engine_and_a_code_is_shown() {
    let plugins = plugins().await;
    let init = Command::Init { expected_phone_number: None, confirm: false };
    let init = Input::Command { id: 9, command: init };
    let begun = plugins.workflow.handle(None, &init, &context()).await.unwrap();
    assert_eq!(begun.digest, plugins.workflow.info().digest);
    let view = &begun.transition.view;
    assert_eq!((view.status, view.reason), (Status::Connecting, Some(Reason::Starting)));
    assert!(begun.transition.effects.contains(&Effect::StartEngine));
    let replied =
        |effect: &Effect| matches!(effect, Effect::Reply { id: 9, outcome: Outcome::Done(_) });
    assert!(begun.transition.effects.iter().any(replied));
    assert!(begun.transition.wake_up_at > Some(context().now));

    let state = Some((begun.state_schema, &begun.transition.state[..]));
    let made = Input::Engine(EngineReport::QrMade { begins_round: true });
    let shown = plugins.workflow.handle(state, &made, &context()).await.unwrap();
    let view = shown.transition.view;
    assert_eq!(view.status, Status::QrReady);
    let code = view.shown.unwrap();
    assert_eq!((code.sequence, code.expires_at), (1, Timestamp(1_790_000_060_000)));
}

#[tokio::test]
async fn the_same_input_gives_the_same_decision() {
    let plugins = plugins().await;
    let init =
        Command::Init { expected_phone_number: Some("5511987654321".into()), confirm: false };
    let init = Input::Command { id: 1, command: init };
    let first = plugins.workflow.handle(None, &init, &context()).await.unwrap();
    let again = plugins.workflow.handle(None, &init, &context()).await.unwrap();
    assert_eq!(first, again);
}

#[tokio::test]
async fn a_png_is_read_back_to_its_payload() {
    let plugins = plugins().await;
    let payload = format!("2@{},{k},{k},{k},1", "x".repeat(90), k = "y".repeat(44));
    let image = plugins
        .renderer
        .render(&"sales".parse().unwrap(), &payload.clone().into(), RenderOptions::default())
        .await;
    let image = image.ok().unwrap();
    assert_eq!(image.media_type, "image/png");
    let picture = image::load_from_memory(&image.bytes).unwrap().into_luma8();
    assert_eq!(picture.dimensions(), (image.width, image.height));
    let mut picture = rqrr::PreparedImage::prepare(picture);
    let (_, read) = picture.detect_grids()[0].decode().unwrap();
    assert_eq!(read, payload);
}

#[tokio::test]
async fn an_svg_is_drawn_too() {
    let plugins = plugins().await;
    let options = RenderOptions { format: ImageFormat::Svg, ..Default::default() };
    let image = plugins
        .renderer
        .render(&"sales".parse().unwrap(), &"https://wa.me/x".into(), options)
        .await
        .ok()
        .unwrap();
    assert_eq!(image.media_type, "image/svg+xml");
    assert!(String::from_utf8(image.bytes).unwrap().contains("<svg"));
}

fn interest(transport: Transport, session: Option<&str>, kind: Option<&str>) -> Arc<Interest> {
    let sessions = session.map(|name| [name.parse().unwrap()].into());
    let types = kind.map(|kind| [kind.to_owned()].into());
    Arc::new(Interest { transport, sessions, types })
}

fn qr_event() -> JournalEvent {
    let notice = CodeNotice { sequence: 3, expires_at: Timestamp(1_790_000_060_000) };
    JournalEvent {
        id: Cursor(41),
        session: "sales".parse().unwrap(),
        at: Timestamp(1_790_000_000_000),
        data: EventData::QrCode(notice),
    }
}

#[tokio::test]
async fn an_event_goes_to_whom_it_concerns_in_the_shape_of_each_transport() {
    let plugins = plugins().await;
    let interests = [
        interest(Transport::SocketIo, None, None),
        interest(Transport::WebSocket, Some("sales"), Some("qr-code")),
        interest(Transport::EventStream, Some("other"), None),
        interest(Transport::EventStream, None, Some("loading")),
    ];
    let deliveries = plugins.fan_out.route(&qr_event(), &interests).await.unwrap();
    let served: Vec<_> = deliveries.iter().map(|one| (one.interest, &one.name[..])).collect();
    assert_eq!(served, [(0, "qr-code"), (1, "qr-code")]);

    let flat: Value = serde_json::from_str(&deliveries[0].body).unwrap();
    assert_eq!(flat["sessionName"], "sales");
    assert_eq!(flat["qrCode"], QR_CODE_PLACEHOLDER);
    assert_eq!(flat["sequence"], 3);
    let frame: Value = serde_json::from_str(&deliveries[1].body).unwrap();
    assert_eq!(frame["type"], "event");
    assert_eq!(frame["event"]["id"], json!("41"));
    assert_eq!(frame["event"]["data"]["qrCode"], QR_CODE_PLACEHOLDER);
}

#[tokio::test]
async fn any_number_of_interests_is_served() {
    let plugins = plugins().await;
    let interests: Vec<_> = (0..200)
        .map(|number| interest(Transport::SocketIo, Some(&format!("s{number}")), None))
        .chain([interest(Transport::SocketIo, Some("sales"), None)])
        .collect();
    let deliveries = plugins.fan_out.route(&qr_event(), &interests).await.unwrap();
    assert_eq!(deliveries.iter().map(|one| one.interest).collect::<Vec<_>>(), [200]);
}
