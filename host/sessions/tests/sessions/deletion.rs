//! The end of a session: engine and profile first, the row last.

use pairing_core::{
    command::{Command, RefusalCode},
    fakes::FakeCall,
    store::SessionStore,
    workflow::{EngineFailure, EngineFailureKind},
};
use pairing_sessions::CommandError;

use crate::host::{Host, init, name, within};

const DELETE: Command = Command::Delete { confirm: true };

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_ends_engine_and_profile_before_the_row_goes() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    let attempts = host.store.attempts();
    host.store.hold(&session);
    let deleting = host.sessions.command(&session, DELETE);
    tokio::pin!(deleting);
    tokio::select! {
        _ = &mut deleting => panic!("the row can't be gone yet"),
        () = host.store.attempt(attempts + 1) => {}
    }
    let ended = [FakeCall::Start, FakeCall::Stop, FakeCall::WipeProfile];
    assert_eq!(host.engine.calls(&session), ended);
    assert_eq!(host.store.sessions().await.unwrap().len(), 1);

    // Whoever asks meanwhile means the next session of that name.
    let next = host.sessions.command(&session, init());
    tokio::pin!(next);
    assert!(futures::poll!(&mut next).is_pending());

    host.store.release(&session);
    within(deleting).await.unwrap();
    within(next).await.unwrap();
    within(host.engine.wait_for(&session, &FakeCall::Start, 2)).await;
    host.link(&session).await;
    assert_eq!(host.inputs(&session).await.len(), 2);
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_session_can_begin_anew_at_once() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.command(&session, DELETE).await.unwrap();
    assert!(host.sessions.session(&session).is_none());
    assert_eq!(host.store.sessions().await.unwrap(), []);
    assert_eq!(host.journal().await.last().unwrap().data.kind(), "session-deleted");
    assert!(matches!(
        host.command(&session, Command::Disconnect).await,
        Err(CommandError::NotFound)
    ));
    for _ in 0..20 {
        host.command(&session, init()).await.unwrap();
        host.command(&session, DELETE).await.unwrap();
    }
    assert_eq!(host.store.sessions().await.unwrap(), []);
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_cannot_be_removed_keeps_its_session() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    let failure = EngineFailure {
        kind: EngineFailureKind::Other,
        step: "wipe".into(),
        message: "the folder is busy".into(),
    };
    host.engine.fail_wipes(&session, Some(failure));
    let answer = host.command(&session, DELETE).await;
    let Err(CommandError::Refused { code, .. }) = answer else { panic!("it was deleted") };
    assert_eq!(code, RefusalCode::EngineUnavailable);
    assert_eq!(host.store.sessions().await.unwrap().len(), 1);

    host.engine.fail_wipes(&session, None);
    host.command(&session, DELETE).await.unwrap();
    assert_eq!(host.store.sessions().await.unwrap(), []);
    host.sessions.stop().await;
}
