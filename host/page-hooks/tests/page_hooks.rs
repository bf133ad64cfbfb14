//! The registry on a real store and a page that a test plays.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use pairing_core::{
    event::EventData,
    fakes::{FakeClock, FakePageDriver},
    page_hooks::HooksReport,
    store::{Store, StoreError},
    workflow::{EngineFailure, EngineFailureKind},
};
use pairing_page_hooks::{
    Announce, PageHooks, PageHooksConfig, PageHooksError, PageHooksParts, PageHooksStatus,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const HOUR: Duration = Duration::from_secs(3600);

struct Host {
    hooks: PageHooks,
    page: FakePageDriver,
    clock: Arc<FakeClock>,
    store: Arc<dyn Store>,
    _folder: TempDir,
}

/// Alerts, as their codes.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Announce for Heard {
    async fn announce(&self, event: EventData) -> Result<(), StoreError> {
        let EventData::Other { kind, fields } = event else { panic!("{event:?}") };
        assert_eq!(kind, "alert");
        assert!(fields.iter().any(|(name, text)| name == "message" && !text.is_empty()));
        self.0.lock().unwrap().push(fields[0].1.clone());
        Ok(())
    }
}

impl Heard {
    fn codes(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

async fn store() -> (Arc<dyn Store>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    (pairing_store::connect(&pairing_store::Config::new(url)).await.unwrap(), folder)
}

async fn open(store: Arc<dyn Store>, folder: TempDir) -> Host {
    let (page, clock) = (FakePageDriver::default(), Arc::new(FakeClock::default()));
    let parts =
        PageHooksParts { store: store.clone(), page: Arc::new(page.clone()), clock: clock.clone() };
    let hooks = PageHooks::open(parts, PageHooksConfig::default()).await.unwrap();
    Host { hooks, page, clock, store, _folder: folder }
}

async fn host() -> Host {
    let (store, folder) = store().await;
    open(store, folder).await
}

impl Host {
    async fn restarted(self) -> Self {
        open(self.store, self._folder).await
    }

    async fn pushed(&self, text: &str) -> String {
        self.hooks.push(text, "ana", false).await.unwrap().version.digest
    }

    fn status(&self) -> PageHooksStatus {
        self.hooks.status()
    }
}

fn unreachable() -> EngineFailure {
    EngineFailure {
        kind: EngineFailureKind::NavigationFailed,
        step: "navigate".into(),
        message: "no network".into(),
    }
}

#[tokio::test]
async fn a_file_is_tried_kept_activated_and_still_in_use_after_a_restart() {
    let host = host().await;
    assert!(host.status().is_embedded);
    let one = host.pushed("# one").await;
    assert_eq!(host.page.tried(), [Some("# one".to_owned())]);
    assert_eq!(host.page.in_use(), None, "letting in is not using");
    let active = host.hooks.activate(Some(&one[..8]), "ana").await.unwrap();
    assert_eq!(active.as_ref(), Some(&one));
    assert_eq!(host.page.in_use().as_deref(), Some("# one"));

    let host = host.restarted().await;
    assert_eq!(host.page.in_use().as_deref(), Some("# one"));
    let status = host.status();
    assert_eq!((status.digest, status.is_embedded, status.refused), (one.clone(), false, None));
    let again = host.hooks.push("# one", "bea", false).await.unwrap();
    assert!(!again.is_new);
    let history = host.hooks.history().await.unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!((history[0].cause.as_str(), history[0].actor.as_str()), ("activate", "ana"));
    assert_eq!(host.hooks.text(&one[..6]).await.unwrap(), "# one");
}

#[tokio::test]
async fn what_is_not_good_is_refused_unless_forced() {
    let host = host().await;
    let refusal = host.hooks.push("invalid", "ana", true).await.unwrap_err();
    assert!(matches!(refusal, PageHooksError::Invalid(_)), "{refusal}");

    host.page.miss(&["command"]);
    let refusal = host.hooks.push("# old", "ana", false).await.unwrap_err();
    assert!(matches!(refusal, PageHooksError::NotGood(_)), "{refusal}");
    assert!(refusal.to_string().contains("`command`: no such module"), "{refusal}");

    host.page.answer(Ok(HooksReport { makes_codes: false, ..FakePageDriver::good() }));
    let refusal = host.hooks.push("# mute", "ana", false).await.unwrap_err();
    assert!(refusal.to_string().contains("no QR code"), "{refusal}");

    host.page.answer(Err(unreachable()));
    let refusal = host.hooks.push("# far", "ana", false).await.unwrap_err();
    assert!(matches!(refusal, PageHooksError::Untried(_)), "{refusal}");
    assert_eq!(host.hooks.versions().await.unwrap(), []);

    host.page.miss(&["command"]);
    let kept = host.hooks.push("# old", "ana", true).await.unwrap();
    assert!(kept.is_new && !kept.version.report.is_good());
    host.page.answer(Err(unreachable()));
    let kept = host.hooks.push("# far", "ana", true).await.unwrap();
    assert!(kept.version.report.missing["page"].contains("no network"));
    assert_eq!(host.hooks.versions().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_rollback_uses_what_was_in_use_before() {
    let host = host().await;
    let nothing = host.hooks.roll_back("ana").await.unwrap_err();
    assert!(matches!(nothing, PageHooksError::NothingBefore), "{nothing}");
    let (one, two) = (host.pushed("# one").await, host.pushed("# two").await);
    host.hooks.activate(Some(&one), "ana").await.unwrap();
    host.hooks.activate(Some(&two), "ana").await.unwrap();
    assert_eq!(host.hooks.roll_back("bea").await.unwrap(), Some(one.clone()));
    assert_eq!(host.page.in_use().as_deref(), Some("# one"));
    let twice = host.hooks.activate(Some(&one), "ana").await.unwrap_err();
    assert!(matches!(twice, PageHooksError::InUse(_)), "{twice}");
    assert_eq!(host.hooks.activate(None, "ana").await.unwrap(), None);
    assert_eq!(host.page.in_use().as_deref(), Some(FakePageDriver::EMBEDDED));
    assert_eq!(host.hooks.roll_back("bea").await.unwrap(), Some(one));

    for wrong in ["", "12345", "abcdef", "../../x"] {
        let unknown = host.hooks.activate(Some(wrong), "ana").await.unwrap_err();
        assert!(matches!(unknown, PageHooksError::UnknownVersion(_)), "{wrong}: {unknown}");
    }
}

#[tokio::test]
async fn of_racing_activations_each_builds_on_the_one_before() {
    let host = host().await;
    let (one, two) = (host.pushed("# one").await, host.pushed("# two").await);
    let (first, second) = tokio::join!(
        host.hooks.activate(Some(&one), "ana"),
        host.hooks.activate(Some(&two), "bea"),
    );
    first.unwrap();
    second.unwrap();
    let newest = host.hooks.history().await.unwrap()[0].clone();
    assert_eq!(newest.generation, 2);
    let text = host.hooks.text(&newest.digest.unwrap()).await.unwrap();
    assert_eq!(host.page.in_use(), Some(text), "the database and the page agree");
}

#[tokio::test]
async fn a_stored_file_that_this_build_refuses_leaves_its_own_in_use_and_is_told() {
    let (store, folder) = store().await;
    let stored = pairing_core::page_hooks::HooksVersion {
        digest: "ab".repeat(32),
        text: "invalid here, good to another build".to_owned(),
        pushed_at: pairing_core::clock::Timestamp(1),
        report: FakePageDriver::good(),
    };
    store.put_hooks(&stored).await.unwrap();
    let change = pairing_core::page_hooks::HooksChange {
        generation: 1,
        at: pairing_core::clock::Timestamp(2),
        digest: Some(stored.digest.clone()),
        cause: "activate".to_owned(),
        actor: "ana".to_owned(),
    };
    assert!(store.change_hooks(&change).await.unwrap());
    let host = open(store, folder).await;
    let status = host.status();
    assert!(status.is_embedded && status.refused.is_some(), "{status:?}");
    assert_eq!(host.page.in_use(), None);
    let (heard, stopped) = (Heard::default(), CancellationToken::new());
    stopped.cancel();
    host.hooks.run_canary(Arc::new(heard.clone()), stopped).await;
    assert_eq!(heard.codes(), ["page_hooks_refused"]);
    // Who repairs it is rid of it.
    host.hooks.activate(None, "ana").await.unwrap();
    assert_eq!(host.status().refused, None);
}

/// Until the canary has looked so often, and waits again.
async fn until_tried(host: &Host, times: usize) {
    let looked = async {
        while host.page.tried().len() < times || host.status().last_look.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), looked).await.expect("the canary looks");
}

#[tokio::test]
async fn the_canary_looks_on_its_schedule_and_when_another_file_is_in_use() {
    let host = host().await;
    let (heard, stopping) = (Heard::default(), CancellationToken::new());
    let hooks = host.hooks.clone();
    let (announce, until) = (Arc::new(heard.clone()), stopping.clone());
    let canary = tokio::spawn(async move { hooks.run_canary(announce, until).await });
    // It waits for its first time before it is moved on.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(host.page.tried().is_empty());
    host.page.miss(&["command"]);
    host.clock.advance(HOUR / 10);
    until_tried(&host, 1).await;
    for looks in 2..=3 {
        host.page.miss(&["command"]);
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        host.clock.advance(5 * HOUR);
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert_eq!(host.page.tried().len(), looks - 1, "not before its time");
        host.clock.advance(2 * HOUR);
        until_tried(&host, looks).await;
    }
    let before = host.page.tried().len();
    let repaired = host.pushed("# repaired").await;
    host.hooks.activate(Some(&repaired), "ana").await.unwrap();
    until_tried(&host, before + 2).await;
    while heard.codes().len() < 2 {
        tokio::task::yield_now().await;
    }
    stopping.cancel();
    canary.await.unwrap();
    assert_eq!(heard.codes(), ["page_drift", "page_drift_over"]);
    let look = host.status().last_look.unwrap();
    assert_eq!(look.digest, repaired);
    assert!(look.found.unwrap().is_good());
}

#[tokio::test]
async fn a_look_on_demand_says_what_it_found() {
    let host = host().await;
    let heard = Heard::default();
    host.page.miss(&["socket"]);
    let look = host.hooks.check(&heard).await;
    assert_eq!(look.found.unwrap().missing["socket"], "no such module");
    host.page.answer(Err(unreachable()));
    let look = host.hooks.check(&heard).await;
    assert!(look.found.unwrap_err().contains("no network"));
    assert_eq!(heard.codes(), ["page_drift"]);
}
