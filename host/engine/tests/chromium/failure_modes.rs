//! Known failures of drivers that have no test elsewhere; the README lists all.

use std::{
    fs,
    os::unix::fs::symlink,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use pairing_core::{
    page_hooks::PageDriver,
    workflow::{CodeFailureKind, EngineFailureKind},
};
use pairing_engine::PageHooks;
use secrecy::ExposeSecret;
use standin::{Fault, FaultKind, LogoutEvent, Target};

use crate::harness::{PHONE, Setup, browser_of};

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_its_debug_object_and_with_slow_modules_gives_codes() {
    let setup = Setup::with(|settings, _| settings.module_step_ms = 700).await;
    setup.standin.add_fault(Fault::always(FaultKind::DebugMissing));
    setup.linked("one").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_history_and_reloads_do_not_double_what_is_told() {
    let setup = Setup::new().await;
    setup.standin.add_fault(Fault::always(FaultKind::RestlessFrames));
    let mut session = setup.unpaired("one").await;
    for _ in 0..3 {
        setup.standin.add_fault(Fault::once(FaultKind::Reload { ms: 0 }));
        session.hears("qr!").await;
    }
    setup.standin.rotate_refs();
    session.hears("qr").await;
    setup.standin.scan_payload(&session.qr).await.unwrap();
    session.hears(&format!("authenticated ready:{PHONE}")).await;
    let more = tokio::time::timeout(Duration::from_secs(2), session.events.recv()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_account_function_does_not_keep_a_session_from_ready() {
    let setup = Setup::new().await;
    let (module, function) = ("WAWebUserPrefsMeUser".to_owned(), "getMaybeMePnUser".to_owned());
    setup.standin.add_fault(Fault::always(FaultKind::FunctionMissing { module, function }));
    setup.linked("one").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_was_synchronised_before_anybody_listened_is_ready() {
    let setup = Setup::with(|settings, _| settings.sync_ms = 0).await;
    setup.linked("one").await.stop().await;
    let module = "WAWebSocketModel".to_owned();
    setup.standin.add_fault(Fault::once(FaultKind::ModuleLate { module, ms: 2000 }));
    let mut session = setup.start("one").await;
    session.hears("started").await;
    let is_synced = |state: &standin::StateView| state.pages.iter().any(|page| page.has_synced);
    setup.standin.wait_for(Duration::from_secs(30), is_synced).await.unwrap();
    session.hears(&format!("authenticated ready:{PHONE}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_code_is_given_out_without_a_ref() {
    let setup = Setup::with(|settings, _| settings.clear_ref_when_idle = true).await;
    let mut session = setup.unpaired("one").await;
    setup.standin.rotate_refs();
    session.hears("qr").await;
    setup.standin.add_fault(Fault::once(FaultKind::RefsRunOut));
    session.hears("qr-expired").await;
    session.handle.refresh_qr().await.unwrap();
    session.hears("qr!").await;
    setup.standin.scan_payload(&session.qr).await.unwrap();
    // The ref is gone with the scan; no code is told after it.
    session.hears(&format!("authenticated ready:{PHONE}")).await;
    assert!(session.qr.starts_with("2@") && !session.qr.contains("undefined"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_for_too_many_codes_is_not_asked_again() {
    let setup = Setup::new().await;
    let session = setup.unpaired("one").await;
    setup.standin.add_fault(Fault::once(FaultKind::CodeRefused { status: 429 }));
    let failure = session.handle.request_pairing_code(PHONE).await.unwrap_err();
    assert_eq!(failure.kind, CodeFailureKind::RateLimited, "{failure}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(setup.standin.state().counter("codesAsked"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_in_a_wrong_form_is_refused_by_name() {
    let setup = Setup::new().await;
    let mut session = setup.unpaired("one").await;
    for wrong in ["05511987654321", "+5511987654321", "5511 98765"] {
        let failure = session.handle.request_pairing_code(wrong).await.unwrap_err();
        assert_eq!(failure.kind, CodeFailureKind::PhoneRefused, "{wrong}: {failure}");
        session.hears("qr!").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_never_asked_for_on_a_linked_page() {
    let setup = Setup::new().await;
    let mut session = setup.linked("one").await;
    setup.standin.add_fault(Fault::always(FaultKind::CodeRevokesLink));
    let failure = session.handle.request_pairing_code(PHONE).await.unwrap_err();
    assert_eq!(failure.kind, CodeFailureKind::Refused, "{failure}");
    session.handle.refresh_qr().await.unwrap();
    let state = setup.standin.state();
    assert_eq!((state.counter("codesAsked"), state.devices.len()), (0, 1));
    let more = tokio::time::timeout(Duration::from_secs(2), session.events.recv()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_made_after_a_logout_outlives_restarts() {
    let setup = Setup::new().await;
    let mut session = setup.linked("one").await;
    setup.standin.unlink(PHONE);
    session.hears("logged-out-by-phone").await;
    session.stop().await;
    setup.wipe("one").await;
    setup.linked("one").await.stop().await;
    for _ in 0..2 {
        let mut session = setup.start("one").await;
        session.hears(&format!("started authenticated ready:{PHONE}")).await;
        session.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_does_not_close_is_killed() {
    let setup = Setup::with(|_, deadlines| deadlines.close = Duration::from_secs(2)).await;
    let mut session = setup.linked("one").await;
    kill(Pid::from_raw(browser_of(&setup.profile("one")).id), Signal::SIGSTOP).unwrap();
    let begin = Instant::now();
    session.stop().await;
    println!("a frozen browser was gone after {:.1?}", begin.elapsed());
    setup.assert_nothing_is_left_of("one");
    setup.start("one").await.hears(&format!("started authenticated ready:{PHONE}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_another_computer_seems_to_use_is_started_all_the_same() {
    let setup = Setup::new().await;
    setup.linked("one").await.stop().await;
    let profile = setup.profile("one");
    symlink("some-container-4711", profile.join("SingletonLock")).unwrap();
    symlink("1234567890", profile.join("SingletonCookie")).unwrap();
    symlink("/tmp/org.chromium.Chromium.gone/SingletonSocket", profile.join("SingletonSocket"))
        .unwrap();
    let mut session = setup.start("one").await;
    session.hears(&format!("started authenticated ready:{PHONE}")).await;
    assert_ne!(fs::read_link(profile.join("SingletonCookie")).unwrap().as_os_str(), "1234567890");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_at_the_start_is_told_by_its_name() {
    let setup = Setup::with(|_, deadlines| deadlines.boot = Duration::from_secs(6)).await;
    for (state, word) in [
        ("PROXYBLOCK", "banned:PROXYBLOCK"),
        ("TOS_BLOCK", "banned:TOS_BLOCK"),
        ("SMB_TOS_BLOCK", "banned:SMB_TOS_BLOCK"),
        ("DEPRECATED_VERSION", "client-outdated"),
    ] {
        setup.standin.add_fault(Fault::once(FaultKind::Blocked { state: state.to_owned() }));
        let mut session = setup.start("one").await;
        session.hears(&format!("started {word}")).await;
        session.stop().await;
    }
    // One that nobody knows yet ends in time, with its name.
    setup.standin.add_fault(Fault::once(FaultKind::Blocked { state: "NEW_BLOCK".to_owned() }));
    let failure = setup.start("one").await.fails().await;
    assert_eq!(failure.kind, EngineFailureKind::PageChanged, "{failure}");
    assert!(failure.message.contains("NEW_BLOCK"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_in_one_session_stays_in_it() {
    let setup = Setup::with(|_, deadlines| deadlines.code = Duration::from_secs(3)).await;
    let mut healthy = setup.linked("healthy").await;
    let mut one = setup.unpaired("one").await;
    let browser = setup
        .standin
        .state()
        .pages
        .into_iter()
        .find(|page| page.phone_number.is_none())
        .unwrap()
        .browser;
    let strike = |kind| setup.standin.add_fault(Fault::once(kind).at(Target::browser(&*browser)));
    strike(FaultKind::CodeRefused { status: 500 });
    one.handle.request_pairing_code("15550199").await.unwrap_err();
    strike(FaultKind::CodeHangs);
    let (code, ()) = tokio::join!(one.handle.request_pairing_code("15550199"), async {
        strike(FaultKind::Reload { ms: 0 });
    });
    // Whichever came first: it has ended.
    drop(code.map(|code| code.expose_secret().len()));
    strike(FaultKind::RendererCrash);
    one.fails().await;
    healthy.handle.probe().await.unwrap();
    assert!(healthy.events.try_recv().is_err(), "nothing happened to the other");
    healthy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_for_the_page_s_age_is_told_as_such() {
    let setup = Setup::new().await;
    for navigate in [true, false] {
        let mut session = setup.linked("one").await;
        let reason = "client_version_outdated".to_owned();
        setup.standin.add_fault(Fault::once(FaultKind::LogoutBecause { reason, navigate }));
        session.hears("client-outdated").await;
        session.stop().await;
        setup.wipe("one").await;
    }
    // Any other reason is a logout.
    let mut session = setup.linked("one").await;
    let reason = "user_initiated".to_owned();
    setup.standin.add_fault(Fault::once(FaultKind::LogoutBecause { reason, navigate: true }));
    session.hears("logged-out-by-phone").await;
    session.stop().await;
    setup.wipe("one").await;
    // An older event's name, without a reason.
    let mut session = setup.linked("one").await;
    let logout = FaultKind::Logout { event: LogoutEvent::Logout, navigate: true };
    setup.standin.add_fault(Fault::once(logout));
    session.hears("logged-out-by-phone").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn screens_that_the_file_names_are_recognised_while_the_page_runs() {
    let setup = Setup::new().await;
    let outdated = "outdated_screens = []";
    assert!(PageHooks::EMBEDDED.contains(outdated));
    let hooks = PageHooks::EMBEDDED
        .replace(outdated, "outdated_screens = [\"[data-testid='please-update']\"]");
    setup.engine.put(&hooks).unwrap();
    for (test_id, word) in
        [("please-update", "client-outdated"), ("shortcake_passkey_screen", "passkey-required")]
    {
        let mut session = setup.unpaired("one").await;
        let test_id = test_id.to_owned();
        setup.standin.add_fault(Fault::once(FaultKind::Shows { test_id }));
        session.hears(word).await;
        session.stop().await;
    }
}
