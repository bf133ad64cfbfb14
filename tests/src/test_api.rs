//! The API over real connections, with real sessions, SQLite and plugins. The test
//! plays WhatsApp's page, through [`FakeEngine`], and time, through [`FakeClock`].

use std::{net::SocketAddr, sync::Arc, time::Duration};

use metrics_exporter_prometheus::PrometheusBuilder;
use pairing_api::{
    Api, ApiConfig, ApiParts, CodeBudgets, ExternalIssuer, IssuerKey, ListenerLimits, LocalKeys,
};
use pairing_core::{
    clock::Clock,
    fakes::{FakeCall, FakeClock, FakeEngine, FakePageDriver},
    id::SessionName,
    session::Account,
    space::Space,
    store::Store,
    workflow::EngineReport,
};
use pairing_delivery::{Deliveries, DeliveryParts};
use pairing_egress::{Egress, EgressConfig};
use pairing_page_hooks::{PageHooks, PageHooksConfig, PageHooksParts};
use pairing_plugin_registry::{Registry, RegistryConfig, RegistryParts};
use pairing_plugin_runtime::{GuestLogs, HandlerParts, PluginsConfig, Runtime};
use pairing_sessions::{Sessions, SessionsConfig, SessionsParts};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::watch,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    shared_code::SharedCode,
    token::{ISSUER_KEY, token_at},
    wait::until,
};

/// A good password.
pub const PASSWORD: &str = "four calm turtles paint windows";

/// A host without a browser, in this process.
pub struct TestApi {
    /// WhatsApp's page.
    pub engine: FakeEngine,
    /// Stands still until it is moved.
    pub clock: Arc<FakeClock>,
    /// The sessions that the API speaks of.
    pub sessions: Sessions,
    /// The database.
    pub store: Arc<dyn Store>,
    /// Which plugins fill the slots.
    pub registry: Registry,
    /// Hands events to handlers.
    pub deliveries: Deliveries,
    /// What the knowledge of the page is tried on.
    pub page: FakePageDriver,
    /// How much room there is said to be.
    pub space: watch::Sender<Space>,
    /// The API itself.
    pub api: Api,
    /// Where it listens.
    pub address: SocketAddr,
    client: reqwest::Client,
    stopping: CancellationToken,
    server: Option<JoinHandle<()>>,
    _folder: TempDir,
}

/// A sign-in to the console.
pub struct SignIn {
    /// To be sent as a bearer token.
    pub access_token: String,
    /// `name=value`, to be sent as a cookie.
    pub cookie: String,
}

impl TestApi {
    /// With FinBot as the issuer, and all limits on.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// The same, with some settings changed.
    pub async fn with(change: impl FnOnce(&mut ApiConfig)) -> Self {
        Self::tuned(|config, _| change(config)).await
    }

    /// The same, with settings of sessions changed too.
    pub async fn tuned(change: impl FnOnce(&mut ApiConfig, &mut SessionsConfig)) -> Self {
        // Whoever tests who may send plugins says so.
        let plugins = RegistryConfig { refuse_unsigned: false, ..RegistryConfig::default() };
        Self::made(change, plugins).await
    }

    /// The same, with other rules for plugins.
    pub async fn with_plugins(plugins: RegistryConfig) -> Self {
        Self::made(|_, _| {}, plugins).await
    }

    async fn made(
        change: impl FnOnce(&mut ApiConfig, &mut SessionsConfig),
        rules: RegistryConfig,
    ) -> Self {
        let folder = tempfile::Builder::new().prefix("pairing-api-").tempdir().expect("a folder");
        let listener = listen().expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let store = pairing_store::connect(&pairing_store::Config::new(url)).await.expect("SQLite");
        // The pages here show nothing until a test says so: others must not wait.
        let mut tuning = SessionsConfig { concurrent_starts: 1_000, ..Default::default() };
        let mut config = config(address.port());
        change(&mut config, &mut tuning);
        let clock = Arc::new(FakeClock::default());
        let seal_key = Some(vec![7; 32].into());
        let logs = GuestLogs::default();
        let for_handlers = HandlerParts {
            kv: store.clone(),
            egress: Egress::new(EgressConfig::default()).expect("the system names its resolvers"),
            clock: clock.clone(),
            logs: logs.clone(),
        };
        let guests = PluginsConfig { seal_key, ..PluginsConfig::default() };
        let runtime = Runtime::start_with_handlers(guests, for_handlers);
        let runtime = runtime.expect("guests can run here");
        let parts = RegistryParts {
            store: store.clone(),
            native_code: Arc::new(SharedCode::default()),
            sessions: store.clone(),
            subscriptions: store.clone(),
            journal: store.clone(),
            secrets_key: vec![7; 32].into(),
            clock: clock.clone(),
            runtime: runtime.clone(),
        };
        let registry = Registry::open(parts, rules).await.expect("the plugins are built in");
        let plugins = registry.plugins();
        let engine = FakeEngine::default();
        let (space, _) = watch::channel(Space::Plenty);
        let parts = SessionsParts {
            store: store.clone(),
            engine: Arc::new(engine.clone()),
            workflow: plugins.workflow,
            renderer: plugins.renderer,
            fan_out: plugins.fan_out,
            clock: clock.clone(),
        };
        let sessions = Sessions::start(parts, tuning).await.expect("an empty store");
        runtime.set_session_actions(Arc::new(sessions.clone()));
        let parts = DeliveryParts {
            store: store.clone(),
            handlers: Arc::new(runtime),
            clock: clock.clone(),
            head: sessions.events().head_watch(),
        };
        let deliveries = Deliveries::start(parts).await.expect("an empty store");
        let page = FakePageDriver::default();
        let parts = PageHooksParts {
            store: store.clone(),
            page: Arc::new(page.clone()),
            clock: clock.clone(),
        };
        let page_hooks = PageHooks::open(parts, PageHooksConfig::default()).await;
        let page_hooks = page_hooks.expect("an empty store");
        let parts = ApiParts {
            sessions: sessions.clone(),
            store: store.clone(),
            clock: clock.clone(),
            wall_clock: clock.clone(),
            plugins: registry.clone(),
            deliveries: deliveries.clone(),
            page_hooks,
            logs,
            metrics: PrometheusBuilder::new().build_recorder().handle(),
            space: space.subscribe(),
        };
        let stopping = CancellationToken::new();
        let api = Api::new(config, parts, stopping.clone()).expect("the settings are good");
        let server = tokio::spawn(pairing_api::serve(listener, None, api.clone()));
        Self {
            engine,
            clock,
            sessions,
            store,
            registry,
            deliveries,
            page,
            space,
            api,
            address,
            client: reqwest::Client::builder().no_proxy().build().expect("no TLS is needed"),
            stopping,
            server: Some(server),
            _folder: folder,
        }
    }

    /// The address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A token of FinBot's with other claims on top; null removes one.
    pub fn token(&self, claims: Value) -> String {
        token_at(self.clock.now().0 / 1000, claims)
    }

    /// A request without a token.
    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url()))
    }

    /// A request by FinBot's admin.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(self.token(json!({})))
    }

    /// Gets JSON, as FinBot's admin.
    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        read(self.request(Method::GET, path)).await
    }

    /// Posts JSON and gets JSON, as FinBot's admin.
    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        read(self.request(Method::POST, path).json(&body)).await
    }

    /// Begins to link a session, and waits for its engine.
    pub async fn init(&self, session: &str) -> SessionName {
        let (status, body) = self.post("/whatsapp/init", json!({ "sessionName": session })).await;
        assert_eq!(status, 200, "{body}");
        let name: SessionName = session.parse().expect("tests give good names");
        self.engine.wait_for(&name, &FakeCall::Start, 1).await;
        self.engine.report(&name, EngineReport::Started).await;
        name
    }

    /// Begins to link a session; its page shows this QR code.
    pub async fn init_with_qr(&self, session: &str, payload: &str) -> SessionName {
        let name = self.init(session).await;
        self.engine.show_qr(&name, payload, true).await;
        self.until_status(session, "QR_READY").await;
        name
    }

    /// A session that is linked to this number.
    pub async fn linked(&self, session: &str, phone_number: &str) -> SessionName {
        let name = self.init_with_qr(session, "2@scanned").await;
        let account = Account { phone_number: phone_number.into(), name: Some("Ana".into()) };
        self.engine.report(&name, EngineReport::Authenticated).await;
        self.engine.report(&name, EngineReport::Ready(account)).await;
        self.until_status(session, "CONNECTED").await;
        name
    }

    /// Waits until the session has this status, and gives all that is said of it.
    pub async fn until_status(&self, session: &str, status: &str) -> Value {
        until(&format!("{session} is {status}"), async || {
            let (_, now) = self.get(&format!("/whatsapp/status/{session}")).await;
            (now["status"] == status).then_some(now)
        })
        .await
    }

    /// Makes the first admin, `ana`, and signs her in.
    pub async fn set_up(&self) -> SignIn {
        let body =
            json!({ "token": self.setup_token().await, "username": "ana", "password": PASSWORD });
        let request = self.anonymous(Method::POST, "/auth/setup").json(&body);
        SignIn::from(request.send().await.expect("the API answers")).await
    }

    /// A fresh one-time token to become the first admin with.
    pub async fn setup_token(&self) -> String {
        let link = self.api.setup_link(&self.url()).await.expect("the store answers");
        let link = link.expect("there is no admin yet");
        let (_, token) = link.expose_secret().split_once("#token=").expect("it holds the token");
        token.to_owned()
    }

    /// Presents the cookie, as a page of the console does.
    pub fn refresh(&self, cookie: &str) -> RequestBuilder {
        self.anonymous(Method::POST, "/auth/refresh")
            .header("cookie", cookie)
            .header("sec-fetch-site", "same-origin")
    }

    /// Moves the clock on step by step, so that everything that looks at it from
    /// time to time does so.
    pub async fn pass(&self, time: Duration) {
        let step = Duration::from_millis(500);
        let mut passed = Duration::ZERO;
        while passed < time {
            self.clock.advance(step);
            passed += step;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Stops the host as a signal would, and waits for that.
    pub async fn stop(&mut self) {
        self.stopping.cancel();
        if let Some(server) = self.server.take() {
            server.await.expect("the server does not panic");
        }
        self.deliveries.stop().await;
        self.sessions.stop().await;
    }
}

impl Drop for TestApi {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

impl SignIn {
    /// What a sign-in or a renewal answered.
    pub async fn from(response: Response) -> Self {
        let status = response.status();
        let cookie = response.headers().get("set-cookie").cloned();
        let body: Value = response.json().await.unwrap_or_default();
        assert_eq!(status, 200, "{body}");
        let cookie = cookie.and_then(|cookie| cookie.to_str().ok().map(str::to_owned));
        let cookie = cookie.expect("a sign-in sets a cookie");
        Self {
            access_token: body["accessToken"].as_str().expect("a token").to_owned(),
            cookie: cookie.split(';').next().unwrap_or_default().to_owned(),
        }
    }
}

/// Sends; gives status and JSON, or null.
pub async fn read(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.expect("the API answers");
    (response.status(), response.json().await.unwrap_or_default())
}

/// Connections inherit the small buffer: a slow reader is soon noticed.
fn listen() -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_send_buffer_size(64 * 1024)?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    socket.listen(1024)
}

/// FinBot's key; tests choose their address with `X-Forwarded-For`.
fn config(port: u16) -> ApiConfig {
    ApiConfig {
        port,
        public_url: None,
        is_https: false,
        allowed_origins: vec!["http://finbot.example".parse().expect("a URL")],
        trusted_proxies: vec!["127.0.0.1/32".parse().expect("a network")],
        rate_limits: true,
        codes: CodeBudgets::default(),
        is_development: false,
        issuer: Some(finbot(IssuerKey::Secret(ISSUER_KEY.into()))),
        keys: LocalKeys {
            signing: LocalKeys::new_signing_key().expect("randomness").into(),
            refresh: vec![7; 32].into(),
            numbers: vec![8; 32].into(),
        },
        limits: ListenerLimits { drain: Duration::from_secs(10), ..ListenerLimits::default() },
    }
}

/// FinBot as an issuer with this key.
pub fn finbot(key: IssuerKey) -> ExternalIssuer {
    ExternalIssuer {
        key,
        issuer: None,
        audience: None,
        role_claim: "role".into(),
        admin_role: "admin".into(),
    }
}
