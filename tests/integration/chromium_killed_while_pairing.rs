//! Chromium's main process is killed at five points of pairing. The same session
//! shows a fresh code soon, without anybody's doing; only if it goes on like that
//! the session gives up, and says why.
//!
//! `PAIRING_KILLS` sets how often at each point (`make soak` has twenty).

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use pairing_tests::{
    Figures, Leftovers, TestHost, browsers_on, kill, main_browsers_on, until, variable,
};
use serde_json::json;
use standin::Standin;

const SESSION: &str = "killed";
const PHONE: &str = "5511999990001";
/// Aimed at are 10 s for nearly all and 20 s for all.
const GUARD: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    BeforeQr,
    QrShown,
    Scanned,
    CodeShown,
    Linking,
}

const POINTS: [Point; 5] =
    [Point::BeforeQr, Point::QrShown, Point::Scanned, Point::CodeShown, Point::Linking];

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_killed_at_any_point_of_pairing_is_followed_by_a_fresh_code() {
    let times = variable("PAIRING_KILLS").unwrap_or(1);
    let mut all = Figures::default();
    for point in POINTS {
        let mut figures = Figures::default();
        for _ in 0..times {
            let took = recovery(point).await;
            figures.add(took);
            all.add(took);
        }
        println!("killed at {point:?}: fresh after {figures}");
    }
    println!("killed while pairing: fresh after {all}");
    assert!(all.max() < GUARD, "{all}");
}

/// From the kill to a fresh code, or to the connection where the phone had
/// accepted already and the profile knows it.
async fn recovery(point: Point) -> Duration {
    let standin = Standin::start(standin::Config::default()).await.unwrap();
    // The phone has accepted, and the page takes its time.
    standin.change_settings(|settings| settings.sync_ms = 20_000);
    let mut host = TestHost::on(standin.base_url()).start().await;
    host.init(SESSION).await;
    let before = match point {
        Point::BeforeQr => {
            until_browser(&host, &[]).await;
            0
        }
        Point::QrShown => host.until_qr(SESSION, 0).await.1,
        Point::Scanned => {
            let (qr, sequence) = host.until_qr(SESSION, 0).await;
            standin.scan_data_url_as(&qr, PHONE, "Ana").await.unwrap();
            sequence
        }
        Point::CodeShown => {
            host.until_status(SESSION, "QR_READY").await;
            let path = format!("/whatsapp/pair/{SESSION}");
            host.post(&path, json!({ "phoneNumber": PHONE })).await;
            host.status(SESSION).await["sequence"].as_u64().unwrap()
        }
        Point::Linking => {
            let (qr, sequence) = host.until_qr(SESSION, 0).await;
            standin.scan_data_url_as(&qr, PHONE, "Ana").await.unwrap();
            host.until_status(SESSION, "AUTHENTICATED").await;
            sequence
        }
    };
    let killed = main_browsers_on(&host.data_dir());
    assert_eq!(killed.len(), 1, "one browser for one session");
    standin.change_settings(|settings| settings.sync_ms = 200);
    kill(killed[0], Signal::SIGKILL);
    let begun = Instant::now();
    until("a fresh code is shown, or the link is there", async || {
        let now = host.status(SESSION).await;
        let is_fresh = now["sequence"].as_u64()? > before
            && (now["qrCode"].is_string() || now["pairingCode"].is_string());
        let is_linked = matches!(point, Point::Scanned | Point::Linking)
            && now["status"] == "CONNECTED"
            && !main_browsers_on(&host.data_dir()).contains(&killed[0]);
        (is_fresh || is_linked).then_some(())
    })
    .await;
    let took = begun.elapsed();

    // It is the same pairing: the phone can take what is shown now.
    if host.status(SESSION).await["status"] != "CONNECTED" {
        let (qr, _) = host.until_qr(SESSION, before).await;
        standin.scan_data_url_as(&qr, PHONE, "Ana").await.unwrap();
        host.until_status(SESSION, "CONNECTED").await;
    }
    assert_eq!(host.stop().await, Some(0));
    assert!(browsers_on(&host.data_dir()).is_empty());
    Leftovers::none(host.folder()).await;
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_is_killed_four_times_while_pairing_ends_it_with_a_reason() {
    let standin = Standin::start(standin::Config::default()).await.unwrap();
    let mut host = TestHost::on(standin.base_url())
        .set("PAIRING_PAIRING_FIRST_RETRY_DELAY", "200ms")
        .set("PAIRING_PAIRING_MAX_RETRY_DELAY", "500ms")
        .start()
        .await;
    host.init(SESSION).await;
    let mut killed = Vec::new();
    let status = until("the session gives up", async || {
        for pid in main_browsers_on(&host.data_dir()) {
            if !killed.contains(&pid) {
                killed.push(pid);
                kill(pid, Signal::SIGKILL);
            }
        }
        let now = host.status(SESSION).await;
        (now["status"] == "DISCONNECTED").then_some(now)
    })
    .await;
    assert_eq!(status["reason"], "engine_crashed", "{status}");
    assert_eq!(killed.len(), 4, "one start and three restarts");
    assert_eq!(host.stop().await, Some(0));
    Leftovers::none(host.folder()).await;
}

async fn until_browser(host: &TestHost, known: &[i32]) {
    until("there is a browser", async || {
        let new = main_browsers_on(&host.data_dir());
        new.iter().any(|pid| !known.contains(pid)).then_some(())
    })
    .await;
}
