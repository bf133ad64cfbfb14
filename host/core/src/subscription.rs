//! Subscriptions: which handler gets which events, and what it may do with them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{clock::Timestamp, event::JournalEvent, handler::HandlerName, id::SessionName};

/// A subscription's name, unique among its handler's; the rule of session names.
pub type SubscriptionName = SessionName;

/// Names a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionId {
    /// Whose.
    pub handler: HandlerName,
    /// Which of them; `default` where there is but one.
    pub name: SubscriptionName,
}

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.handler, self.name)
    }
}

/// What an operator has set up: one subscriber with a place of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its name.
    pub id: SubscriptionId,
    /// What it gets and may do.
    pub settings: SubscriptionSettings,
    /// Secrets by name, each sealed by this host.
    pub secrets: BTreeMap<String, SealedSecret>,
    /// Why it is switched off, if it is: nothing is handed over, and its place
    /// stays where it was.
    pub disabled: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// By whom: a token's subject, or `host`.
    pub updated_by: String,
}

/// A secret that only the host that sealed it can read.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(pub Vec<u8>);

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedSecret")
    }
}

/// What a subscription gets, what it may do, and how patient the host is. Stored
/// as JSON: a field may be added, with a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SubscriptionSettings {
    /// Sessions whose events it gets; none means all.
    pub sessions: Option<BTreeSet<SessionName>>,
    /// Kinds of events it gets; none means those that the handler wants.
    pub types: Option<BTreeSet<String>>,
    /// What it may do.
    pub grants: Grants,
    /// What the handler reads by `config`.
    pub config: BTreeMap<String, String>,
    /// Seconds between one failed attempt and the next; after the last one the
    /// event becomes a dead letter. Each is varied by a tenth.
    pub retry_seconds: Vec<u32>,
    /// One attempt may take so many milliseconds, waiting included; 100 to 30,000.
    pub timeout_ms: u32,
    /// So many events, of different sessions, are handed over at once; 1 to 64.
    pub concurrency: u32,
}

impl Default for SubscriptionSettings {
    fn default() -> Self {
        const MINUTE: u32 = 60;
        const HOUR: u32 = 60 * MINUTE;
        Self {
            sessions: None,
            types: None,
            grants: Grants::default(),
            config: BTreeMap::new(),
            // https://github.com/standard-webhooks/standard-webhooks, "Deliverability".
            retry_seconds: vec![
                5,
                5 * MINUTE,
                30 * MINUTE,
                2 * HOUR,
                5 * HOUR,
                10 * HOUR,
                14 * HOUR,
                20 * HOUR,
                24 * HOUR,
            ],
            timeout_ms: 5_000,
            concurrency: 8,
        }
    }
}

impl SubscriptionSettings {
    /// Does it get this event? Events that stand for others (`gap`) are not asked
    /// about.
    pub fn wants(&self, event: &JournalEvent) -> bool {
        let names = |types: &BTreeSet<String>| types.contains(event.data.kind());
        self.sessions.as_ref().is_none_or(|sessions| sessions.contains(&event.session))
            && self.types.as_ref().is_none_or(names)
    }

    /// One attempt may take so long.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.into())
    }
}

/// What a handler may do: nothing, unless it is said here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Grants {
    /// Write lines for the operator.
    pub log: bool,
    /// Read its settings.
    pub config: bool,
    /// Keep values.
    pub kv: bool,
    /// Tell the time.
    pub clock: bool,
    /// Get random bytes.
    pub random: bool,
    /// Sign with its secrets.
    pub secrets: bool,
    /// What it may do to sessions.
    pub session: BTreeSet<SessionAction>,
    /// Where it may send requests.
    pub http: Vec<HttpGrant>,
    /// Requests a second in the long run, to all hosts together; more wait.
    pub http_per_second: Option<u32>,
}

/// What a handler may be allowed to do to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionAction {
    /// Start its engine again.
    Reconnect,
    /// Stop its engine; the link stays.
    Park,
    /// Unlink it.
    LogOut,
}

/// Where requests may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpGrant {
    /// Scheme, host, port, and the beginning of the path. A host that is an
    /// address, or `localhost`, is thereby granted whatever network it lies in.
    pub url: Url,
    /// Methods in capitals; none means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methods: Option<BTreeSet<String>>,
    /// Networks beyond the public internet where the host's name may lead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<IpNet>,
}
