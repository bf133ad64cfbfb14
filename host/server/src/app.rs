//! Wiring: which part gets which, and what each must be told.

use std::{io, path::PathBuf, sync::Arc};

use anyhow::Context;
use pairing_api::{
    ApiConfig, CodeBudgets, ExternalIssuer, IssuerKey, KeySetPlace, ListenerLimits, LocalKeys,
};
use pairing_core::{
    clock::{SharedClock, SystemClock},
    engine::Engine,
    page_hooks::PageDriver,
    store::{Store, StoreError},
};
use pairing_delivery::{Deliveries, DeliveryParts};
use pairing_egress::{Egress, EgressConfig};
use pairing_engine::{ChromiumEngine, EngineConfig, RunAs, SentinelProgram};
use pairing_page_hooks::{PageHooks, PageHooksConfig, PageHooksParts};
use pairing_plugin_registry::{Registry, RegistryConfig, RegistryParts, TrustedKeys};
use pairing_plugin_runtime::{
    ChildCompiler, Compiler, GuestLogs, HandlerParts, Plugins, PluginsConfig, Runtime,
};
use pairing_sessions::{Sessions, SessionsConfig, SessionsParts};
use secrecy::ExposeSecret;

use crate::{
    cli::{COMPILE_PLUGIN, SENTINEL},
    config::{Jwt, Mode, Settings},
    data_dir::{DataDir, Unusable},
};

/// Opens the database that the settings name, and brings its tables up to date.
pub async fn open_store(settings: &Settings, data_dir: &DataDir) -> anyhow::Result<Arc<dyn Store>> {
    let url = settings.database_url.clone().unwrap_or_else(|| data_dir.database_url());
    let store = pairing_store::connect(&pairing_store::Config::new(url.expose_secret())).await;
    store.map_err(|error| match error {
        StoreError::Unavailable(_) => anyhow::Error::new(error)
            .context("could not open the database; is it running, and is DATABASE_URL right?"),
        error => anyhow::Error::new(error).context("could not open the database"),
    })
}

/// The plugins of a host.
pub struct HostPlugins {
    pub registry: Registry,
    pub runtime: Runtime,
    /// What handlers say.
    pub logs: GuestLogs,
}

/// Fills the slots with the plugins that the database says.
pub async fn open_plugins(
    settings: &Settings,
    data_dir: &DataDir,
    store: Arc<dyn Store>,
) -> anyhow::Result<HostPlugins> {
    let logs = GuestLogs::default();
    let egress = Egress::new(EgressConfig::default());
    let for_handlers = HandlerParts {
        kv: store.clone(),
        egress: egress.context("could not prepare the way out for handlers")?,
        clock: Arc::new(SystemClock),
        logs: logs.clone(),
    };
    // The binary as it was started, even if another one lies in its place by now.
    let compiler = ChildCompiler::new("/proc/self/exe".into(), vec![COMPILE_PLUGIN.into()]);
    let config = PluginsConfig {
        compiler: Compiler::Child(compiler),
        seal_key: Some(data_dir.key("plugin-cache", 32)?),
        ..PluginsConfig::default()
    };
    let runtime = Runtime::start_with_handlers(config, for_handlers);
    let runtime = runtime.context("could not prepare to run plugins")?;
    let parts = RegistryParts {
        store: store.clone(),
        native_code: store.clone(),
        sessions: store.clone(),
        subscriptions: store.clone(),
        journal: store,
        secrets_key: data_dir.key("subscription-secrets", 32)?,
        clock: Arc::new(SystemClock),
        runtime: runtime.clone(),
    };
    let config = registry_config(settings)?;
    let registry = Registry::open(parts, config).await;
    let registry = registry.context("could not fill the plugins' slots")?;
    Ok(HostPlugins { registry, runtime, logs })
}

/// Begins to hand events to handlers, which may ask something of sessions.
pub async fn start_deliveries(
    store: Arc<dyn Store>,
    runtime: Runtime,
    sessions: &Sessions,
    clock: SharedClock,
) -> anyhow::Result<Deliveries> {
    runtime.set_session_actions(Arc::new(sessions.clone()));
    let parts = DeliveryParts {
        store,
        handlers: Arc::new(runtime),
        clock,
        head: sessions.events().head_watch(),
    };
    Deliveries::start(parts).await.context("could not read the subscriptions")
}

/// What the settings say of plugins. Keys are looked into.
pub fn registry_config(settings: &Settings) -> anyhow::Result<RegistryConfig> {
    let is_development = settings.mode == Mode::Development;
    Ok(RegistryConfig {
        keys: TrustedKeys::read(&settings.plugins_keys).context("PAIRING_PLUGINS_KEYS")?,
        refuse_unsigned: !is_development,
        dir: settings.plugins_dir.clone(),
        watch: is_development,
        ..RegistryConfig::default()
    })
}

/// What stands beside each browser: the binary as it was started, even if another
/// one lies in its place by now.
pub fn sentinel() -> SentinelProgram {
    SentinelProgram { program: "/proc/self/exe".into(), arguments: vec![SENTINEL.into()] }
}

/// The engine that drives Chromium. Starts no browser yet.
pub fn engine(settings: &Settings, profiles: PathBuf) -> anyhow::Result<ChromiumEngine> {
    let chromium = &settings.chromium;
    let config = EngineConfig {
        chromium: chromium.path.clone(),
        extra_args: chromium.args.clone(),
        whatsapp_web_url: chromium.whatsapp_web_url.clone(),
        run_as: RunAs::UserIfRoot(chromium.user.clone()),
        sentinel: sentinel(),
        sentinel_deadline: chromium.sentinel_deadline,
        memory_limit: Some(chromium.session_memory),
        ..EngineConfig::new(profiles)
    };
    ChromiumEngine::new(config).context("PAIRING_CHROMIUM… can't be used")
}

/// Takes up all sessions that the store knows.
pub async fn start_sessions(
    settings: &Settings,
    store: Arc<dyn Store>,
    engine: Arc<dyn Engine>,
    plugins: Plugins,
    clock: SharedClock,
) -> anyhow::Result<Sessions> {
    let mut config = SessionsConfig { pairing: settings.pairing.clone(), ..Default::default() };
    if let Some(starts) = settings.chromium.concurrent_starts {
        config.concurrent_starts = starts;
    }
    config.max_browsers = settings.chromium.max_browsers;
    config.watch_window = settings.watch_window.unwrap_or(config.watch_window);
    config.journal_retention = settings.journal_kept.unwrap_or(config.journal_retention);
    config.history_retention = settings.history_kept.unwrap_or(config.history_retention);
    let parts = SessionsParts {
        store,
        engine,
        workflow: plugins.workflow,
        renderer: plugins.renderer,
        fan_out: plugins.fan_out,
        clock,
    };
    Sessions::start(parts, config).await.context("could not read the sessions")
}

/// Puts the knowledge of the page into use that the database says.
pub async fn open_page_hooks(
    settings: &Settings,
    store: Arc<dyn Store>,
    page: Arc<dyn PageDriver>,
    clock: SharedClock,
) -> anyhow::Result<PageHooks> {
    let config = PageHooksConfig { canary_every: settings.page_canary_every };
    let hooks = PageHooks::open(PageHooksParts { store, page, clock }, config).await;
    hooks.context("could not read which page hooks are in use")
}

/// What the API must be told.
pub fn api_config(settings: &Settings, data_dir: &DataDir) -> anyhow::Result<ApiConfig> {
    let public = settings.public_url.as_ref();
    Ok(ApiConfig {
        port: public.and_then(url::Url::port_or_known_default).unwrap_or(settings.listen.port()),
        public_url: settings.public_url.clone(),
        is_https: settings.tls.is_some() || public.is_some_and(|url| url.scheme() == "https"),
        allowed_origins: settings.allowed_origins.clone(),
        trusted_proxies: settings.trusted_proxies.clone(),
        rate_limits: settings.rate_limits,
        codes: code_budgets(settings),
        is_development: settings.mode == Mode::Development,
        issuer: issuer(&settings.jwt)?,
        keys: local_keys(data_dir)?,
        limits: ListenerLimits::default(),
    })
}

/// Keys that the host makes for itself at its first start.
pub fn local_keys(data_dir: &DataDir) -> Result<LocalKeys, Unusable> {
    let make = || LocalKeys::new_signing_key().map_err(io::Error::other);
    Ok(LocalKeys {
        signing: data_dir.secret_file("signing", make)?.into(),
        refresh: data_dir.key("refresh", 32)?,
        numbers: data_dir.key("numbers", 32)?,
    })
}

fn code_budgets(settings: &Settings) -> CodeBudgets {
    let (said, default) = (settings.code_budgets, CodeBudgets::default());
    CodeBudgets {
        per_number: said.number.unwrap_or(default.per_number),
        per_caller: said.caller.unwrap_or(default.per_caller),
        per_session: said.session.unwrap_or(default.per_session),
        per_host: said.host.unwrap_or(default.per_host),
    }
}

/// Who else may issue tokens. A key set in a file is looked into.
pub fn issuer(jwt: &Jwt) -> anyhow::Result<Option<ExternalIssuer>> {
    let key = match (&jwt.secret, &jwt.jwks) {
        (Some(secret), _) => IssuerKey::Secret(secret.clone()),
        (None, Some(place)) => {
            IssuerKey::Set(KeySetPlace::parse(place).context("PAIRING_JWT_JWKS can't be used")?)
        }
        (None, None) => return Ok(None),
    };
    Ok(Some(ExternalIssuer {
        key,
        issuer: jwt.issuer.clone(),
        audience: jwt.audience.clone(),
        role_claim: jwt.role_claim.clone(),
        admin_role: jwt.admin_role.clone(),
    }))
}

/// The address that people use, as far as the host knows it.
pub fn base_url(settings: &Settings) -> String {
    match &settings.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None if settings.tls.is_some() => format!("https://{}", settings.listen),
        None => format!("http://{}", settings.listen),
    }
}

/// The listener's certificate, if it has one.
pub fn tls(settings: &Settings) -> anyhow::Result<Option<pairing_api::Tls>> {
    let Some(files) = &settings.tls else { return Ok(None) };
    let read = |path: &PathBuf| {
        std::fs::read(path).with_context(|| format!("could not read {}", path.display()))
    };
    let tls = pairing_api::Tls::from_pem(&read(&files.cert)?, &read(&files.key)?);
    Ok(Some(tls.context("PAIRING_TLS_CERT and PAIRING_TLS_KEY")?))
}
