//! What the page can do wrong. Whatever it is, the engine goes on or ends in a
//! typed reason; a deadline is short only where it is meant to pass.

use std::time::Duration;

use pairing_core::workflow::{EngineFailure, EngineFailureKind};
use pairing_engine::{ChromiumEngine, Deadlines, EngineConfig};
use standin::{Config, Fault, FaultKind, LogoutEvent, Settings, Standin};

use crate::harness::{DEADLINE, PHONE, Session, Setup, config};

const SHORT: Duration = Duration::from_secs(4);

/// Meets one fault at the start, and fails of it.
async fn fails_of(
    fault: FaultKind,
    change: impl FnOnce(&mut Settings, &mut Deadlines),
) -> EngineFailure {
    let setup = Setup::with(change).await;
    setup.standin.add_fault(Fault::always(fault));
    let failure = setup.start("one").await.fails().await;
    setup.assert_nothing_is_left_of("one");
    failure
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_module_is_named() {
    for module in ["WAWebSocketModel", "WAWebSignalStoreApi"] {
        let missing = FaultKind::ModuleMissing { module: module.to_owned() };
        let failure = fails_of(missing, |_, deadlines| deadlines.boot = SHORT).await;
        assert_eq!(failure.kind, EngineFailureKind::PageChanged, "{failure}");
        assert!(failure.message.contains(module), "{failure}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_module_is_waited_for() {
    let setup = Setup::new().await;
    for module in ["WAWebConnModel", "WAWebUserPrefsMultiDevice", "WAWebUserPrefsMeUser"] {
        setup
            .standin
            .add_fault(Fault::once(FaultKind::ModuleLate { module: module.to_owned(), ms: 1500 }));
    }
    setup.linked("one").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_makes_no_new_codes_is_told() {
    let setup = Setup::with(|_, deadlines| deadlines.boot = 3 * SHORT).await;
    let mut session = setup.unpaired("one").await;
    setup.standin.add_fault(Fault::once(FaultKind::RefsRunOut));
    session.hears("qr-expired").await;
    setup.standin.add_fault(Fault::always(FaultKind::NeverOpens));
    session.handle.refresh_qr().await.unwrap();
    let failure = session.fails().await;
    assert_eq!(failure.kind, EngineFailureKind::Deadline, "{failure}");
    setup.standin.clear_faults();

    let (module, function) = ("WAWebLaunchSocketUtils".to_owned(), "refreshQR".to_owned());
    setup.standin.add_fault(Fault::once(FaultKind::FunctionMissing { module, function }));
    let session = setup.unpaired("one").await;
    let failure = session.handle.refresh_qr().await.unwrap_err();
    assert_eq!(failure.kind, EngineFailureKind::PageChanged, "{failure}");
    assert!(failure.message.contains("WAWebLaunchSocketUtils#refreshQR"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_never_boots_or_never_opens_fails_in_time() {
    let failure = fails_of(FaultKind::NeverBoots, |_, deadlines| deadlines.boot = SHORT).await;
    assert_eq!(failure.kind, EngineFailureKind::PageChanged, "{failure}");
    let failure = fails_of(FaultKind::NeverOpens, |_, deadlines| deadlines.boot = SHORT).await;
    assert_eq!(failure.kind, EngineFailureKind::Deadline, "{failure}");
    assert!(failure.step.contains("OPENING"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_linked_page_that_is_never_ready_fails_in_time() {
    let setup = Setup::with(|_, deadlines| deadlines.sync = SHORT).await;
    setup.standin.add_fault(Fault::always(FaultKind::NeverReady));
    let mut session = setup.unpaired("one").await;
    setup.standin.scan_payload(&session.qr).await.unwrap();
    session.hears("authenticated").await;
    let failure = session.fails().await;
    assert_eq!(failure.kind, EngineFailureKind::Deadline, "{failure}");
    assert!(failure.step.contains("synchronising"), "{failure}");
    setup.standin.clear_faults();
    setup.start("one").await.hears(&format!("started authenticated ready:{PHONE}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_at_any_moment_is_no_failure() {
    let setup = Setup::new().await;
    setup.standin.add_fault(Fault::once(FaultKind::ReloadDuringInjection { ms: 30 }));
    setup.standin.add_fault(Fault::once(FaultKind::ReloadAfterLink { ms: 10 }));
    let mut session = setup.unpaired("one").await;
    setup.standin.add_fault(Fault::once(FaultKind::Reload { ms: 0 }));
    session.hears("qr!").await;
    setup.standin.scan_payload(&session.qr).await.unwrap();
    // The scan may be seen before the reload, after it, or both.
    let ready = format!("ready:{PHONE}");
    loop {
        let word = session.next("ready").await;
        if word == ready {
            break;
        }
        assert_eq!(word, "authenticated");
    }
    setup.standin.add_fault(Fault::once(FaultKind::Reload { ms: 0 }));
    session.hears(&format!("connection-lost {ready}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_request_survives_a_reload() {
    let setup = Setup::new().await;
    let session = setup.unpaired("one").await;
    setup.standin.add_fault(Fault::once(FaultKind::CodeHangs));
    let phone = async {
        setup.standin.wait_for(DEADLINE, |state| state.counter("codesAsked") == 1).await.unwrap();
        setup.standin.add_fault(Fault::once(FaultKind::Reload { ms: 0 }));
    };
    let (code, ()) = tokio::join!(session.handle.request_pairing_code(PHONE), phone);
    code.unwrap();
    assert_eq!(setup.standin.state().counter("codesAsked"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_asked_for_before_the_page_can_make_one_is_made() {
    let setup = Setup::new().await;
    let module = "WAWebAltDeviceLinkingApi".to_owned();
    setup.standin.add_fault(Fault::once(FaultKind::ModuleLate { module, ms: 1500 }));
    let session = setup.unpaired("one").await;
    session.handle.request_pairing_code(PHONE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_answers_with_an_error_or_not_at_all_is_told() {
    let failure = fails_of(FaultKind::PageStatus { status: 503 }, |_, _| {}).await;
    assert_eq!(failure.kind, EngineFailureKind::NavigationFailed, "{failure}");
    assert!(failure.message.contains("503"), "{failure}");

    let setup = Setup::new().await;
    // An address at which nobody listens.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let engine = ChromiumEngine::new(config(
        setup.folder(),
        &format!("http://{address}/"),
        Deadlines::default(),
    ))
    .unwrap();
    let failure = Session::start(&engine, "one").await.unwrap().fails().await;
    assert_eq!(failure.kind, EngineFailureKind::NavigationFailed, "{failure}");
    assert!(failure.message.contains("ERR_CONNECTION_REFUSED"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_browser_account_and_version_are_told_apart() {
    let setup = Setup::new().await;
    for (fault, word) in [
        (FaultKind::UnsupportedBrowser, "client-outdated"),
        (FaultKind::Blocked { state: "DEPRECATED_VERSION".to_owned() }, "client-outdated"),
        (FaultKind::Blocked { state: "TOS_BLOCK".to_owned() }, "banned:TOS_BLOCK"),
    ] {
        setup.standin.add_fault(Fault::once(fault));
        let mut session = setup.start("one").await;
        session.hears(&format!("started {word}")).await;
        session.stop().await;
    }
    setup.standin.add_fault(Fault::once(FaultKind::PasskeyRequired));
    let mut session = setup.unpaired("one").await;
    setup.standin.scan_payload(&session.qr).await.unwrap_err();
    session.hears("passkey-required").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_that_was_asked_for_before_anybody_listened_is_told() {
    let setup = Setup::new().await;
    let module = "WAWebLinkDeviceEvents".to_owned();
    setup.standin.add_fault(Fault::once(FaultKind::ModuleMissing { module }));
    setup.standin.add_fault(Fault::once(FaultKind::PasskeyRequired));
    let mut session = setup.unpaired("one").await;
    setup.standin.scan_payload(&session.qr).await.unwrap_err();
    session.hears("passkey-required").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_and_a_use_elsewhere_are_told_and_keep_the_link() {
    let setup = Setup::new().await;
    let mut session = setup.linked("one").await;
    setup.standin.add_fault(Fault::once(FaultKind::SocketLost { ms: 300 }));
    session.hears(&format!("connection-lost ready:{PHONE}")).await;
    setup.standin.add_fault(Fault::once(FaultKind::Conflict));
    session.hears("conflict").await;
    session.stop().await;
    setup.start("one").await.hears(&format!("started authenticated ready:{PHONE}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_without_the_usual_field_are_read_all_the_same() {
    let setup = Setup::new().await;
    setup.standin.add_fault(Fault::always(FaultKind::MinifiedIds));
    setup.standin.add_fault(Fault::always(FaultKind::DebugMissing));
    let session = setup.linked("one").await;
    drop(session);
    setup.standin.clear_faults();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phone_s_logout_is_told_in_each_of_its_forms() {
    let setup = Setup::new().await;
    for (event, navigate) in [
        (LogoutEvent::LogoutFromBridge, true),
        (LogoutEvent::Logout, false),
        (LogoutEvent::None, false),
    ] {
        let mut session = setup.linked("one").await;
        setup.standin.add_fault(Fault::once(FaultKind::Logout { event, navigate }));
        session.hears("logged-out-by-phone").await;
        session.stop().await;
        setup.wipe("one").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let https_listen = Some(std::net::SocketAddr::from(([127, 0, 0, 1], 0)));
    let standin = Standin::start(Config { https_listen, ..Config::default() }).await.unwrap();
    let setup = Setup::new().await;
    let page = standin.https_base_url().unwrap();
    let config = config(setup.folder(), &page, Deadlines::default());
    let engine = ChromiumEngine::new(config.clone()).unwrap();
    let failure = Session::start(&engine, "one").await.unwrap().fails().await;
    assert_eq!(failure.kind, EngineFailureKind::NavigationFailed, "{failure}");
    assert!(failure.message.contains("ERR_CERT_AUTHORITY_INVALID"), "{failure}");

    // Tests may vouch for the stand-in's own key.
    let vouch = format!("--ignore-certificate-errors-spki-list={}", standin.spki_sha256().unwrap());
    let engine = ChromiumEngine::new(EngineConfig { extra_args: vec![vouch], ..config }).unwrap();
    Session::start(&engine, "one").await.unwrap().hears("started qr!").await;
}
