//! The database is away, or its answer is lost.

use std::time::Duration;

use pairing_core::{
    command::Command,
    event::EventData,
    store::{Commit, RecordedInput, SessionStore, StoreError},
    workflow::EngineReport,
};
use pairing_sessions::CommandError;

use crate::{
    faulty_store::Fault,
    host::{Host, init, name, within},
};

fn is_unavailable(answer: Result<pairing_sessions::CommandReply, CommandError>) -> bool {
    matches!(answer, Err(CommandError::Store(StoreError::Unavailable(_))))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_refuses_commands_and_loses_and_doubles_nothing() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    let attempts = host.store.attempts();
    host.store.fail([Fault::Away; 5]);
    for percent in [10, 20, 30] {
        host.say(&session, EngineReport::Loading { percent }).await;
    }
    host.store.attempt(attempts + 1).await;
    // While the same commit is repeated nothing new is taken.
    assert!(is_unavailable(host.command(&session, Command::Disconnect).await));
    assert!(host.store.faults_left() > 0, "the outage was over before it was tested");
    host.link(&session).await;

    assert_eq!(host.loaded(&session).await, [10, 20, 30]);
    assert_eq!(host.inputs(&session).await.len(), 1 + 3 + 1);
    host.assert_gapless(&[session]).await;
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_in_an_outage_is_answered_at_once_and_done_later() {
    let host = Host::start().await;
    let session = name("sales");
    host.store.fail([Fault::Away; 3]);
    assert!(is_unavailable(host.command(&session, init()).await));
    host.until(&session, |_| true).await;
    assert_eq!(host.inputs(&session).await.len(), 1);
    host.sessions.stop().await;
}

/// A process that was stopped, or a network that swallows all.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_database_keeps_no_caller_waiting_and_ends_no_browser() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.link(&session).await;
    let calls = host.engine.calls(&session);
    host.store.fail([Fault::Frozen]);
    let asked_at = std::time::Instant::now();
    assert!(is_unavailable(host.command(&session, Command::RefreshQr { confirm: true }).await));
    let first = asked_at.elapsed();
    // Whoever comes now hears so at once, and it is not taken.
    for _ in 0..20 {
        assert!(is_unavailable(host.command(&session, Command::Disconnect).await));
    }
    eprintln!("the first caller waited {first:?}, the next 20 {:?}", asked_at.elapsed() - first);
    host.say(&session, EngineReport::Loading { percent: 50 }).await;
    assert_eq!(host.engine.calls(&session), calls);
    assert!(host.sessions.session(&session).unwrap().view.linked);

    host.store.thaw();
    // What was taken is done, and what was said meanwhile is heard.
    within(host.engine.wait_for(&session, &pairing_core::fakes::FakeCall::RefreshQr, 1)).await;
    within(async { while host.loaded(&session).await != [50] {} }).await;
    host.command(&session, Command::RefreshQr { confirm: true }).await.unwrap();
    host.assert_gapless(&[session]).await;
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_commands_and_passes_without_a_restart() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.link(&session).await;
    let calls = host.engine.calls(&session);
    host.store.fail([Fault::Refused; 4]);
    assert!(is_unavailable(host.command(&session, Command::RefreshQr { confirm: true }).await));
    assert!(is_unavailable(host.command(&session, Command::Disconnect).await));
    assert_eq!(host.engine.calls(&session), calls);
    within(async {
        while host.store.faults_left() > 0 {
            tokio::task::yield_now().await
        }
    })
    .await;
    within(host.engine.wait_for(&session, &pairing_core::fakes::FakeCall::RefreshQr, 1)).await;
    host.command(&session, Command::Disconnect).await.unwrap();
    host.assert_gapless(&[session]).await;
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_was_lost_is_not_done_twice() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    let mut subscription = host.subscribe(100);
    for percent in [10, 20, 30] {
        host.store.fail([Fault::AnswerLost, Fault::Away, Fault::AnswerLost]);
        host.say(&session, EngineReport::Loading { percent }).await;
        let event = within(subscription.next()).await.unwrap();
        assert_eq!(event.name, "loading");
        assert_eq!(host.store.faults_left(), 0);
    }
    assert_eq!(host.loaded(&session).await, [10, 20, 30]);
    host.assert_gapless(std::slice::from_ref(&session)).await;

    // The last commit of all, too.
    host.store.fail([Fault::AnswerLost]);
    let deletion = Command::Delete { confirm: true };
    assert!(is_unavailable(host.command(&session, deletion).await));
    within(async {
        while host.sessions.session(&session).is_some() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let deletions = host.journal().await;
    let deletions = deletions.iter().filter(|event| event.data == EventData::SessionDeleted);
    assert_eq!(deletions.count(), 1);
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_row_another_writer_changed_is_read_anew() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    let mut record = host.store.sessions().await.unwrap().remove(0);
    let recorded = host.inputs(&session).await.remove(0);
    record.input_number = 2;
    let foreign = Commit {
        record,
        input: RecordedInput { number: 2, ..recorded },
        events: vec![],
        history: None,
        evidence: None,
        delete: false,
    };
    host.store.commit(&foreign).await.unwrap();

    let answer = host.command(&session, Command::Reconnect).await;
    assert!(matches!(answer, Err(CommandError::Interrupted)));
    host.command(&session, Command::Reconnect).await.unwrap();
    host.assert_gapless(std::slice::from_ref(&session)).await;
    // 1: init, 2: the other writer, 3: host started, 4: reconnect.
    assert_eq!(host.inputs(&session).await.len(), 4);
    host.sessions.stop().await;
}
