//! Browser slots: a storm of starts in order, and one bad session that delays
//! nobody.

use std::{collections::BTreeSet, time::Duration};

use pairing_core::{
    command::Command,
    fakes::{FakeCall, FakeEngine},
    id::SessionName,
    session::{Reason, Status},
    workflow::{EngineFailure, EngineFailureKind, EngineReport},
};
use pairing_plugin_runtime::{Plugins, PluginsConfig};
use pairing_sessions::{QueuePlace, QueueReason, SessionsConfig};

use crate::host::{Decides, Host, account, init, name, tuning, until, within};

const SESSIONS: usize = 200;

fn starts(concurrent_starts: usize) -> SessionsConfig {
    SessionsConfig { concurrent_starts, ..tuning() }
}

fn place(host: &Host, session: &SessionName) -> Option<QueuePlace> {
    host.sessions.session(session).unwrap().queue()
}

fn broken() -> EngineFailure {
    EngineFailure {
        kind: EngineFailureKind::LaunchFailed,
        step: "starting".into(),
        message: "no".into(),
    }
}

/// Links so many sessions, the last one most recently.
async fn linked(host: &Host, count: usize) -> Vec<SessionName> {
    // Names that are not in the order of activity.
    let sessions: Vec<SessionName> =
        (0..count).map(|number| name(&format!("s{}", (number * 7_919) % 100_003))).collect();
    for session in &sessions {
        host.init(session).await;
        host.link(session).await;
        host.clock.advance(Duration::from_secs(1));
    }
    sessions
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_starts_is_bounded_and_in_the_order_of_last_activity() {
    let host = Host::start().await;
    let sessions = linked(&host, SESSIONS).await;
    let mut host = host.restart_tuned(starts(2)).await;
    // Twice: a host that dies in the middle of its start still knows the order.
    for _ in 0..2 {
        within(async {
            while host.engine.starts().len() < 2 {
                tokio::task::yield_now().await
            }
        })
        .await;
        host = host.restart_tuned(starts(2)).await;
    }
    let mut most = 0;
    for ready in 0..SESSIONS {
        // The next two are in the middle of their start, unless there is but one left.
        let expected = (ready + 2).min(SESSIONS);
        until(|| host.engine.starts().len() >= expected).await;
        let started = host.engine.starts();
        most = most.max(started.len() - ready);
        let waiting = SESSIONS - started.len();
        if waiting > 0 {
            let last = place(&host, &sessions[0]).unwrap();
            assert_eq!((last.position, last.reason), (last.waiting, QueueReason::Starting));
        }
        host.say(&started[ready], EngineReport::Ready(account())).await;
    }
    assert_eq!(most, 2, "two permits are used, and no more");
    let started = host.engine.starts();
    for (place, session) in started.iter().enumerate() {
        let expected = sessions.iter().rev().position(|it| it == session).unwrap();
        // Two that have their turn at the same time may overtake each other.
        assert!(place.abs_diff(expected) <= 2, "{session} was {place}., not {expected}.");
    }
    for session in &sessions {
        host.until(session, |session| session.view.status == Status::Connected).await;
        assert_eq!(place(&host, session), None);
    }
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_hangs_and_one_that_fails_delay_nobody() {
    let host = Host::start().await;
    let sessions = linked(&host, 20).await;
    let (hanging, failing) = (sessions[19].clone(), sessions[18].clone());
    let tuning = SessionsConfig { start_patience: Duration::from_millis(300), ..starts(2) };
    let engine = FakeEngine::default();
    engine.hang_start(Some(&hanging));
    engine.fail_starts(&failing, Some(broken()));
    let host = host.restart_on(engine, tuning).await;
    let mut good = BTreeSet::new();
    within(async {
        while good.len() < 18 {
            for session in host.engine.starts() {
                if session != hanging && session != failing && good.insert(session.clone()) {
                    host.say(&session, EngineReport::Ready(account())).await;
                }
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let failed = |it: &pairing_sessions::SessionSnapshot| it.view.status == Status::Disconnected;
    host.until(&failing, failed).await;
    host.engine.hang_start(None);
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_failed_wait_for_the_others_and_leave_them_a_permit() {
    let host = Host::tuned(starts(2)).await;
    let (bad, worse, good) = (name("bad"), name("worse"), name("good"));
    for session in [&bad, &worse] {
        host.engine.fail_starts(session, Some(broken()));
        host.command(session, init()).await.unwrap();
        host.until(session, |it| it.view.reason == Some(Reason::EngineCrashed)).await;
        host.engine.fail_starts(session, None);
    }
    for session in [&bad, &worse] {
        host.command(session, init()).await.unwrap();
    }
    within(host.engine.wait_for(&bad, &FakeCall::Start, 2)).await;
    host.until(&worse, |it| it.queue().is_some()).await;
    host.command(&good, init()).await.unwrap();
    within(host.engine.wait_for(&good, &FakeCall::Start, 1)).await;
    // One that came to something is not suspected any more.
    host.show_qr(&bad, "2@one").await;
    within(host.engine.wait_for(&worse, &FakeCall::Start, 2)).await;
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_all_slots_taken_waits_in_line_and_gets_the_next() {
    let host = Host::tuned(SessionsConfig { max_browsers: Some(2), ..tuning() }).await;
    let sessions: Vec<SessionName> = ["a", "b", "c", "d"].map(name).into();
    for session in &sessions[..2] {
        host.init(session).await;
        host.link(session).await;
    }
    for session in &sessions[2..] {
        host.command(session, init()).await.unwrap();
        host.until(session, |it| it.queue().is_some()).await;
        host.clock.advance(Duration::from_secs(1));
    }
    let expected = |position| Some(QueuePlace { position, waiting: 2, reason: QueueReason::Slots });
    // Both were asked for by a person; the one of late is first.
    assert_eq!(
        (place(&host, &sessions[2]), place(&host, &sessions[3])),
        (expected(2), expected(1))
    );
    assert_eq!(host.engine.calls(&sessions[3]), []);

    host.command(&sessions[0], Command::Disconnect).await.unwrap();
    within(host.engine.wait_for(&sessions[3], &FakeCall::Start, 1)).await;
    assert_eq!(place(&host, &sessions[3]), None);
    assert_eq!(place(&host, &sessions[2]).unwrap().position, 1);
    // A browser that ends by itself frees its slot, too.
    let failed = EngineReport::Failed(broken());
    host.say(&sessions[1], failed).await;
    within(host.engine.wait_for(&sessions[2], &FakeCall::Start, 1)).await;
    // Who gives up leaves the line.
    host.command(&sessions[0], init()).await.unwrap();
    host.until(&sessions[0], |it| it.queue().is_some()).await;
    host.command(&sessions[0], Command::Disconnect).await.unwrap();
    host.until(&sessions[0], |it| it.queue().is_none()).await;
    assert_eq!(host.engine.starts().len(), 4);
    host.sessions.stop().await;
}

/// With the components that are shipped, whose deadlines they are, and one slot.
async fn with_one_slot() -> Host {
    let Plugins { workflow, renderer, fan_out } =
        Plugins::load(PluginsConfig::default()).await.unwrap();
    let tuning = SessionsConfig { max_browsers: Some(1), ..tuning() };
    let decides = Decides { workflow, renderer, fan_out };
    let folder = tempfile::tempdir().unwrap();
    Host::start_tuned(folder, std::sync::Arc::default(), decides, tuning).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_up_a_link_has_an_answer_although_no_slot_gets_free() {
    let host = with_one_slot().await;
    let (running, stopped) = (name("running"), name("stopped"));
    for session in [&stopped, &running] {
        host.init(session).await;
        host.say(session, EngineReport::Ready(account())).await;
        host.until(session, |it| it.view.status == Status::Connected).await;
        if session == &stopped {
            host.command(session, Command::Disconnect).await.unwrap();
        }
    }
    let logout = async {
        let answer = host.command(&stopped, Command::Logout { confirm: true }).await;
        assert!(matches!(answer, Err(pairing_sessions::CommandError::Refused { .. })));
    };
    let time = async {
        host.until(&stopped, |it| it.queue().is_some()).await;
        host.clock.advance(Duration::from_secs(30));
    };
    tokio::join!(logout, time);
    let kept = host.until(&stopped, |it| it.queue().is_none()).await;
    assert!(kept.view.linked, "the phone was not told");
    let deletion = async {
        host.command(&stopped, Command::Delete { confirm: true }).await.unwrap();
    };
    let time = async {
        host.until(&stopped, |it| it.queue().is_some()).await;
        host.clock.advance(Duration::from_secs(30));
    };
    tokio::join!(deletion, time);
    assert!(host.sessions.session(&stopped).is_none());
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wait_for_a_slot_is_not_taken_from_the_start() {
    let host = with_one_slot().await;
    let boot_deadline = tuning().pairing.boot_deadline;
    let (running, waiting) = (name("running"), name("waiting"));
    host.init(&running).await;
    host.say(&running, EngineReport::Ready(account())).await;
    host.until(&running, |it| it.view.status == Status::Connected).await;
    host.command(&waiting, init()).await.unwrap();
    host.until(&waiting, |it| it.queue().is_some()).await;
    for _ in 0..100 {
        host.clock.advance(boot_deadline);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(host.inputs(&waiting).await.len(), 1, "it was not woken");

    host.command(&running, Command::Disconnect).await.unwrap();
    within(host.engine.wait_for(&waiting, &FakeCall::Start, 1)).await;
    // From its turn on the time runs.
    host.clock.advance(boot_deadline - Duration::from_secs(1));
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(host.inputs(&waiting).await.len(), 1, "it was not woken");
    host.clock.advance(Duration::from_secs(1));
    let overdue = host.until(&waiting, |it| it.view.detail.is_some()).await;
    assert_eq!(overdue.view.detail.as_ref().unwrap().attempt, Some(1));
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_session_that_the_host_has_in_line_is_next() {
    let host = Host::start().await;
    let sessions = linked(&host, 10).await;
    let host = host.restart_tuned(starts(1)).await;
    until(|| host.engine.starts().len() == 1).await;
    let oldest = &sessions[0];
    assert_eq!(place(&host, oldest).unwrap().position, 9);
    host.command(oldest, Command::RefreshQr { confirm: true }).await.unwrap();
    assert_eq!(place(&host, oldest).unwrap().position, 1);
    let first = host.engine.starts().remove(0);
    host.say(&first, EngineReport::Ready(account())).await;
    within(host.engine.wait_for(oldest, &FakeCall::Start, 1)).await;
    host.sessions.stop().await;
}
