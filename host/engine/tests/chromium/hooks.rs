//! What is known of the page: tried on a scratch profile, and changed while
//! engines run.

use std::{fs, time::Duration};

use pairing_core::{
    page_hooks::{HooksRefused, PageDriver},
    workflow::EngineFailureKind,
};
use pairing_engine::PageHooks;
use standin::{Fault, FaultKind};

use crate::harness::{PHONE, Session, Setup, processes_of};

/// The file with one change.
fn hooks(from: &str, to: &str) -> String {
    assert!(PageHooks::EMBEDDED.contains(from), "the file has no {from}");
    PageHooks::EMBEDDED.replacen(from, to, 1)
}

fn assert_nothing_is_left(setup: &Setup) {
    let left: Vec<_> =
        fs::read_dir(setup.folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(processes_of(setup.folder()).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_finds_every_part_and_leaves_nothing_behind() {
    let setup = Setup::new().await;
    let report = setup.engine.try_out(None).await.unwrap();
    assert!(report.is_good(), "{report:#?}");
    assert_eq!(report.found["cmd"], "WAWebCmd#Cmd");
    assert_eq!(report.found["fields.state"], "WAWebSocketModel#Socket.state");
    assert!(report.page_version.is_some_and(|version| version.starts_with("2.3000.")));
    assert_nothing_is_left(&setup);
    // What a killed host has left of one is no obstacle.
    fs::create_dir(setup.folder().join(".scratch")).unwrap();
    assert!(setup.engine.try_out(Some(PageHooks::EMBEDDED)).await.unwrap().is_good());
    assert_nothing_is_left(&setup);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_says_what_is_missing_and_why() {
    let setup = Setup::with(|_, deadlines| deadlines.trial = Duration::from_secs(4)).await;
    let module = "WAWebSignalStoreApi".to_owned();
    setup.standin.add_fault(Fault::once(FaultKind::ModuleMissing { module }));
    let report = setup.engine.try_out(None).await.unwrap();
    let missing: Vec<_> = report.missing.keys().collect();
    assert_eq!(missing, ["registration_info"], "{report:#?}");
    assert!(report.missing["registration_info"].contains("WAWebSignalStoreApi"), "{report:#?}");
    assert!(!report.makes_codes);

    // A file that knows another name for it.
    let renamed = hooks("WAWebCmd#Cmd\"]", "WAWebCommand#Cmd\"]");
    let report = setup.engine.try_out(Some(&renamed)).await.unwrap();
    assert_eq!(report.missing.keys().collect::<Vec<_>>(), ["cmd"], "{report:#?}");
    assert!(report.makes_codes);
    // Without the parts that nothing can be told without.
    let renamed = hooks("WAWebConnModel#Conn\"]", "WAWebConnection#Conn\"]");
    let report = setup.engine.try_out(Some(&renamed)).await.unwrap();
    assert_eq!(report.missing.keys().collect::<Vec<_>>(), ["conn"], "{report:#?}");
    assert_nothing_is_left(&setup);
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_only_a_linked_page_has_are_not_missed() {
    let setup = Setup::new().await;
    for module in ["WAWebUserPrefsMeUser", "WAWebUpdaterVersion"] {
        let module = module.to_owned();
        setup.standin.add_fault(Fault::once(FaultKind::ModuleMissing { module }));
    }
    let report = setup.engine.try_out(None).await.unwrap();
    assert!(report.is_good() && report.page_version.is_none(), "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_cannot_be_tried_is_told_and_a_wrong_file_is_refused() {
    let setup = Setup::new().await;
    setup.standin.add_fault(Fault::once(FaultKind::PageStatus { status: 503 }));
    let refused = setup.engine.try_out(None).await.unwrap_err();
    let HooksRefused::Untried(failure) = refused else { panic!("{refused:?}") };
    assert_eq!(failure.kind, EngineFailureKind::NavigationFailed, "{failure}");
    setup.standin.add_fault(Fault::once(FaultKind::UnsupportedBrowser));
    let refused = setup.engine.try_out(None).await.unwrap_err();
    assert!(refused.to_string().contains("too old"), "{refused}");
    assert_nothing_is_left(&setup);

    let wrong = hooks("[\"WAWebCmd#Cmd\"]", "[]");
    for refused in [
        setup.engine.check(&wrong).unwrap_err(),
        setup.engine.put(&wrong).unwrap_err(),
        setup.engine.try_out(Some(&wrong)).await.unwrap_err(),
    ] {
        assert!(
            matches!(&refused, HooksRefused::Invalid(why) if why.contains("`cmd`")),
            "{refused}"
        );
    }
    setup.engine.check(setup.engine.embedded()).unwrap();
    setup.linked("one").await;
}

/// Hooks with which no QR code can be refreshed.
fn without_refresh() -> String {
    hooks(
        "[\"WAWebLaunchSocketUtils#refreshQR\", \"WAWebCmd#Cmd.refreshQR\"]",
        "[\"WAWebNowhere#refreshQR\"]",
    )
}

/// A change takes a moment, so it may be there only after another reload.
async fn reloads_until_refreshing(setup: &Setup, session: &mut Session, works: bool) {
    loop {
        setup.standin.add_fault(Fault::once(FaultKind::Reload { ms: 0 }));
        while session.next("a new code").await != "qr!" {}
        let answer = session.handle.refresh_qr().await;
        if let Err(failure) = &answer {
            assert!(failure.message.contains("WAWebNowhere#refreshQR"), "{failure}");
        }
        if answer.is_ok() == works {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_hangs_takes_new_hooks_once_it_can() {
    let setup = Setup::new().await;
    let mut session = setup.unpaired("one").await;
    setup.standin.add_fault(Fault::once(FaultKind::Hang { ms: 5000 }));
    setup.engine.put(&without_refresh()).unwrap();
    setup.engine.put(PageHooks::EMBEDDED).unwrap();
    setup.engine.put(&without_refresh()).unwrap();
    reloads_until_refreshing(&setup, &mut session, false).await;
    session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn running_engines_follow_with_their_next_document() {
    let setup = Setup::new().await;
    let mut session = setup.unpaired("one").await;
    let lost = without_refresh();
    for (text, works) in [(lost.as_str(), false), (PageHooks::EMBEDDED, true)] {
        setup.engine.put(text).unwrap();
        reloads_until_refreshing(&setup, &mut session, works).await;
    }
    // New ones have them from the start.
    setup.engine.put(&lost).unwrap();
    let other = setup.unpaired("two").await;
    assert!(other.handle.refresh_qr().await.is_err());
    setup.engine.put(PageHooks::EMBEDDED).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_linked_session_stays_linked_while_hooks_are_put_and_others_tried() {
    let setup = Setup::new().await;
    let mut session = setup.linked("one").await;
    setup.engine.put(PageHooks::EMBEDDED).unwrap();
    assert!(setup.engine.try_out(None).await.unwrap().is_good());
    session.handle.probe().await.unwrap();
    setup.standin.add_fault(Fault::once(FaultKind::Reload { ms: 0 }));
    session.hears(&format!("connection-lost ready:{PHONE}")).await;
}
