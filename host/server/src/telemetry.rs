//! The log: one line of JSON an event on standard error, or text for people in
//! development. Callers see to it that no token, code, QR payload or full phone
//! number gets into a field.

use std::io::IsTerminal;

use anyhow::Context;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing::{Level, Metadata};
use tracing_subscriber::{
    filter::{Targets, filter_fn},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::{Mode, Settings};

/// Begins to log. Once a process.
pub fn begin(settings: &Settings) {
    // The filter was checked with the settings.
    let filter = settings.log.parse::<Targets>().unwrap_or_default();
    let log = tracing_subscriber::registry().with(filter).with(filter_fn(may_be_logged));
    let to = std::io::stderr;
    match settings.mode {
        Mode::Production => {
            let json = tracing_subscriber::fmt::layer().json().flatten_event(true);
            log.with(json.with_current_span(false).with_writer(to)).init();
        }
        Mode::Development => {
            let text = tracing_subscriber::fmt::layer().with_ansi(std::io::stderr().is_terminal());
            log.with(text.with_writer(to)).init();
        }
    }
}

/// Below `info`, libraries log what goes over their wires: the page's messages with
/// QR payloads, requests with tokens. No setting of the log may let those out.
fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("pairing_") || *metadata.level() <= Level::INFO
}

/// Begins to count. Once a process.
pub fn metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().context("could not begin to count")
}
