//! With the components that are shipped, in their sandbox.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use pairing_core::{
    command::Command,
    event::EventData,
    fakes::{FakeCall, FakeClock},
    id::SessionName,
    session::{CodeKind, Reason, Status},
    store::RecordedInput,
    workflow::{
        CodeFailure, CodeFailureKind, Context, EngineFailure, EngineFailureKind, EngineReport,
        Input, Transition, Workflow,
    },
};
use pairing_plugin_runtime::{Plugins, PluginsConfig};
use pairing_sessions::{CommandError, CommandReply};
use secrecy::ExposeSecret;

use crate::host::{Decides, Host, account, bytes_in, everything, name, request_code, within};

async fn plugins() -> Plugins {
    Plugins::load(PluginsConfig::default()).await.unwrap()
}

async fn host(plugins: &Plugins) -> Host {
    let folder = tempfile::tempdir().unwrap();
    Host::start_with(folder, Arc::new(FakeClock::default()), decides(plugins)).await
}

fn decides(plugins: &Plugins) -> Decides {
    let Plugins { workflow, renderer, fan_out } = plugins.clone();
    Decides { workflow, renderer, fan_out }
}

/// A browser that ended.
fn failed() -> EngineReport {
    EngineReport::Failed(EngineFailure {
        kind: EngineFailureKind::BrowserExited,
        step: "running".into(),
        message: "the browser ended".into(),
    })
}

/// All of a session's life that a page can bring about, with every secret planted.
async fn live(host: &Host, session: &SessionName) {
    let status =
        |status| move |snapshot: &pairing_sessions::SessionSnapshot| snapshot.view.status == status;
    host.init(session).await;
    host.say(session, EngineReport::Started).await;
    host.say(session, EngineReport::Loading { percent: 40 }).await;
    host.show_qr(session, "2@planted-qr,one").await;
    host.show_qr(session, "https://wa.me/planted-url").await;

    let refusal = CodeFailure { kind: CodeFailureKind::RateLimited, message: "429".into() };
    host.engine.answer_code(session, Err(refusal));
    let refused = host.command(session, request_code()).await;
    assert!(matches!(refused, Err(CommandError::Refused { .. })));
    host.show_qr(session, "2@planted-qr,two").await;
    host.engine.answer_code(session, Ok("PLANTED1"));
    let made = host.command(session, request_code()).await.unwrap();
    let CommandReply::CodeMade { code, .. } = made else { panic!("no code was made") };
    assert_eq!(code.expose_secret(), "PLANTED1");
    let snapshot = host.sessions.session(session).unwrap();
    assert_eq!(snapshot.shown(host.now()).unwrap().kind, CodeKind::PairingCode);

    host.say(session, EngineReport::Authenticated).await;
    host.until(session, status(Status::Authenticated)).await;
    host.say(session, EngineReport::Ready(account())).await;
    host.until(session, status(Status::Connected)).await;
    host.say(session, EngineReport::ConnectionLost).await;
    host.until(session, status(Status::Connecting)).await;
    host.say(session, EngineReport::Ready(account())).await;
    host.until(session, status(Status::Connected)).await;

    // The browser crashes, and is started again when the time has come.
    let starts = || host.engine.calls(session).iter().filter(|c| **c == FakeCall::Start).count();
    let before = starts();
    host.say(session, failed()).await;
    let waiting =
        host.until(session, |snapshot| snapshot.view.reason == Some(Reason::Reconnecting)).await;
    let next_try_at = waiting.view.detail.as_ref().unwrap().next_try_at.unwrap();
    assert_eq!(starts(), before);
    host.clock.advance(next_try_at.since(host.now()));
    within(host.engine.wait_for(session, &FakeCall::Start, before + 1)).await;
    host.say(session, EngineReport::Started).await;
    host.say(session, EngineReport::Ready(account())).await;
    host.until(session, status(Status::Connected)).await;

    host.say(session, EngineReport::LoggedOut { by_us: false }).await;
    host.until(session, |snapshot| snapshot.view.reason == Some(Reason::UnlinkedFromPhone)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_life_replays_to_the_same_transitions() {
    let plugins = plugins().await;
    let host = host(&plugins).await;
    let session = name("sales");
    live(&host, &session).await;
    let recorded = host.inputs(&session).await;
    host.assert_gapless(std::slice::from_ref(&session)).await;
    host.sessions.stop().await;
    assert!(recorded.len() > 15, "{recorded:?}");
    replay(&*plugins.workflow, &recorded).await;
    // Another process, which compiles anew, comes to the same.
    replay(&*self::plugins().await.workflow, &recorded).await;
}

/// Asks for every decision again, from nothing but what was recorded.
async fn replay(workflow: &dyn Workflow, recorded: &[RecordedInput]) {
    let mut state: Option<(u32, Vec<u8>)> = None;
    for input in recorded {
        let given: Input = serde_json::from_str(&input.input).unwrap();
        let context: Context = serde_json::from_str(&input.context).unwrap();
        let expected: Transition = serde_json::from_str(&input.transition).unwrap();
        let before = state.as_ref().map(|(schema, state)| (*schema, &state[..]));
        let decision = workflow.handle(before, &given, &context).await.unwrap();
        assert_eq!(decision.state_schema, input.state_schema);
        assert_eq!(decision.fuel, input.fuel, "input {}", input.number);
        assert!(input.fuel > 0, "it was not counted");
        assert_eq!(decision.digest, input.digest);
        assert_eq!(decision.transition, expected, "input {}", input.number);
        assert_eq!(context.input_number, input.number);
        state = Some((input.state_schema, expected.state));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_a_life_is_written() {
    let plugins = plugins().await;
    let host = host(&plugins).await;
    let session = name("planted-session");
    live(&host, &session).await;
    host.sessions.stop().await;
    let bytes = bytes_in(host.folder.path());
    let contains = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(contains("planted-session"), "the search finds nothing at all");
    for secret in ["planted-qr", "planted-url", "PLANTED1", "data:image/png"] {
        assert!(!contains(secret), "{secret} was written");
    }
    for payload in ["2@planted-qr,one", "2@planted-qr,two", "PLANTED1"] {
        assert!(!contains(&BASE64_STANDARD.encode(payload)), "{payload} was written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_qr_code_on_a_live_channel_can_be_scanned() {
    let plugins = plugins().await;
    let host = host(&plugins).await;
    let session = name("sales");
    host.init(&session).await;
    let mut subscription = host.subscribe(100);
    host.show_qr(&session, "2@planted-qr,one").await;
    let event = loop {
        let event = within(subscription.next()).await.unwrap();
        if event.name == "qr-code" {
            break event;
        }
    };
    let frame: serde_json::Value = serde_json::from_str(&event.body).unwrap();
    let data = &frame["event"]["data"];
    assert_eq!(data["sequence"], 1);
    let url = data["qrCode"].as_str().unwrap();
    assert_eq!(scanned(url), "2@planted-qr,one");
    let snapshot = host.sessions.session(&session).unwrap();
    assert_eq!(snapshot.qr_data_url(host.now()).as_deref(), Some(url));

    // Somebody who comes later gets it once, without a place to resume after.
    let current = host.sessions.current_codes(&everything()).await;
    assert_eq!(current.len(), 1);
    let frame: serde_json::Value = serde_json::from_str(&current[0].body).unwrap();
    assert_eq!(frame["event"]["id"], serde_json::Value::Null);
    assert_eq!(frame["event"]["data"]["qrCode"], url);
    host.sessions.stop().await;
}

fn scanned(data_url: &str) -> String {
    let png = BASE64_STANDARD.decode(data_url.strip_prefix("data:image/png;base64,").unwrap());
    let image = image::load_from_memory(&png.unwrap()).unwrap().into_luma8();
    let mut image = rqrr::PreparedImage::prepare(image);
    image.detect_grids()[0].decode().unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stretch_of_loading_is_one_line_of_history_and_many_events() {
    let plugins = plugins().await;
    let host = host(&plugins).await;
    let session = name("sales");
    host.init(&session).await;
    host.say(&session, EngineReport::Started).await;
    host.show_qr(&session, "2@planted-qr,one").await;
    host.say(&session, EngineReport::Authenticated).await;
    for percent in [10, 35, 60, 85] {
        host.say(&session, EngineReport::Loading { percent }).await;
    }
    host.say(&session, EngineReport::Ready(account())).await;
    host.until(&session, |session| session.view.status == Status::Connected).await;
    let loading =
        |view: (Status, Option<Reason>)| view == (Status::Authenticated, Some(Reason::Loading));
    let history = host.sessions.history(&session, 0, 100).await.unwrap();
    let lines: Vec<_> = history
        .iter()
        .filter(|line| loading((line.status, line.reason)))
        .map(|line| line.detail.as_ref().unwrap().percent)
        .collect();
    assert_eq!(lines, [Some(10)], "{history:?}");
    assert_eq!(history.last().unwrap().status, Status::Connected, "what follows has its line");
    let updates = host.journal().await.into_iter().filter_map(|event| match event.data {
        EventData::StatusUpdate { status, reason, detail, .. } if loading((status, reason)) => {
            detail.unwrap().percent
        }
        _ => None,
    });
    assert_eq!(updates.collect::<Vec<_>>(), [10, 35, 60, 85]);
    assert_eq!(host.loaded(&session).await, [10, 35, 60, 85]);
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_in_the_middle_of_everything_goes_on() {
    let plugins = plugins().await;
    let host = host(&plugins).await;
    let (pairing, linked) = (name("pairing"), name("linked"));
    for session in [&pairing, &linked] {
        host.init(session).await;
        host.say(session, EngineReport::Started).await;
        host.show_qr(session, "2@planted-qr,one").await;
    }
    host.link(&linked).await;
    let history = host.sessions.history(&linked, 0, 100).await.unwrap();

    let host = host.restart_with(decides(&plugins)).await;
    for session in [&pairing, &linked] {
        within(host.engine.wait_for(session, &FakeCall::Start, 1)).await;
        host.say(session, EngineReport::Started).await;
    }
    let snapshot = host.until(&pairing, |it| it.view.status == Status::Connecting).await;
    assert!(snapshot.qr_data_url(host.now()).is_none());
    host.show_qr(&pairing, "2@planted-qr,two").await;
    host.until(&linked, |session| session.view.status == Status::Connecting).await;
    host.link(&linked).await;
    host.until(&linked, |session| session.view.status == Status::Connected).await;
    let longer = host.sessions.history(&linked, 0, 100).await.unwrap();
    assert_eq!(longer[..history.len()], history[..]);
    assert_eq!(longer.last().unwrap().status, Status::Connected);

    host.command(&pairing, Command::Delete { confirm: false }).await.unwrap();
    let refused = host.command(&linked, Command::Delete { confirm: false }).await;
    assert!(matches!(refused, Err(CommandError::Refused { .. })), "a link needs confirmation");
    host.command(&linked, Command::Delete { confirm: true }).await.unwrap();
    assert!(host.sessions.sessions().is_empty());
    host.assert_gapless(&[]).await;
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_host_announces_goes_through_the_shipped_fan_out() {
    let plugins = plugins().await;
    let host = host(&plugins).await;
    let mut subscription = host.subscribe(100);
    let fields = vec![("code".into(), "page_changed".into()), ("message".into(), "look".into())];
    host.sessions.announce(&[EventData::Other { kind: "alert".into(), fields }]).await.unwrap();
    let heard = within(subscription.next()).await.unwrap();
    assert_eq!(heard.name, "alert");
    let frame: serde_json::Value = serde_json::from_str(&heard.body).unwrap();
    assert_eq!(frame["event"]["sessionName"], "_host");
    assert_eq!(frame["event"]["data"]["code"], "page_changed");
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_looks_at_parks_after_its_first_code() {
    let plugins = plugins().await;
    let host = host(&plugins).await;
    let (watched, unwatched) = (name("watched"), name("unwatched"));
    let _open = host.sessions.watch(&watched);
    for session in [&watched, &unwatched] {
        host.init(session).await;
        host.show_qr(session, "2@one").await;
    }
    host.clock.advance(Duration::from_secs(60));
    host.show_qr(&watched, "2@two").await;
    host.engine.show_qr(&unwatched, "2@two", false).await;
    let parked =
        host.until(&unwatched, |session| session.view.reason == Some(Reason::Parked)).await;
    let message = parked.view.detail.as_ref().unwrap().message.as_ref().unwrap();
    assert!(message.contains("Nobody is looking"), "{message}");
    within(host.engine.wait_for(&unwatched, &FakeCall::Stop, 1)).await;
    host.init(&unwatched).await;
    within(host.engine.wait_for(&unwatched, &FakeCall::Start, 2)).await;
    host.show_qr(&unwatched, "2@three").await;
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_number_is_never_connected_and_is_unlinked_in_the_end() {
    let plugins = plugins().await;
    let host = host(&plugins).await;
    let session = name("sales");
    let command =
        Command::Init { expected_phone_number: Some("4915112345678".into()), confirm: false };
    host.command(&session, command).await.unwrap();
    within(host.engine.wait_for(&session, &FakeCall::Start, 1)).await;
    let EngineReport::Failed(failure) = failed() else { unreachable!("it is a failure") };
    host.engine.fail_log_outs(&session, Some(failure));
    for attempt in 1..=5 {
        host.say(&session, EngineReport::Ready(account())).await;
        within(host.engine.wait_for(&session, &FakeCall::LogOut, attempt)).await;
        let waits = host
            .until(&session, |it| {
                it.view.detail.as_ref().is_some_and(|it| it.next_try_at.is_some())
            })
            .await;
        assert_eq!((waits.view.linked, &waits.view.account), (true, &None));
        if attempt == 5 {
            host.engine.fail_log_outs(&session, None);
        }
        let next_try_at = waits.view.detail.as_ref().unwrap().next_try_at.unwrap();
        host.clock.advance(next_try_at.since(host.now()));
        within(host.engine.wait_for(&session, &FakeCall::Start, attempt + 1)).await;
    }
    host.say(&session, EngineReport::Ready(account())).await;
    let gone = host.until(&session, |it| it.view.status == Status::Disconnected).await;
    assert!(!gone.view.linked);
    within(host.engine.wait_for(&session, &FakeCall::WipeProfile, 1)).await;
    let journal = host.journal().await;
    let kinds: Vec<&str> = journal.iter().map(|event| event.data.kind()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "alert").count(), 1, "{kinds:?}");
    assert!(!kinds.contains(&"session-connected"), "{kinds:?}");
    host.sessions.stop().await;
}

/// Printed, not asserted: how long from a code in the page to the image at a
/// subscriber, on the disk of this machine.
#[tokio::test(flavor = "multi_thread")]
async fn many_codes_in_a_row_reach_the_subscriber_each_once() {
    const CODES: u32 = 20;
    let plugins = plugins().await;
    let host = host(&plugins).await;
    let session = name("sales");
    host.init(&session).await;
    host.say(&session, EngineReport::Started).await;
    let mut subscription = host.subscribe(1_000);
    let mut took = Vec::new();
    for sequence in 1..=CODES {
        let payload = format!("2@{sequence},{}", "x".repeat(220));
        let began = std::time::Instant::now();
        host.engine.show_qr(&session, &payload, sequence == 1).await;
        loop {
            let event = within(subscription.next()).await.unwrap();
            if event.name == "qr-code" {
                took.push(began.elapsed());
                let frame: serde_json::Value = serde_json::from_str(&event.body).unwrap();
                assert_eq!(frame["event"]["data"]["sequence"], sequence);
                assert_eq!(scanned(frame["event"]["data"]["qrCode"].as_str().unwrap()), payload);
                break;
            }
        }
        host.clock.advance(Duration::from_secs(1));
    }
    took.sort();
    eprintln!("from page to subscriber: p50 {:?}, longest {:?}", took[took.len() / 2], took.last());
    host.sessions.stop().await;
}
