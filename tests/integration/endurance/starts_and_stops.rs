//! Browsers start and stop many times; then nothing is left of them: no process, no
//! zombie, no mark, no temporary file.
//!
//! `CYCLES` sets the number (`make soak` has 950 with the fake browser and, in
//! `CHROMIUM_CYCLES`, 50 with Chromium).

use std::time::Instant;

use pairing_tests::{Figures, Leftovers, TestHost, variable, zombies_of};
use serde_json::json;
use standin::Standin;

use super::link;

#[tokio::test(flavor = "multi_thread")]
async fn starting_and_stopping_fake_browsers_many_times_leaves_nothing() {
    let host = TestHost::with_fake_browsers("--fake-links-after=10").start().await;
    cycle(host, variable("CYCLES").unwrap_or(30)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn starting_and_stopping_chromium_some_times_leaves_nothing() {
    let standin = Standin::start(standin::Config::default()).await.unwrap();
    let host = TestHost::on(standin.base_url())
        .set("PAIRING_MODE", "development")
        .set("PAIRING_RATE_LIMITS", "off")
        .start()
        .await;
    host.init("cycled").await;
    let (qr, _) = host.until_qr("cycled", 0).await;
    standin.scan_data_url(&qr).await.unwrap();
    host.until_status("cycled", "CONNECTED").await;
    cycle(host, variable("CHROMIUM_CYCLES").unwrap_or(3)).await;
}

async fn cycle(mut host: TestHost, cycles: u64) {
    let session = ["cycled".to_owned()];
    if host.status(&session[0]).await["status"] != "CONNECTED" {
        link(&host, &session).await;
    }
    let (mut starts, mut stops) = (Figures::default(), Figures::default());
    for _ in 0..cycles {
        let begun = Instant::now();
        host.post("/whatsapp/sessions/cycled/disconnect", json!({})).await;
        host.until_status("cycled", "DISCONNECTED").await;
        stops.add(begun.elapsed());
        let begun = Instant::now();
        host.post("/whatsapp/sessions/cycled/reconnect", json!({})).await;
        host.until_status("cycled", "CONNECTED").await;
        starts.add(begun.elapsed());
    }
    println!("{cycles} cycles: starts {starts}; stops {stops}");
    assert_eq!(zombies_of(host.pid()), 0, "every child was taken note of");
    host.post("/whatsapp/sessions/cycled/disconnect", json!({})).await;
    Leftovers::none(host.folder()).await;
    assert_eq!(host.stop().await, Some(0));
    Leftovers::none(host.folder()).await;
}
