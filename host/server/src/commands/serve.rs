//! `pairing-host serve`: the story of a host, from its settings to its end.

use std::{io::IsTerminal, sync::Arc};

use anyhow::Context;
use pairing_api::{Api, ApiParts, ToReadersOf};
use pairing_core::{
    clock::{SharedClock, SystemClock},
    engine::Engine,
    page_hooks::PageDriver,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    app,
    config::{Mode, Settings},
    data_dir::DataDir,
    free_space, lifecycle,
    steady_clock::SteadyClock,
    telemetry,
};

pub async fn run(settings: Settings) -> anyhow::Result<()> {
    telemetry::begin(&settings);
    let stopping = lifecycle::stop_on_signals()?;
    let data_dir = DataDir::open(&settings)?;
    let engine = app::engine(&settings, data_dir.profiles(&settings)?)?;
    with_engine(&settings, &data_dir, Arc::new(engine), stopping).await
}

/// The same with any engine, until the token is cancelled.
pub async fn with_engine(
    settings: &Settings,
    data_dir: &DataDir,
    engine: Arc<impl Engine + PageDriver>,
    stopping: CancellationToken,
) -> anyhow::Result<()> {
    let metrics = telemetry::metrics()?;
    let _lock = data_dir.lock()?;
    let tls = app::tls(settings)?;
    let config = app::api_config(settings, data_dir)?;
    // Whoever has the port is the host; only then a browser may start.
    let listener = TcpListener::bind(settings.listen).await.with_context(|| {
        format!("could not listen on {}; PAIRING_LISTEN chooses another port", settings.listen)
    })?;

    let folders = vec![settings.data_dir.clone(), data_dir.profiles(settings)?];
    let space = free_space::watch(folders, stopping.clone());
    let clock = Arc::new(SteadyClock::start());
    let comparing = clock.clone();
    let until_stop = stopping.clone();
    tokio::spawn(async move { comparing.compare(until_stop).await });
    let clock: SharedClock = clock;
    let store = app::open_store(settings, data_dir).await?;
    let plugins = app::open_plugins(settings, data_dir, store.clone()).await?;
    let app::HostPlugins { registry, runtime, logs } = plugins;
    // Sessions that are taken up begin with the file that is in use.
    let page_hooks =
        app::open_page_hooks(settings, store.clone(), engine.clone(), clock.clone()).await?;
    let sessions =
        app::start_sessions(settings, store.clone(), engine, registry.plugins(), clock.clone())
            .await?;
    let minding = (sessions.clone(), space.clone());
    tokio::spawn(async move { minding.0.mind_space(minding.1).await });
    let deliveries =
        app::start_deliveries(store.clone(), runtime, &sessions, clock.clone()).await?;
    let canary = tokio::spawn({
        let (page_hooks, until_stop) = (page_hooks.clone(), stopping.clone());
        let announce = Arc::new(ToReadersOf(sessions.clone()));
        async move { page_hooks.run_canary(announce, until_stop).await }
    });
    let parts = ApiParts {
        sessions: sessions.clone(),
        store,
        clock,
        wall_clock: Arc::new(SystemClock),
        plugins: registry.clone(),
        deliveries: deliveries.clone(),
        page_hooks,
        logs,
        metrics,
        space,
    };
    let api = Api::new(config, parts, stopping)?;
    let base = app::base_url(settings);
    if let Some(link) = api.setup_link(&base).await? {
        hand_out(&link, settings, data_dir)?;
    }

    tracing::info!("serving {base}/admin/whatsapp-pairing");
    pairing_api::serve(listener, tls, api).await;
    canary.await.context("the page's canary failed")?;
    deliveries.stop().await;
    sessions.stop().await;
    registry.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// The set-up link lets whoever has it become the first admin, so it is shown to
/// the person at the terminal; where there is none it goes into a private file
/// and not into whatever collects the output.
fn hand_out(link: &SecretString, settings: &Settings, data_dir: &DataDir) -> anyhow::Result<()> {
    if settings.mode == Mode::Development || std::io::stdout().is_terminal() {
        println!(
            "Set the first admin's password (valid once, for 30 minutes):\n  {}",
            link.expose_secret()
        );
    } else {
        let path = data_dir.put_private("setup-link", link.expose_secret().as_bytes())?;
        println!(
            "Set the first admin's password with the link in {} (valid once, for 30 minutes)",
            path.display()
        );
    }
    Ok(())
}
