//! JavaScript: componentize-js puts it into an engine.

use std::{fs, process::Command};

use anyhow::{Context as _, bail};

use super::{WORLD, imports, run, without_types};
use crate::project::Project;

/// Where npm puts the compiler.
pub(crate) const COMPILER: &str = "node_modules/@bytecodealliance/componentize-js/src/cli.js";
/// What is compiled in place of the author's own module, which it imports.
const ENTRY: &str = include_str!("entry.js");
/// It comes with the compiler.
const TYPES: &str = "node_modules/@bytecodealliance/jco/dist/jco.js";

pub(super) fn build(project: &Project) -> anyhow::Result<()> {
    let folder = &project.folder;
    if !folder.join(COMPILER).is_file() {
        bail!("componentize-js is missing: run `npm install` in {}", folder.display());
    }
    // For the editor; the compiler does without.
    if folder.join(TYPES).is_file() {
        without_types(folder)?;
        let mut types = Command::new("node");
        types.args([TYPES, "guest-types", "wit", "--world-name", WORLD, "--out-dir", "types"]);
        run(types.arg("--quiet").current_dir(folder), "jco")?;
    }
    // What a handler was not granted is left out of its engine, but for the
    // console, which goes into the handler's log.
    let grants = &project.manifest.subscription.grants;
    let parts = [
        ("fetch-event", false),
        ("http", imports(folder, "wasi:http/outgoing-handler")?),
        ("clocks", grants.clock),
        ("random", grants.random),
    ];
    let left_out = parts.into_iter().filter(|(_, wanted)| !wanted).map(|(part, _)| part);
    fs::write(folder.join("dist/entry.js"), ENTRY).context("could not write dist/entry.js")?;
    let mut compiler = Command::new("node");
    compiler
        .current_dir(folder)
        .args([COMPILER, "dist/entry.js", "--wit", "wit", "--world-name", WORLD, "--out"])
        .arg(project.component())
        .arg("--disable")
        .args(left_out);
    run(&mut compiler, "componentize-js")
}
