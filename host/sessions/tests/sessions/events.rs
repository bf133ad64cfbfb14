//! Subscribers: nothing missed, nothing twice, and no reader holds up another.

use std::sync::Arc;

use pairing_core::store::JournalStore;
use pairing_core::{
    event::{Cursor, EventData},
    fan_out::{Interest, Transport},
    id::SessionName,
    workflow::EngineReport,
};
use pairing_sessions::{EventsError, Routed, SubscriptionEnd};

use crate::host::{Host, everything, name, within};

fn places(events: &[Arc<Routed>]) -> Vec<u64> {
    events.iter().map(|event| event.id.unwrap().0).collect()
}

async fn load(host: &Host, sessions: &[pairing_core::id::SessionName], percents: u8) {
    for percent in 0..percents {
        for session in sessions {
            host.say(session, EngineReport::Loading { percent }).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_resume_after_a_cursor_without_gap_or_double() {
    let host = Host::start().await;
    let sessions: Vec<_> = (0..8).map(|number| name(&format!("s{number}"))).collect();
    for session in &sessions {
        host.init(session).await;
    }
    let resuming = async {
        let mut last = Cursor(0);
        let mut heard = Vec::new();
        while heard.len() < 8 + 8 * 60 {
            // As a client that comes, reads a little, and is cut off.
            let mut live = host.sessions.events().subscribe(everything(), 1_000);
            let position = live.position();
            while last < position {
                let page = host.sessions.events().page(&everything(), last, 7).await.unwrap();
                let missed = page.deliveries.into_iter();
                heard.extend(missed.filter(|event| event.id.unwrap() <= position));
                last = page.next.min(position);
            }
            for _ in 0..5 {
                if heard.len() == 8 + 8 * 60 {
                    break;
                }
                let event = within(live.next()).await.unwrap();
                last = event.id.unwrap();
                heard.push(event);
            }
        }
        heard
    };
    let (heard, ()) = tokio::join!(resuming, load(&host, &sessions, 60));
    let expected: Vec<u64> = (1..=heard.len() as u64).collect();
    assert_eq!(places(&heard), expected);
    host.assert_gapless(&sessions).await;
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_hear_the_journal_in_its_order_while_many_sessions_commit() {
    let host = Host::start().await;
    let sessions: Vec<_> = (0..8).map(|number| name(&format!("s{number}"))).collect();
    let mut subscription = host.subscribe(10_000);
    for session in &sessions {
        host.init(session).await;
    }
    load(&host, &sessions, 50).await;
    let mut heard = Vec::new();
    while heard.len() < 8 + 8 * 50 {
        heard.push(within(subscription.next()).await.unwrap());
    }
    let expected: Vec<u64> = (1..=heard.len() as u64).collect();
    assert_eq!(places(&heard), expected);
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_subscriber_is_dropped_with_its_cursor_and_no_other_is() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    let mut slow = host.subscribe(4);
    let mut fast = host.subscribe(1_000);
    load(&host, std::slice::from_ref(&session), 20).await;
    let mut heard = Vec::new();
    while heard.len() < 20 {
        heard.push(within(fast.next()).await.unwrap());
    }
    let mut last = None;
    let end = loop {
        match within(slow.next()).await {
            Ok(event) => last = event.id,
            Err(end) => break end,
        }
    };
    let last = last.unwrap();
    assert_eq!(end, SubscriptionEnd::Overflow { last });
    let page = host.sessions.events().page(&everything(), last, 100).await.unwrap();
    assert_eq!(places(&page.deliveries), places(&heard[4..]), "the rest can be resumed");
    assert!(page.at_end);
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_hear_what_they_asked_for() {
    let host = Host::start().await;
    let (one, other) = (name("one"), name("other"));
    let interest = Interest {
        transport: Transport::WebSocket,
        sessions: Some([one.clone()].into()),
        types: Some(["session-connected".to_owned()].into()),
    };
    let mut subscription = host.sessions.events().subscribe(interest, 10);
    for session in [&other, &one] {
        host.init(session).await;
        host.link(session).await;
    }
    let event = within(subscription.next()).await.unwrap();
    assert_eq!(event.name, "session-connected");
    assert!(event.body.contains("\"one\""), "{}", event.body);
    host.sessions.stop().await;
    assert_eq!(within(subscription.next()).await, Err(SubscriptionEnd::HostStopping));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_no_longer_kept_is_refused() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    load(&host, std::slice::from_ref(&session), 5).await;
    host.link(&session).await;
    let (_, newest) = host.store.bounds().await.unwrap();
    let after = host.now().after(std::time::Duration::from_secs(1));
    host.store.purge(after, after).await.unwrap();
    let refusal = host.sessions.events().page(&everything(), Cursor(1), 10).await;
    let Err(EventsError::CursorExpired { asked, oldest }) = refusal else {
        panic!("it was given");
    };
    assert_eq!((asked, oldest), (Cursor(1), Cursor(newest.0 - 1)));
    let page = host.sessions.events().page(&everything(), oldest, 10).await.unwrap();
    assert_eq!(places(&page.deliveries), [newest.0]);
    host.sessions.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_host_announces_reaches_who_reads_everything_in_its_place() {
    let host = Host::start().await;
    let session = name("sales");
    host.init(&session).await;
    let mut subscription = host.subscribe(100);
    let only_sales = Interest { sessions: Some([session.clone()].into()), ..everything() };
    let mut of_sales = host.sessions.events().subscribe(only_sales, 100);
    let alert = EventData::Other {
        kind: "alert".into(),
        fields: vec![("code".into(), "page_changed".into())],
    };
    host.sessions.announce(std::slice::from_ref(&alert)).await.unwrap();
    host.say(&session, EngineReport::Loading { percent: 7 }).await;
    let heard = within(subscription.next()).await.unwrap();
    assert_eq!(heard.name, "alert");
    assert!(heard.body.contains("_host"), "{}", heard.body);
    assert_eq!(within(subscription.next()).await.unwrap().name, "loading");
    assert_eq!(within(of_sales.next()).await.unwrap().name, "loading");

    let journal = host.journal().await;
    let written = journal.iter().find(|event| event.data == alert).unwrap();
    assert_eq!(written.session, SessionName::host());
    host.assert_gapless(std::slice::from_ref(&session)).await;
    // It is no session.
    let names = |host: &Host| -> Vec<SessionName> {
        host.sessions.sessions().iter().map(|session| session.name.clone()).collect()
    };
    assert_eq!(names(&host), std::slice::from_ref(&session));
    assert!(host.sessions.session(&SessionName::host()).is_none());
    let host = host.restart().await;
    assert_eq!(names(&host), [session]);

    host.store.refuse_parking();
    assert!(host.sessions.announce(&[alert]).await.is_err());
    host.sessions.stop().await;
}
