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
use sources::Sources;

/// So often it is looked whether a source was saved.
const LOOK: Duration = Duration::from_millis(200);
/// So often a pretended session is linked anew, if it is not linked.
const REVIVE: Duration = Duration::from_secs(3);

/// Keeps the project's handler on the host, until this future is dropped. What
/// happens, and what the handler says, goes to standard output.
///
/// # Errors
/// There is no such project. Mistakes in the sources are told, and mended by
/// saving again.
pub async fn run(folder: &Path, host: &Host) -> anyhow::Result<()> {
    let name = Project::open(folder)?.name();
    tokio::select! {
        () = keep(folder, host) => Ok(()),
        () = lines::show(host, name) => Ok(()),
    }
}

/// Keeps a session alive that a [`crate::PretendedEngine`] links and unlinks.
pub async fn keep_a_session(host: &Host) {
    loop {
        // While it is linked there is nothing to be done, and the host says so.
        let _ = host.init("pretended").await;
        tokio::time::sleep(REVIVE).await;
    }
}

async fn keep(folder: &Path, host: &Host) {
    let mut sources = Sources::of(folder);
    let mut active = None;
    loop {
        renew(folder.to_owned(), host, &mut active).await;
        while !sources.have_changed() {
            tokio::time::sleep(LOOK).await;
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
    let is_new = active.as_ref() != Some(&built.digest);
    if is_new {
        host.push(project.name(), &built.path).await?;
    }
    // What is active may need more than will be granted: then the new one goes first.
    let granted = host.grant(project).await;
    if is_new {
        if let Err(error) = host.activate(project.name(), &built.digest).await {
            // It may be that nothing could be granted to it.
            granted?;
            return Err(error);
        }
        *active = Some(built.digest.clone());
    }
    match granted {
        Ok(()) => Ok(()),
        Err(_) => host.grant(project).await,
    }
}
