//! Plugins are swapped while real browsers link devices: what is linked stays so,
//! what is being linked gets linked, and nothing is decided twice or not at all.

use base64::{Engine, prelude::BASE64_STANDARD};
use image::Rgb;
use pairing_core::store::RecordedInput;
use pairing_tests::{
    REWORDED, STARTING, TestHost, blue_renderer, main_browsers_on, marked, released,
    reworded_workflow,
};
use serde_json::{Value, json};
use standin::Standin;

const PHONE: &str = "5511999990001";
const SESSION: &str = "pairing-console";

async fn world() -> (Standin, TestHost) {
    let standin = Standin::start(standin::Config::default()).await.unwrap();
    // Without it each component would have to be signed.
    let host = TestHost::on(standin.base_url()).set("PAIRING_MODE", "development").start().await;
    (standin, host)
}

/// The code that follows upon the one with this number.
async fn next_qr(standin: &Standin, host: &TestHost, session: &str) -> String {
    let before = host.status(session).await["sequence"].as_u64().unwrap();
    standin.rotate_refs();
    host.until_qr(session, before).await.0
}

/// Which renderer drew it?
fn is_blue(qr: &str) -> bool {
    let (_, encoded) = qr.split_once(";base64,").unwrap();
    let png = BASE64_STANDARD.decode(encoded).unwrap();
    let picture = image::load_from_memory(&png).unwrap().to_rgb8();
    let has = |color| picture.pixels().any(|pixel| *pixel == Rgb(color));
    let (black, blue) = (has([0, 0, 0]), has([0, 0, 255]));
    assert!(has([255, 255, 255]) && black != blue, "a code of two colours");
    blue
}

/// The inputs have no gap, and were decided by these versions one after the other.
fn assert_decided(inputs: &[RecordedInput], by: &[&str]) {
    for (number, input) in (1..).zip(inputs) {
        assert_eq!(input.number, number, "an input is missing or was taken twice");
    }
    let mut deciders: Vec<_> = inputs.iter().map(|input| &*input.digest.0).collect();
    deciders.dedup();
    assert_eq!(deciders, by);
}

async fn history(host: &TestHost, session: &str) -> Vec<Value> {
    let page = host.get(&format!("/whatsapp/sessions/{session}/history")).await;
    page["history"].as_array().unwrap().clone()
}

/// Asks a session something that changes nothing, and that its workflow must decide.
async fn ask(host: &TestHost, session: &str) -> Value {
    host.post("/whatsapp/init", json!({ "sessionName": session })).await["message"].clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn workflow_and_renderer_are_swapped_between_qr_and_scan_and_after_linking() {
    let (standin, mut host) = world().await;
    let first = text(&host.slot("workflow").await["digest"]);
    host.init(SESSION).await;
    let (qr, _) = host.until_qr(SESSION, 0).await;
    assert!(!is_blue(&qr));
    let browser = main_browsers_on(&host.data_dir());
    assert_eq!(browser.len(), 1);

    // Between QR and scan.
    let (second, activated) = host.swap("workflow", &marked(&released("workflow"), 1)).await;
    assert_eq!(activated["pinnedSessions"], 0, "{activated}");
    assert_eq!(activated["replay"]["results"], json!({ "identical": 1 }), "{activated}");
    let (blue, _) = host.swap("qr-renderer", &blue_renderer()).await;
    let decided_before = host.inputs(SESSION).await.len();
    let qr = next_qr(&standin, &host, SESSION).await;
    assert!(is_blue(&qr), "the next QR is drawn by the new renderer");
    let inputs = host.inputs(SESSION).await;
    assert_eq!(*inputs[decided_before].digest.0, *second, "the next input is the new one's");
    standin.scan_data_url_as(&qr, PHONE, "Ana").await.unwrap();
    host.until_status(SESSION, "CONNECTED").await;

    // After linking.
    let history_before = history(&host, SESSION).await;
    let (third, activated) = host.swap("workflow", &marked(&released("workflow"), 2)).await;
    assert_eq!(activated["pinnedSessions"], 0, "{activated}");
    let back = host.post("/plugins/qr-renderer/rollback", json!({})).await;
    assert_eq!(back["from"], *blue);
    assert_eq!(ask(&host, SESSION).await, "The session is linked and connected already.");
    assert_eq!(host.status(SESSION).await["status"], "CONNECTED");
    assert_decided(&host.inputs(SESSION).await, &[&first, &second, &third]);
    assert_eq!(history(&host, SESSION).await, history_before, "nothing happened to the link");
    assert_eq!(main_browsers_on(&host.data_dir()), browser, "the browser is the same");

    host.init("second").await;
    let (qr, _) = host.until_qr("second", 0).await;
    assert!(!is_blue(&qr), "drawn by the renderer that is back");
    host.activate("qr-renderer", &blue).await;
    assert!(is_blue(&next_qr(&standin, &host, "second").await));

    // Over a restart.
    let slots = host.get("/plugins").await;
    assert_eq!(host.stop().await, Some(0));
    host.launch().await;
    for before in slots["slots"].as_array().unwrap() {
        let now = host.slot(before["slot"].as_str().unwrap()).await;
        for field in ["digest", "generation", "version", "source"] {
            assert_eq!(now[field], before[field]);
        }
    }
    assert_eq!(
        host.metric("plugin_native_code_total").await,
        [r#"plugin_native_code_total{result="hit"} 4"#]
    );
    host.until_status(SESSION, "CONNECTED").await;
    let (qr, _) = host.until_qr("second", 0).await;
    assert!(is_blue(&qr), "the swapped renderer is active again");
    standin.scan_data_url_as(&qr, "5511988880002", "Rui").await.unwrap();
    host.until_status("second", "CONNECTED").await;
    assert_decided(&host.inputs(SESSION).await, &[&first, &second, &third]);
    assert_decided(&host.inputs("second").await, &[&third]);
    assert_eq!(standin.state().devices.len(), 2, "the links are the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_new_workflow_would_decide_otherwise_stays_with_its_own_and_links() {
    let (standin, mut host) = world().await;
    let old = text(&host.slot("workflow").await["digest"]);
    host.init(SESSION).await;
    host.until_qr(SESSION, 0).await;

    let (new, activated) = host.swap("workflow", &reworded_workflow()).await;
    assert_eq!(activated["pinnedSessions"], 1, "{activated}");
    let told = &activated["replay"]["sessions"][0];
    assert_eq!((&told["session"], &told["result"]), (&json!(SESSION), &json!("differs")), "{told}");
    assert_eq!(told["cause"], "command:init", "{told}");
    let differences = told["differences"].to_string();
    assert!(differences.contains(STARTING) && differences.contains(REWORDED), "{told}");

    let qr = next_qr(&standin, &host, SESSION).await;
    standin.scan_data_url_as(&qr, PHONE, "Ana").await.unwrap();
    host.until_status(SESSION, "CONNECTED").await;
    assert_eq!(ask(&host, "another").await, REWORDED, "who comes later has the new one");
    host.until_qr("another", 0).await;
    assert_decided(&host.inputs(SESSION).await, &[&old]);

    assert_eq!(host.stop().await, Some(0));
    host.launch().await;
    host.until_status(SESSION, "CONNECTED").await;
    assert_eq!(host.slot("workflow").await["pinnedSessions"], 1, "it stays over a restart");
    assert_decided(&host.inputs(SESSION).await, &[&old]);
    assert_decided(&host.inputs("another").await, &[&new]);
    assert_eq!(standin.state().devices.len(), 1, "it is the same link");

    let path = format!("/whatsapp/sessions/{SESSION}");
    host.post(&format!("{path}/logout"), json!({ "confirm": true })).await;
    let deleted = host.request(http::Method::DELETE, &path).send().await.unwrap();
    assert!(deleted.status().is_success());
    assert_eq!(ask(&host, SESSION).await, REWORDED, "a new session of that name is not bound");
    assert_eq!(host.slot("workflow").await["pinnedSessions"], 0);
    assert_decided(&host.inputs(SESSION).await, &[&new]);
}
