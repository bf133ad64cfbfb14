//! What all handlers share.

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use metrics_exporter_prometheus::PrometheusHandle;
use pairing_core::{
    clock::SharedClock,
    space::SpaceWatch,
    store::{Store, StoreError},
};
use pairing_delivery::Deliveries;
use pairing_page_hooks::PageHooks;
use pairing_plugin_registry::Registry;
use pairing_plugin_runtime::GuestLogs;
use pairing_sessions::Sessions;
use rand::RngCore;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    auth::{LiveLogins, RefreshTokens, Tickets, TokenKeys, Tokens, password::Passwords},
    code_budgets::CodeBudgets,
    config::ApiConfig,
    problem::{Code, Problem},
    rate_limit::{Limits, SharedLimits},
    routes::DatabaseCheck,
};

/// The set-up link is void after this.
const SETUP_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// What the API is made of.
pub struct ApiParts {
    /// All sessions.
    pub sessions: Sessions,
    /// Logins, and whether the database is there.
    pub store: Arc<dyn Store>,
    /// Tells the host's time.
    pub clock: SharedClock,
    /// Tells the machine's, which tokens go by; somebody may set it.
    pub wall_clock: SharedClock,
    /// Which plugins fill the slots.
    pub plugins: Registry,
    /// Hands events to subscribers.
    pub deliveries: Deliveries,
    /// The knowledge of WhatsApp's page.
    pub page_hooks: PageHooks,
    /// What handlers say.
    pub logs: GuestLogs,
    /// Where metrics are read.
    pub metrics: PrometheusHandle,
    /// How much room is left on the disk.
    pub space: SpaceWatch,
}

/// The API can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A key can't be used.
    #[error("{0}")]
    Key(String),
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Shared by all handlers. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

pub struct Inner {
    pub(crate) sessions: Sessions,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: SharedClock,
    pub(crate) wall_clock: SharedClock,
    pub(crate) plugins: Registry,
    pub(crate) deliveries: Deliveries,
    pub(crate) page_hooks: PageHooks,
    pub(crate) logs: GuestLogs,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) space: SpaceWatch,
    pub(crate) config: ApiConfig,
    pub(crate) tokens: Tokens,
    pub(crate) logins: LiveLogins,
    pub(crate) tickets: Tickets,
    pub(crate) refresh: RefreshTokens,
    pub(crate) passwords: Passwords,
    pub(crate) limits: SharedLimits,
    pub(crate) codes: CodeBudgets,
    pub(crate) database: DatabaseCheck,
    /// Cancelled when the host begins to stop.
    pub(crate) stopping: CancellationToken,
    /// Tasks of open sockets, and others that a stop waits for.
    pub(crate) sockets: TaskTracker,
}

impl std::ops::Deref for Api {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Api {
    /// Puts the parts together.
    pub fn new(
        config: ApiConfig,
        parts: ApiParts,
        stopping: CancellationToken,
    ) -> Result<Self, SetupError> {
        let keys = TokenKeys::new(&config.keys, config.issuer.clone())
            .map_err(|error| SetupError::Key(error.to_string()))?;
        let ApiParts {
            sessions,
            store,
            clock,
            wall_clock,
            plugins,
            deliveries,
            page_hooks,
            logs,
            metrics,
            space,
        } = parts;
        Ok(Self(Arc::new(Inner {
            tokens: Tokens::new(keys, wall_clock.clone()),
            logins: LiveLogins::new(store.clone(), clock.clone()),
            tickets: Tickets::new(clock.clone()),
            refresh: RefreshTokens::new(&config.keys.refresh),
            passwords: Passwords::default(),
            limits: Arc::new(Limits::new(config.rate_limits)),
            codes: CodeBudgets::new(
                store.clone(),
                clock.clone(),
                config.codes.clone(),
                &config.keys.numbers,
            ),
            sessions,
            store,
            clock,
            wall_clock,
            plugins,
            deliveries,
            page_hooks,
            logs,
            metrics,
            space,
            config,
            database: DatabaseCheck::default(),
            stopping,
            sockets: TaskTracker::new(),
        })))
    }

    /// Does work that must not stop in the middle because the caller hung up. When
    /// the host stops it is waited for.
    pub(crate) async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Problem> {
        self.sockets.spawn(work).await.map_err(|error| {
            tracing::error!(%error, "a request's work did not end");
            Problem::new(Code::Internal, "the host failed at this request; the log says where")
        })
    }

    /// Makes a one-time link to set the first admin's password; none where there
    /// is an admin already. The token stands behind `#`, so that no browser sends
    /// it and no proxy logs it.
    pub async fn setup_link(&self, base: &str) -> Result<Option<SecretString>, StoreError> {
        if self.store.admin_count().await? > 0 {
            return Ok(None);
        }
        let mut bytes = [0; 24];
        rand::rng().fill_bytes(&mut bytes);
        let token = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let expires_at = self.clock.now().after(SETUP_LIFETIME);
        self.store.put_setup_token(&setup_token_hash(&token), expires_at).await?;
        let base = base.trim_end_matches('/');
        Ok(Some(format!("{base}/admin/setup#token={token}").into()))
    }
}

pub(crate) fn setup_token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
