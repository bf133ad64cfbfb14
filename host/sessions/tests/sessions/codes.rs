//! Live secrets: shown in time, to the second, and never written.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use pairing_core::{
    event::EventData,
    plugin::{PluginError, Slot},
    session::CodeKind,
    workflow::EngineReport,
};
use pairing_sessions::CommandReply;
use secrecy::ExposeSecret;

use crate::host::{Host, bytes_in, everything, name, request_code, trap, within};

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_shown_until_it_expires_and_not_longer() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    let snapshot = host.show_qr(&session, "2@planted-qr").await;
    let expires_at = snapshot.shown(host.now()).unwrap().expires_at;
    let drawn = BASE64_STANDARD.encode("2@planted-qr");
    let expected = format!("data:image/png;base64,{drawn}");
    assert_eq!(snapshot.qr_data_url(host.now()).as_deref(), Some(&*expected));
    let just_before = expires_at.before(Duration::from_millis(1));
    assert!(snapshot.qr_data_url(just_before).is_some());
    assert!(snapshot.qr_data_url(expires_at).is_none());
    assert!(snapshot.shown(expires_at).is_none());
    assert_eq!(snapshot.sequence(), 1);
    let image = host.sessions.qr_image(&session, Default::default()).await.unwrap().unwrap();
    assert_eq!((image.sequence, image.expires_at), (1, expires_at));

    host.clock.advance(expires_at.since(host.now()));
    assert!(host.sessions.qr_image(&session, Default::default()).await.unwrap().is_none());
    assert_eq!(host.sessions.current_codes(&everything()).await, []);
    // The workflow was woken, and took it from the view.
    host.until(&session, |session| session.view.shown.is_none()).await;
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_qr_code_reaches_subscribers_as_an_image() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    let mut subscription = host.subscribe(100);
    host.show_qr(&session, "2@planted-qr").await;
    let event = loop {
        let event = within(subscription.next()).await.unwrap();
        if event.name == "qr-code" {
            break event;
        }
    };
    let body: serde_json::Value = serde_json::from_str(&event.body).unwrap();
    let drawn = BASE64_STANDARD.encode("2@planted-qr");
    assert_eq!(body["qrCode"], format!("data:image/png;base64,{drawn}"));
    assert_eq!(body["id"], event.id.unwrap().to_string());
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pairing_code_reaches_its_caller_and_replaces_the_qr_code() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.show_qr(&session, "2@planted-qr").await;
    host.engine.answer_code(&session, Ok("PLANTED1"));
    let Ok(CommandReply::CodeMade { code, expires_at }) =
        host.command(&session, request_code()).await
    else {
        panic!("no code was made");
    };
    assert_eq!(code.expose_secret(), "PLANTED1");
    let snapshot = host.sessions.session(&session).unwrap();
    assert_eq!(snapshot.pairing_code(host.now()).as_deref(), Some("PLANTED1"));
    assert!(snapshot.pairing_code(expires_at).is_none());
    assert!(snapshot.qr_data_url(host.now()).is_none());
    let shown = snapshot.shown(host.now()).unwrap();
    assert_eq!((shown.kind, shown.sequence), (CodeKind::PairingCode, 2));
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_current_codes_are_sent_once_on_resume_and_never_replayed() {
    let host = Host::start().await;
    let (scanning, typing) = (name("scanning"), name("typing"));
    host.init(&scanning).await;
    host.init(&typing).await;
    host.show_qr(&scanning, "2@old").await;
    host.show_qr(&scanning, "2@new").await;
    host.engine.answer_code(&typing, Ok("PLANTED1"));
    host.command(&typing, request_code()).await.unwrap();

    let replayed = host.sessions.events().page(&everything(), Default::default(), 100).await;
    let replayed = replayed.unwrap().deliveries;
    let codes = replayed.iter().filter(|event| event.name.ends_with("code"));
    assert_eq!(codes.clone().count(), 3);
    for event in codes {
        assert!(event.body.contains("ode\":null"), "{}", event.body);
    }
    let current = host.sessions.current_codes(&everything()).await;
    let bodies: Vec<&str> = current.iter().map(|event| &*event.body).collect();
    assert_eq!(bodies.len(), 2, "{bodies:?}");
    assert!(bodies[0].contains(&BASE64_STANDARD.encode("2@new")));
    assert!(bodies[1].contains("\"PLANTED1\""));
    assert!(current.iter().all(|event| event.id.is_none()));
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_image_is_sent_although_the_journal_was_faster() {
    let host = Host::start().await;
    let (slow, other) = (name("slow"), name("other"));
    host.init(&slow).await;
    host.init(&other).await;
    let mut subscription = host.subscribe(100);
    host.renderer.hold();
    let attempts = host.store.attempts();
    host.engine.show_qr(&slow, "2@planted-qr", true).await;
    host.store.attempt(attempts + 1).await;
    while host.journal().await.last().unwrap().data.kind() != "qr-code" {
        tokio::task::yield_now().await;
    }
    host.say(&other, EngineReport::Loading { percent: 1 }).await;
    let mut heard = Vec::new();
    while heard
        .last()
        .is_none_or(|event: &std::sync::Arc<pairing_sessions::Routed>| event.name != "loading")
    {
        heard.push(within(subscription.next()).await.unwrap());
    }
    let empty = heard.iter().find(|event| event.name == "qr-code").unwrap();
    assert!(empty.body.contains("\"qrCode\":null"), "{}", empty.body);

    host.renderer.release();
    let late = within(subscription.next()).await.unwrap();
    assert_eq!((late.name.as_str(), late.id), ("qr-code", None));
    assert!(late.body.contains(&BASE64_STANDARD.encode("2@planted-qr")));
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_could_not_be_drawn_is_drawn_again_and_sent_once_more() {
    let slot = Slot::QrRenderer;
    let pause = Duration::from_secs(10);
    for (failure, rest) in [
        (trap(slot), Duration::from_secs(1)),
        (PluginError::Busy { slot }, Duration::from_secs(1)),
        (PluginError::Paused { slot, retry_after: Some(pause) }, pause),
    ] {
        let host = Host::start().await;
        let session = name("sales");
        host.init(&session).await;
        let mut subscription = host.subscribe(100);
        let mut next_code = async || loop {
            let event = within(subscription.next()).await.unwrap();
            if event.name == "qr-code" {
                break event;
            }
        };
        host.renderer.go_wrong([failure]);
        let snapshot = host.show_qr(&session, "2@planted-qr").await;
        assert!(snapshot.qr_data_url(host.now()).is_none());
        let empty = next_code().await;
        assert!(empty.id.is_some() && empty.body.contains("\"qrCode\":null"), "{}", empty.body);

        host.clock.advance(rest);
        let drawn = next_code().await;
        assert_eq!(drawn.id, None);
        assert!(drawn.body.contains(&BASE64_STANDARD.encode("2@planted-qr")));
        host.until(&session, |session| session.qr_data_url(host.now()).is_some()).await;
        assert_eq!(host.inputs(&session).await.len(), 2, "it is no input");
        host.sessions.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_written() {
    let host = Host::start().await;
    let session = name("planted-session");
    host.init(&session).await;
    host.show_qr(&session, "2@planted-qr").await;
    host.engine.answer_code(&session, Ok("PLANTED1"));
    host.command(&session, request_code()).await.unwrap();
    host.show_qr(&session, "https://wa.me/planted-url").await;
    host.link(&session).await;
    let notices = host.journal().await;
    let notices = notices
        .iter()
        .filter(|event| matches!(event.data, EventData::QrCode(_) | EventData::PairingCode(_)));
    assert_eq!(notices.count(), 3, "that codes were made is told");

    let contains = |text: &str| {
        let bytes = bytes_in(host.folder.path());
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    for moment in ["while it runs", "after it has stopped"] {
        assert!(contains("planted-session"), "{moment}: the search finds nothing at all");
        for secret in ["planted-qr", "PLANTED1", "planted-url"] {
            assert!(!contains(secret), "{moment}: {secret} was written");
            let encoded = BASE64_STANDARD.encode(secret);
            assert!(!contains(encoded.trim_end_matches('=')), "{moment}: {secret} was written");
        }
        assert!(!contains(&BASE64_STANDARD.encode("2@planted-qr")), "{moment}");
        host.sessions.stop().await;
    }
}
