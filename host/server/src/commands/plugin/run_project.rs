//! `pairing-host plugin run`: a handler on a running host while it is written; or
//! on one of its own, whose sessions are only pretended.

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::Context as _;
use pairing_api::auth::TokenKeys;
use pairing_core::clock::{Clock as _, SystemClock};
use pairing_handler_kit::{Host, PretendedEngine};

use crate::{
    app,
    cli::RunArgs,
    commands::serve,
    config::{Settings, SettingsFile},
    data_dir::DataDir,
    lifecycle, telemetry,
};

/// Longer than anybody works without a break.
const TOKEN_LIFETIME: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

pub async fn run(args: RunArgs) -> anyhow::Result<()> {
    let folder = &args.project.dir;
    match (args.url, args.token) {
        (Some(url), Some(token)) => {
            let stopping = lifecycle::stop_on_signals()?;
            let host = Host::at(url, token)?;
            tokio::select! {
                ended = pairing_handler_kit::run(folder, &host) => ended,
                () = stopping.cancelled() => Ok(()),
            }
        }
        _ => on_own_host(folder, args.listen).await,
    }
}

async fn on_own_host(folder: &Path, listen: SocketAddr) -> anyhow::Result<()> {
    let data = tempfile::tempdir().context("could not make a folder")?;
    let settings = settings(data.path(), listen)?;
    telemetry::begin(&settings);
    let stopping = lifecycle::stop_on_signals()?;
    let data_dir = DataDir::open(&settings)?;
    let keys = TokenKeys::new(&app::local_keys(&data_dir)?, None)?;
    let token = keys.issue("plugin-run", None, None, SystemClock.now(), TOKEN_LIFETIME)?;
    println!(
        "-- a host with pretended sessions, for this command only: PAIRING_URL=http://{listen} PAIRING_TOKEN={token}"
    );
    let host = Host::at(format!("http://{listen}").parse()?, token)?;
    // Whichever ends first takes the other along.
    let serving = async {
        let engine = Arc::new(PretendedEngine);
        let served = serve::with_engine(&settings, &data_dir, engine, stopping.clone()).await;
        stopping.cancel();
        served
    };
    let trying = async {
        host.until_ready().await;
        tokio::select! {
            ended = pairing_handler_kit::run(folder, &host) => ended,
            () = pairing_handler_kit::keep_a_session(&host) => Ok(()),
        }
    };
    let working = async {
        let worked = tokio::select! {
            worked = trying => worked,
            () = stopping.cancelled() => Ok(()),
        };
        stopping.cancel();
        worked
    };
    let (served, worked) = tokio::join!(serving, working);
    served.and(worked)
}

fn settings(data: &Path, listen: SocketAddr) -> anyhow::Result<Settings> {
    let file = data.join("pairing-host.toml");
    let text = format!(
        "mode = \"development\"\nlog = \"warn\"\nlisten = \"{listen}\"\nrate_limits = \"off\"\ndata_dir = {:?}\npage_hooks.canary_every = \"off\"\n",
        data.join("data")
    );
    std::fs::write(&file, text).context("could not write the settings")?;
    Ok(Settings::from_file_alone(&SettingsFile::Named(file))?)
}
