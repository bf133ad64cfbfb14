//! No secret gets into a log, the journal, the history, the registry of plugins or
//! any other part of the database.

use base64::{Engine, prelude::BASE64_STANDARD};
use pairing_tests::{
    ISSUER_KEY, TestHost, blue_renderer, chameleon, marked, released, reworded_workflow,
};
use serde_json::json;
use standin::Standin;

const PHONE: &str = "5511999990001";
const SESSION: &str = "quiet";

#[tokio::test(flavor = "multi_thread")]
async fn chromium_pairing_leaves_no_secret_in_any_log_line_or_record() {
    let standin = Standin::start(standin::Config::default()).await.unwrap();
    let mut host = TestHost::on(standin.base_url()).set("PAIRING_LOG", "trace").start().await;
    let mut secrets = vec![host.token().to_owned(), ISSUER_KEY.to_owned()];

    host.init(SESSION).await;
    let (qr, _) = host.until_qr(SESSION, 0).await;
    secrets.extend(shown_refs(&standin));
    secrets.push(qr);
    secrets.push(link_by_code(&standin, &host).await);
    // Mistakes must not be echoed into the log either.
    let wrong = host.request(http::Method::POST, &format!("/whatsapp/pair/{SESSION}"));
    wrong.json(&json!({ "phoneNumber": "5511912345678901234" })).send().await.unwrap();
    host.stop().await;
    assert_kept(&host, &secrets, &[PHONE, "5511912345678901234"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn chromium_swaps_leave_no_secret_in_the_log_or_the_registry() {
    let standin = Standin::start(standin::Config::default()).await.unwrap();
    let on = TestHost::on(standin.base_url()).set("PAIRING_MODE", "development");
    let mut host = on.set("PAIRING_LOG", "trace").start().await;
    let mut secrets = vec![host.token().to_owned(), ISSUER_KEY.to_owned()];

    host.init(SESSION).await;
    let (qr, sequence) = host.until_qr(SESSION, 0).await;
    secrets.extend(shown_refs(&standin));
    secrets.push(qr);
    host.swap("qr-renderer", &blue_renderer()).await;
    host.swap("fan-out", &marked(&released("fan-out"), 1)).await;
    let (reworded, activated) = host.swap("workflow", &reworded_workflow()).await;
    assert_eq!(activated["pinnedSessions"], 1, "a reason is kept why it stays");
    standin.rotate_refs();
    let (qr, _) = host.until_qr(SESSION, sequence).await;
    secrets.extend(shown_refs(&standin));
    secrets.push(qr);
    secrets.push(link_by_code(&standin, &host).await);

    // Reports on a history that has all of it: one that differs, one that fails.
    host.post("/plugins/workflow/replay", json!({ "digest": reworded })).await;
    let traps = host.push("workflow", &chameleon("0.2.0", "trap")).await;
    let refused = host.try_to_activate("workflow", &traps).await.unwrap();
    assert!(refused.status().is_client_error());
    // A workflow fails in the middle of a call that has a number, and so does the one
    // before, which would have helped out.
    host.swap("workflow", &chameleon("0.3.0", "trap7")).await;
    host.swap("workflow", &chameleon("0.4.0", "trap7")).await;
    let failing = host.request(http::Method::POST, "/whatsapp/init");
    // Confirmed, because the number is linked already.
    let ask = json!({ "sessionName": "session-7", "expectedPhoneNumber": PHONE, "confirm": true });
    let failed = failing.json(&ask).send().await.unwrap();
    assert!(failed.status().is_server_error(), "{}", failed.status());
    for path in ["history", "versions", &format!("versions/{traps}"), "parked"] {
        let told = host.get(&format!("/plugins/workflow/{path}")).await.to_string();
        assert!(told.len() > 10 && !told.contains(PHONE), "{path} tells a number: {told}");
        assert!(secrets.iter().all(|secret| !told.contains(secret)), "{path} tells a secret");
    }
    host.stop().await;
    assert_kept(&host, &secrets, &[PHONE]);
}

/// The parts of QR codes that the pages show now.
fn shown_refs(standin: &Standin) -> impl Iterator<Item = String> {
    standin.state().pages.into_iter().filter_map(|page| page.reference)
}

/// Links the session; gives the pairing code.
async fn link_by_code(standin: &Standin, host: &TestHost) -> String {
    let path = format!("/whatsapp/pair/{SESSION}");
    let answer = host.post(&path, json!({ "phoneNumber": PHONE })).await;
    let code = answer["pairingCode"].as_str().unwrap().to_owned();
    standin.enter_code(PHONE, &code).await.unwrap();
    host.until_status(SESSION, "CONNECTED").await;
    code
}

/// Neither the log nor any file of the host, which has ended, has a secret; the log
/// has no phone number either.
fn assert_kept(host: &TestHost, secrets: &[String], numbers: &[&str]) {
    let log = host.log();
    assert!(log.len() > 1000, "there is a log to look at");
    for number in numbers {
        assert!(!log.contains(number), "the log has a full phone number");
    }
    let mut secrets: Vec<Vec<u8>> = secrets.iter().map(|secret| secret.clone().into()).collect();
    for key in std::fs::read_dir(host.data_dir().join("keys")).unwrap() {
        let key = std::fs::read(key.unwrap().path()).unwrap();
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        secrets.extend([hex.into(), BASE64_STANDARD.encode(&key).into(), key]);
    }
    let files = std::fs::read_dir(host.data_dir()).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.is_file()).collect();
    assert!(files.iter().any(|file| file.ends_with("pairing.db")), "{files:?}");
    let read = |file| (format!("{file:?}"), std::fs::read(&file).unwrap());
    for (name, bytes) in files.into_iter().map(read).chain([("the log".into(), log.into())]) {
        for secret in &secrets {
            let has_it = bytes.windows(secret.len()).any(|window| window == secret);
            let shown = String::from_utf8_lossy(secret);
            assert!(!secret.is_empty() && !has_it, "{name} has a secret: {shown}");
        }
    }
}
