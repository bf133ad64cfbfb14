//! A runtime with one handler.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use pairing_core::{
    clock::{SystemClock, Timestamp},
    event::{Cursor, EventData},
    handler::{
        Attempt, EventHandlers, HandleError, HandlerEvent, HandlerName, SessionActionError,
        SessionActions,
    },
    id::SessionName,
    plugin::Slot,
    store::Store,
    subscription::{Grants, SessionAction, Subscription, SubscriptionId, SubscriptionSettings},
};
use pairing_egress::{Egress, EgressConfig};
use pairing_plugin_runtime::{
    Authority, Filling, GuestLogs, HandlerParts, LoadedVersion, Origin, PluginsConfig, Runtime,
    digest_of,
};
use secrecy::SecretString;
use serde_json::Value;
use tempfile::TempDir;

/// A subscription's name, settings and secrets.
type Named<'a> = (&'a str, SubscriptionSettings, &'a [(&'a str, &'a str)]);

/// The time of all events.
pub(super) const AT: Timestamp = Timestamp(1_790_000_000_123);

pub(super) struct World {
    pub(super) runtime: Runtime,
    pub(super) logs: GuestLogs,
    pub(super) actions: Arc<Actions>,
    store: Arc<dyn Store>,
    handler: HandlerName,
    _folder: TempDir,
}

/// What was asked of sessions.
#[derive(Default)]
pub(super) struct Actions(pub(super) Mutex<Vec<(String, SessionAction)>>);

#[async_trait]
impl SessionActions for Actions {
    async fn act(
        &self,
        session: &SessionName,
        action: SessionAction,
    ) -> Result<(), SessionActionError> {
        self.0.lock().unwrap().push((session.to_string(), action));
        Ok(())
    }
}

impl World {
    pub(super) async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite://{}", folder.path().join("host.db").display());
        let store = pairing_store::connect(&pairing_store::Config::new(url)).await.unwrap();
        let logs = GuestLogs::default();
        let parts = HandlerParts {
            kv: store.clone(),
            egress: Egress::new(EgressConfig::default()).unwrap(),
            clock: Arc::new(SystemClock),
            logs: logs.clone(),
        };
        let runtime = Runtime::start_with_handlers(PluginsConfig::default(), parts).unwrap();
        let actions = Arc::new(Actions::default());
        runtime.set_session_actions(actions.clone());
        let handler = "probe".parse().unwrap();
        Self { runtime, logs, actions, store, handler, _folder: folder }
    }

    pub(super) async fn load(&self, component: &[u8]) -> LoadedVersion {
        let slot = Slot::Handler(self.handler);
        let sealed = self.runtime.compile(slot, component).await.unwrap();
        let digest = digest_of(component);
        let origin = Origin { digest, source: "upload".into(), is_proven: false };
        self.runtime.load(slot, sealed, origin).await.unwrap().unwrap()
    }

    /// Makes a component the handler.
    pub(super) async fn fill(&self, component: &[u8]) {
        let active = self.load(component).await;
        let (canary, pins) = (None, Vec::new());
        let filling = Filling { generation: 1, active, canary, pins, is_new: false };
        self.runtime.fill(Slot::Handler(self.handler), filling);
    }

    /// Replaces all subscriptions: names, settings and secrets.
    pub(super) async fn subscribe(&self, all: &[Named<'_>]) {
        let mut authorities = Vec::new();
        for (name, settings, secrets) in all {
            let id = self.id(name);
            let subscription = Subscription {
                id: id.clone(),
                settings: settings.clone(),
                secrets: BTreeMap::new(),
                disabled: None,
                created_at: AT,
                updated_at: AT,
                updated_by: "test".into(),
            };
            self.store.put_subscription(&subscription, Cursor(0)).await.unwrap();
            let secret = |(name, value): &(&str, &str)| {
                ((*name).to_owned(), SecretString::from((*value).to_owned()))
            };
            let secrets = secrets.iter().map(secret).collect();
            authorities.push(Authority { id, settings: settings.clone(), secrets });
        }
        self.runtime.set_subscriptions(self.handler, authorities);
    }

    fn id(&self, subscription: &str) -> SubscriptionId {
        SubscriptionId { handler: self.handler, name: subscription.parse().unwrap() }
    }

    /// Has the probe do something; how it ended, and what it said.
    pub(super) async fn deed(
        &self,
        subscription: &str,
        deed: &str,
        fields: &[(&str, &str)],
    ) -> (Result<(), HandleError>, Vec<String>) {
        let field = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut all = vec![("do".to_owned(), deed.to_owned())];
        all.extend(fields.iter().map(field));
        let event = HandlerEvent {
            id: "7".into(),
            session: "sales".parse().unwrap(),
            at: AT,
            data: EventData::Other { kind: "probe".into(), fields: all },
        };
        let before = self.logs.lines(self.handler, 0).last().map_or(0, |line| line.number);
        let attempt = Attempt { number: 1, first_at: AT };
        let handled = self.runtime.handle(&self.id(subscription), Arc::new(event), attempt).await;
        let said = self.logs.lines(self.handler, before);
        (handled, said.iter().map(|line| line.message.clone()).collect())
    }

    /// The same where it must succeed.
    pub(super) async fn said(
        &self,
        subscription: &str,
        deed: &str,
        fields: &[(&str, &str)],
    ) -> Vec<String> {
        let (handled, said) = self.deed(subscription, deed, fields).await;
        handled.unwrap();
        said
    }
}

/// Settings with these grants.
pub(super) fn granted(grants: Value) -> SubscriptionSettings {
    let grants: Grants = serde_json::from_value(grants).unwrap();
    SubscriptionSettings { grants, ..SubscriptionSettings::default() }
}

/// All that the probe imports, and nothing in it: requests may go to a host that
/// nobody has.
pub(super) fn everything() -> Value {
    serde_json::json!({
        "log": true, "config": true, "kv": true, "clock": true, "random": true, "secrets": true,
        "session": ["reconnect"], "http": [{ "url": "http://nobody.invalid/" }],
    })
}
