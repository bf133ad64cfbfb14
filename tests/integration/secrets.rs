//! No secret gets into a log, the journal, the history or the database.

use pairing_tests::{TestHost, admin_token};
use serde_json::json;
use standin::Standin;

const PHONE: &str = "5511999990001";

#[tokio::test(flavor = "multi_thread")]
async fn chromium_pairing_leaves_no_secret_in_any_log_line_or_record() {
    let standin = Standin::start(standin::Config::default()).await.unwrap();
    let mut host = TestHost::on(standin.base_url()).set("PAIRING_LOG", "trace").start().await;
    let mut secrets = vec![admin_token(), pairing_tests::ISSUER_KEY.to_owned()];

    host.init("quiet").await;
    let (qr, _) = host.until_qr("quiet", 0).await;
    secrets.extend(standin.state().pages.iter().filter_map(|page| page.reference.clone()));
    secrets.push(qr);
    let answer = host.post("/whatsapp/pair/quiet", json!({ "phoneNumber": PHONE })).await;
    let code = answer["pairingCode"].as_str().unwrap().to_owned();
    standin.enter_code(PHONE, &code).await.unwrap();
    host.until_status("quiet", "CONNECTED").await;
    secrets.push(code);
    // Mistakes must not be echoed into the log either.
    let wrong = host.request(http::Method::POST, "/whatsapp/pair/quiet");
    wrong.json(&json!({ "phoneNumber": "5511912345678901234" })).send().await.unwrap();
    host.stop().await;

    let log = host.log();
    assert!(log.len() > 1000, "there is a log to look at");
    for secret in &secrets {
        assert!(
            !secret.is_empty() && !log.contains(secret.as_str()),
            "the log has a secret: {secret}"
        );
    }
    for number in [PHONE, "5511912345678901234"] {
        assert!(!log.contains(number), "the log has a full phone number");
    }
    for file in ["pairing.db", "pairing.db-wal"] {
        let bytes = std::fs::read(host.data_dir().join(file)).unwrap_or_default();
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{file} has a secret: {secret}");
        }
    }
}
