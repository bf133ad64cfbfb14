//! The mailbox: one input at a time, in order, committed before anything is done.

use pairing_core::{
    command::Command,
    fakes::FakeCall,
    session::Reason,
    workflow::{EngineReport, Input},
};

use pairing_sessions::SessionsConfig;

use crate::host::{Host, init, name, parsed, tuning, within};

#[tokio::test(flavor = "multi_thread")]
async fn inputs_are_worked_in_order_and_numbered_without_gaps() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    let refreshing = async {
        for _ in 0..20 {
            host.command(&session, Command::RefreshQr { confirm: false }).await.unwrap();
        }
    };
    let loading = async {
        for percent in 0..=100 {
            host.say(&session, EngineReport::Loading { percent }).await;
        }
    };
    tokio::join!(refreshing, loading);
    within(async { while host.loaded(&session).await.len() <= 100 {} }).await;

    assert!(host.loaded(&session).await.into_iter().eq(0..=100));
    let inputs = host.inputs(&session).await;
    assert_eq!(inputs.len(), 1 + 20 + 101);
    let heard = inputs.iter().map(parsed).filter_map(|input| match input {
        Input::Engine(EngineReport::Loading { percent }) => Some(percent),
        _ => None,
    });
    assert!(heard.eq(0..=100));
    host.assert_gapless(&[session]).await;
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_or_told_before_the_commit() {
    let host = Host::start().await;
    let session = name("sales");
    let mut subscription = host.subscribe(100);
    host.store.hold(&session);
    let command = host.sessions.command(&session, init());
    tokio::pin!(command);
    tokio::select! {
        _ = &mut command => panic!("the caller had its reply before the commit"),
        () = host.store.attempt(1) => {}
    }
    // Whatever would be done now has time to be done.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(host.engine.calls(&session), []);
    assert!(host.sessions.session(&session).is_none());
    assert!(futures::poll!(std::pin::pin!(subscription.next())).is_pending());
    assert!(futures::poll!(&mut command).is_pending());

    host.store.release(&session);
    within(command).await.unwrap();
    within(host.engine.wait_for(&session, &FakeCall::Start, 1)).await;
    assert_eq!(within(subscription.next()).await.unwrap().name, "status-update");
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sessions_do_not_delay_each_other() {
    let host = Host::start().await;
    let (slow, fast) = (name("slow"), name("fast"));
    host.init(&slow).await;
    host.init(&fast).await;
    host.store.hold(&slow);
    host.say(&slow, EngineReport::Loading { percent: 1 }).await;
    for percent in 1..=50 {
        host.say(&fast, EngineReport::Loading { percent }).await;
    }
    host.link(&fast).await;
    assert!(host.loaded(&fast).await.into_iter().eq(1..=50));
    assert!(host.loaded(&slow).await.is_empty());

    host.store.release(&slow);
    host.link(&slow).await;
    assert_eq!(host.loaded(&slow).await, [1]);
    host.assert_gapless(&[slow, fast]).await;
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stopped_engine_still_says_is_not_heard() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.command(&session, Command::Disconnect).await.unwrap();
    within(host.engine.wait_for(&session, &FakeCall::Stop, 1)).await;
    host.command(&session, init()).await.unwrap();
    within(host.engine.wait_for(&session, &FakeCall::Start, 2)).await;
    host.link(&session).await;
    let reports = host.inputs(&session).await.iter().map(parsed).filter(is_report).count();
    assert_eq!(reports, 1, "`stopped` of the first run was heard");
    host.sessions.stop().await;
}

fn is_report(input: &Input) -> bool {
    matches!(input, Input::Engine(_))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_waits_for_its_turn_is_given_up_when_the_session_is_stopped() {
    let host = Host::tuned(SessionsConfig { concurrent_starts: 2, ..tuning() }).await;
    let busy: Vec<_> = (0..2).map(|number| name(&format!("busy-{number}"))).collect();
    let session = name("sales");
    host.engine.hold_starts(true);
    for busy in &busy {
        host.command(busy, init()).await.unwrap();
        within(host.engine.wait_for(busy, &FakeCall::Start, 1)).await;
    }
    host.command(&session, init()).await.unwrap();
    host.command(&session, Command::Disconnect).await.unwrap();
    within(host.command(&session, Command::Delete { confirm: true })).await.unwrap();
    assert_eq!(host.engine.calls(&session), [FakeCall::WipeProfile]);
    host.engine.hold_starts(false);
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_request_to_the_page_is_a_failure_of_the_engine() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    host.engine.panic_at_code(&session);
    let answer = host.sessions.command(&session, crate::host::request_code());
    tokio::pin!(answer);
    tokio::select! {
        _ = &mut answer => panic!("the fake workflow keeps its caller waiting"),
        _ = host.until(&session, |it| it.view.reason == Some(Reason::EngineCrashed)) => {}
    }
    host.sessions.stop().await;
}
