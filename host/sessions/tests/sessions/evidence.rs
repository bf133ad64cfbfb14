//! Steps of a repair: what was seen is kept with a line of history.

use pairing_core::{
    engine::EngineEvent,
    evidence::{Evidence, RepairStep},
    session::{Reason, Status},
    workflow::{EngineFailure, EngineFailureKind, EngineReport},
};

use crate::host::{Host, name};

fn seen(repair: RepairStep) -> Evidence {
    Evidence {
        repair,
        page_state: "CONNECTED".into(),
        step: "ready".into(),
        message: "the page does not answer".into(),
        console: vec!["a line".into()],
        screenshot: Some(vec![1, 2, 3]),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_of_a_repair_has_its_line_and_its_evidence() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.link(&session).await;
    let before = host.sessions.history(&session, 0, 100).await.unwrap();
    assert!(before.iter().all(|line| !line.has_evidence));
    let silent = EngineReport::Probe { answered: false };
    let failed = EngineReport::Failed(EngineFailure {
        kind: EngineFailureKind::PageCrashed,
        step: "ready".into(),
        message: "the page does not answer".into(),
    });
    // The view does not change with the second one, and there is a line all the same.
    for (report, step) in [
        (silent.clone(), RepairStep::Agent),
        (silent, RepairStep::Reload),
        (failed, RepairStep::Restart),
    ] {
        let evidence = Box::new(seen(step));
        host.engine.say(&session, EngineEvent::Evidenced { report, evidence }).await;
    }
    host.until(&session, |session| session.view.status == Status::Disconnected).await;
    let lines = host.sessions.history(&session, before.last().unwrap().input_number, 100).await;
    let lines = lines.unwrap();
    let causes: Vec<&str> = lines.iter().map(|line| line.cause.as_str()).collect();
    assert_eq!(causes, ["repair:agent", "repair:reload", "repair:restart"]);
    for (line, step) in
        lines.iter().zip([RepairStep::Agent, RepairStep::Reload, RepairStep::Restart])
    {
        assert!(line.has_evidence);
        let kept = host.sessions.evidence(&session, line.input_number).await.unwrap();
        assert_eq!(kept, Some(seen(step)));
    }
    assert_eq!(lines[0].status, Status::Connected);
    assert_eq!(lines[2].reason, Some(Reason::EngineCrashed));
    let none = host.sessions.evidence(&session, 1).await.unwrap();
    assert_eq!(none, None);
    host.assert_gapless(&[session]).await;
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_refused_leaves_evidence_too() {
    let host = Host::start().await;
    let session = name("sales");
    let refusal = EngineFailure {
        kind: EngineFailureKind::LaunchFailed,
        step: "starting the browser".into(),
        message: "no such file".into(),
    };
    host.engine.fail_starts(&session, Some(refusal));
    host.init(&session).await;
    host.until(&session, |session| session.view.reason == Some(Reason::EngineCrashed)).await;
    let lines = host.sessions.history(&session, 0, 100).await.unwrap();
    let line = lines.iter().find(|line| line.cause == "repair:restart").unwrap();
    let kept = host.sessions.evidence(&session, line.input_number).await.unwrap().unwrap();
    assert_eq!(kept.step, "starting the browser");
    assert_eq!((kept.message.as_str(), kept.screenshot), ("no such file", None));
    host.sessions.stop().await;
}
