//! Handlers on trial: the host's own runtime with all its limits, a broker with
//! the project's grants, and a network that only answers as it was told.

mod certificates;
mod event_json;
mod histories;
mod memory_kv;
mod network;
mod report;
mod runtime;
mod stopped_clock;
mod usage;
mod vector;

use std::path::Path;

use pairing_plugin_runtime::PluginsConfig;

use crate::project::Project;
pub use report::Report;
use report::VectorReport;
use runtime::Trial;

/// Where recorded events are to be had.
#[derive(Debug, Clone)]
pub enum Histories {
    /// What `GET /whatsapp/events` has answered, or its events alone.
    File(std::path::PathBuf),
    /// The address of a host, and a token for it.
    Host(url::Url, String),
}

/// Tries the project's component with its vectors, and with recorded events if
/// there are any.
///
/// # Errors
/// The component, a vector or the recorded events can't be used at all: why.
pub fn test(
    project: &Project,
    config: PluginsConfig,
    histories: Option<&Histories>,
) -> anyhow::Result<Report> {
    let vectors = vector::read_all(Path::new(&project.folder))?;
    let mut trial = Trial::start(project, config)?;
    let mut reports = Vec::new();
    for (name, vector) in vectors {
        let event = vector.event.clone().read();
        let event = event.map_err(|error| error.context(format!("vectors/{name}.json")))?;
        let answers = vector.requests.iter().map(|request| request.answer.clone());
        let ended = trial.hand_over(event, vector.attempt, answers)?;
        let mistakes = vector.mistakes(ended.outcome(), &ended.requests, &ended.log);
        reports.push(VectorReport { name, about: vector.about, ended, mistakes });
    }
    let histories =
        histories.map(|histories| histories::play(&mut trial, histories)).transpose()?;
    Ok(Report { vectors: reports, histories })
}
