//! What was seen when a session was repaired, and what else a repair looks like.

use pairing_core::{
    engine::EngineEvent,
    evidence::{Evidence, RepairStep},
    workflow::EngineReport,
};
use pairing_tests::{TestApi, until};
use reqwest::Method;
use serde_json::{Value, json};

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\nblurred";

fn seen(repair: RepairStep, screenshot: Option<&[u8]>) -> EngineEvent {
    EngineEvent::Evidenced {
        report: EngineReport::Probe { answered: false },
        evidence: Box::new(Evidence {
            repair,
            page_state: "CONNECTED".into(),
            step: "probe".into(),
            message: "no answer for 25 s".into(),
            console: vec!["warning: slow".into()],
            screenshot: screenshot.map(<[u8]>::to_vec),
        }),
    }
}

/// The lines of history that have something to see.
async fn lines(host: &TestApi, count: usize) -> Vec<Value> {
    until("the repair is in the history", async || {
        let (_, body) = host.get("/whatsapp/sessions/one/history").await;
        let lines = body["history"].as_array().unwrap().iter();
        let seen: Vec<Value> = lines.filter(|line| line["hasEvidence"] == true).cloned().collect();
        (seen.len() == count).then_some(seen)
    })
    .await
}

#[tokio::test]
async fn each_step_of_a_repair_can_be_looked_at() {
    let host = TestApi::start().await;
    let name = host.linked("one", "5511999990001").await;
    host.engine.say(&name, seen(RepairStep::Agent, None)).await;
    host.engine.say(&name, seen(RepairStep::Reload, Some(PICTURE))).await;
    let lines = lines(&host, 2).await;
    assert_eq!(lines[0]["cause"], "repair:agent");
    assert_eq!(lines[1]["cause"], "repair:reload");
    assert_eq!(lines[1]["status"], "CONNECTED", "{lines:?}");
    assert_eq!(lines[1]["reason"], "degraded", "{lines:?}");

    let path = |line: &Value| {
        format!("/whatsapp/sessions/one/history/{}/evidence", line["id"].as_str().unwrap())
    };
    let (status, body) = host.get(&path(&lines[1])).await;
    assert_eq!(status, 200);
    assert_eq!(
        body,
        json!({
            "repair": "reload", "pageState": "CONNECTED", "step": "probe",
            "message": "no answer for 25 s", "console": ["warning: slow"], "hasScreenshot": true,
        })
    );
    let request = host.request(Method::GET, &format!("{}/screenshot", path(&lines[1])));
    let picture = request.send().await.unwrap();
    assert_eq!(picture.status(), 200);
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert_eq!(picture.headers()["cache-control"], "no-store");
    assert_eq!(picture.bytes().await.unwrap(), PICTURE);

    let (_, bare) = host.get(&path(&lines[0])).await;
    assert_eq!(bare["hasScreenshot"], false);
    for nothing in [
        format!("{}/screenshot", path(&lines[0])),
        "/whatsapp/sessions/one/history/1/evidence".to_owned(),
        "/whatsapp/sessions/one/history/x/evidence".to_owned(),
        "/whatsapp/sessions/none/history/1/evidence".to_owned(),
    ] {
        let (status, body) = host.get(&nothing).await;
        assert_eq!(
            (status.as_u16(), &body["code"]),
            (404, &json!("evidence_not_found")),
            "{nothing}: {body}"
        );
    }
}

#[tokio::test]
async fn a_session_that_waits_for_its_browser_shows_its_place() {
    let host = TestApi::tuned(|_, sessions| sessions.concurrent_starts = 1).await;
    let first = host.post("/whatsapp/init", json!({ "sessionName": "first" })).await;
    assert_eq!(first.0, 200, "{}", first.1);
    host.engine.wait_for(&"first".parse().unwrap(), &pairing_core::fakes::FakeCall::Start, 1).await;
    assert_eq!(host.get("/whatsapp/status/first").await.1["queue"], Value::Null);
    for session in ["second", "third"] {
        host.post("/whatsapp/init", json!({ "sessionName": session })).await;
    }
    for (session, position) in [("second", 1), ("third", 2)] {
        let expected = json!({ "position": position, "waiting": 2, "reason": "starting" });
        until(&format!("{session} waits"), async || {
            let (_, body) = host.get(&format!("/whatsapp/sessions/{session}")).await;
            (body["queue"] == expected).then_some(())
        })
        .await;
    }
}
