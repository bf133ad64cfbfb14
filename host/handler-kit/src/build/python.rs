//! Python: componentize-py puts it into an interpreter.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;

use super::{WORLD, run, without_types};
use crate::project::Project;

const PROGRAM: &str = "componentize-py";

pub(super) fn build(project: &Project) -> anyhow::Result<()> {
    let folder = &project.folder;
    let compiler = compiler(folder).with_context(|| {
        format!(
            "componentize-py is missing: in {} run `python3 -m venv .venv && .venv/bin/pip install -r requirements.txt`",
            folder.display()
        )
    })?;
    let call = || {
        let mut call = Command::new(&compiler);
        call.current_dir(folder).args(["--quiet", "--wit-path", "wit", "--world", WORLD]);
        call
    };
    // For the editor; the compiler makes its own.
    without_types(folder)?;
    run(call().args(["bindings", "types"]), PROGRAM)?;
    run(call().args(["componentize", "handler", "--output"]).arg(project.component()), PROGRAM)
}

/// The compiler: the project's own, or the one in the PATH.
pub(crate) fn compiler(project: &Path) -> Option<PathBuf> {
    let own = project.join(".venv/bin").join(PROGRAM);
    let path = env::var_os("PATH").unwrap_or_default();
    let in_path = env::split_paths(&path).map(|folder| folder.join(PROGRAM));
    std::iter::once(own).chain(in_path).find(|program| program.is_file())
}
