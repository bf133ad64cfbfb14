//! A handler that is being written, on a running host: built and activated
//! whenever a source is saved.

mod host;
mod lines;
mod sources;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;

use crate::{inspect::Built, project::Project};
pub use host::Host;
use lines::Lines;
use sources::Sources;

/// So often it is looked whether a source was saved, and what the handler said.
const LOOK: Duration = Duration::from_millis(200);

/// Keeps the project's handler on the host, until this future is dropped. What
/// happens, and what the handler says, goes to standard output.
///
/// # Errors
/// There is no such project, or the host is not to be reached at all. Mistakes
/// in the sources are told, and mended by saving again.
pub async fn run(folder: &Path, host: &Host) -> anyhow::Result<()> {
    let project = Project::open(folder)?;
    let name = project.name();
    let mut lines = Lines::from_now(host, name).await?;
    let mut sources = Sources::of(&project.folder);
    let mut active = None;
    renew(folder.to_owned(), host, &mut active).await;
    loop {
        tokio::time::sleep(LOOK).await;
        lines.show(host).await;
        if sources.have_changed() {
            renew(folder.to_owned(), host, &mut active).await;
        }
    }
}

/// Builds and activates, if there is something new; tells what came of it.
async fn renew(folder: PathBuf, host: &Host, active: &mut Option<String>) {
    println!("-- building");
    let began = Instant::now();
    let building = tokio::task::spawn_blocking(move || {
        let project = Project::open(&folder)?;
        let built = crate::build(&project)?;
        anyhow::Ok((project, built))
    });
    let told = async {
        let (project, built) = building.await.context("the build was broken off")??;
        let building = began.elapsed();
        let began = Instant::now();
        activate(&project, &built, host, active).await?;
        let (short, activating) = (&built.digest[..12], began.elapsed());
        println!("-- {short} is active; built in {building:.1?}, activated in {activating:.1?}");
        anyhow::Ok(())
    };
    if let Err(error) = told.await {
        println!("-- not activated: {error:#}");
    }
}

async fn activate(
    project: &Project,
    built: &Built,
    host: &Host,
    active: &mut Option<String>,
) -> anyhow::Result<()> {
    // What is active may need more than will be granted: then the new one goes first.
    let granted = host.grant(project).await;
    if active.as_ref() != Some(&built.digest) {
        host.push(project.name(), &built.path).await?;
        if granted.is_err() && active.is_none() {
            return granted;
        }
        host.activate(project.name(), &built.digest).await?;
        *active = Some(built.digest.clone());
    }
    match granted {
        Ok(()) => Ok(()),
        Err(_) => host.grant(project).await,
    }
}
