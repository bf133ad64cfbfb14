//! Linking: by QR code, by pairing code, and again after a restart.

use pairing_core::workflow::CodeFailureKind;
use secrecy::ExposeSecret;
use standin::{Fault, FaultKind, Via};

use crate::harness::{DEADLINE, PHONE, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn a_scanned_code_links_and_the_link_outlives_restarts() {
    let setup = Setup::new().await;
    let mut session = setup.unpaired("one").await;
    assert_eq!(session.qr.split(',').count(), 5, "five fields");
    let linked = setup.standin.scan_payload(&session.qr).await.unwrap();
    assert_eq!(linked.via, Via::Qr);
    session.hears(&format!("authenticated ready:{PHONE}")).await;
    assert!(session.percents.is_sorted() && !session.percents.is_empty(), "{:?}", session.percents);
    session.handle.probe().await.unwrap();
    session.stop().await;
    setup.assert_nothing_is_left_of("one");

    for _ in 0..2 {
        let mut session = setup.start("one").await;
        session.hears(&format!("started authenticated ready:{PHONE}")).await;
        session.stop().await;
    }
    assert_eq!(setup.standin.state().counter("links"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_rotate_run_out_and_come_again_when_refreshed() {
    let setup = Setup::new().await;
    let mut session = setup.unpaired("one").await;
    let first = session.qr.clone();
    setup.standin.rotate_refs();
    session.hears("qr").await;
    assert_ne!(session.qr, first);
    setup.standin.add_fault(Fault::once(FaultKind::RefsRunOut));
    session.hears("qr-expired").await;
    session.handle.refresh_qr().await.unwrap();
    session.hears("qr!").await;
    // Asked while a code is valid, too.
    let before = session.qr.clone();
    session.handle.refresh_qr().await.unwrap();
    while session.next("another code").await != "qr!" {}
    assert_ne!(session.qr, before);
    setup.standin.scan_payload(&session.qr).await.unwrap();
    session.hears(&format!("authenticated ready:{PHONE}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_typed_into_the_phone_links() {
    let setup = Setup::new().await;
    let mut session = setup.unpaired("one").await;
    let code = session.handle.request_pairing_code(PHONE).await.unwrap();
    assert_eq!(code.expose_secret().len(), 8);
    // The page's refs go on meanwhile; their QR codes would be void.
    setup.standin.rotate_refs();
    setup.standin.add_fault(Fault::once(FaultKind::RefsRunOut));
    setup
        .standin
        .wait_for(DEADLINE, |state| state.pages[0].state == "UNPAIRED_IDLE")
        .await
        .unwrap();
    let linked = setup.standin.enter_code(PHONE, code.expose_secret()).await.unwrap();
    assert_eq!(linked.via, Via::Code);
    session.hears(&format!("authenticated ready:{PHONE}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_a_pairing_code_gives_a_qr_code_that_links() {
    let setup = Setup::new().await;
    let mut session = setup.unpaired("one").await;
    session.handle.request_pairing_code(PHONE).await.unwrap();
    session.handle.refresh_qr().await.unwrap();
    session.hears("qr!").await;
    setup.standin.scan_payload(&session.qr).await.unwrap();
    session.hears(&format!("authenticated ready:{PHONE}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_made_of_an_idle_page_too() {
    let setup = Setup::new().await;
    let mut session = setup.unpaired("one").await;
    setup.standin.add_fault(Fault::once(FaultKind::RefsRunOut));
    session.hears("qr-expired").await;
    let code = session.handle.request_pairing_code(PHONE).await.unwrap();
    setup.standin.enter_code(PHONE, code.expose_secret()).await.unwrap();
    while session.next("ready").await != format!("ready:{PHONE}") {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_or_lost_code_request_ends_in_a_typed_reason_and_shows_qr_codes_again() {
    let setup =
        Setup::with(|_, deadlines| deadlines.code = std::time::Duration::from_secs(2)).await;
    let mut session = setup.unpaired("one").await;
    for (fault, kind) in [
        (FaultKind::CodeRefused { status: 400 }, CodeFailureKind::PhoneRefused),
        (FaultKind::CodeRefused { status: 429 }, CodeFailureKind::RateLimited),
        (FaultKind::CodeRefused { status: 500 }, CodeFailureKind::Other),
        (FaultKind::CodeHangs, CodeFailureKind::Timeout),
    ] {
        setup.standin.add_fault(Fault::once(fault.clone()));
        let asked = tokio::time::timeout(DEADLINE, session.handle.request_pairing_code(PHONE));
        let failure = asked.await.expect("the request has a deadline").unwrap_err();
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(!failure.message.contains(PHONE), "{failure}");
        session.hears("qr!").await;
    }
    let code = session.handle.request_pairing_code(PHONE).await.unwrap();
    setup.standin.enter_code(PHONE, code.expose_secret()).await.unwrap();
    session.hears(&format!("authenticated ready:{PHONE}")).await;
    let failure = session.handle.request_pairing_code(PHONE).await.unwrap_err();
    assert_eq!(failure.kind, CodeFailureKind::Refused, "the page is linked: {failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sessions_are_linked_to_two_accounts_at_once() {
    let setup = Setup::new().await;
    let (mut one, mut two) = tokio::join!(setup.unpaired("one"), setup.unpaired("two"));
    setup.standin.scan_payload_as(&one.qr, PHONE, "Ada").await.unwrap();
    setup.standin.scan_payload_as(&two.qr, "15550100", "Bob").await.unwrap();
    one.hears(&format!("authenticated ready:{PHONE}")).await;
    two.hears("authenticated ready:15550100").await;
}
