//! From a project to its component.

mod javascript;
mod python;
mod rust;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};
use wit_parser::Resolve;

pub(crate) use javascript::COMPILER as JAVASCRIPT_COMPILER;
pub(crate) use python::compiler as python_compiler;

use crate::{
    inspect::{Built, inspect},
    project::{Language, Project},
};

/// The name of a project's world.
const WORLD: &str = "plugin";

/// Builds the project into `dist/NAME.wasm`. What compilers say goes to standard
/// error.
///
/// # Errors
/// A tool is missing (which, and how to get it), or the sources do not compile.
pub fn build(project: &Project) -> anyhow::Result<Built> {
    fs::create_dir_all(project.folder.join("dist")).context("could not make the folder dist")?;
    match project.manifest.language {
        Language::Rust => rust::build(project),
        Language::JavaScript => javascript::build(project),
        Language::Python => python::build(project),
    }?;
    inspect(project)
}

/// Does the project's world import an interface of this name?
fn imports(project: &Path, interface: &str) -> anyhow::Result<bool> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(project.join("wit")).context("the folder wit")?;
    let world = resolve.select_world(&[package], Some(WORLD))?;
    let mut names = resolve.worlds[world].imports.keys().map(|key| resolve.name_world_key(key));
    Ok(names.any(|name| name.starts_with(interface)))
}

/// A new place for the types that editors read: not all who write them replace
/// what is there.
fn without_types(project: &Path) -> anyhow::Result<()> {
    let types = project.join("types");
    if types.is_dir() {
        fs::remove_dir_all(&types)
            .with_context(|| format!("could not remove {}", types.display()))?;
    }
    Ok(())
}

/// Runs a compiler; all that it says is for the author.
fn run(command: &mut Command, tool: &str) -> anyhow::Result<()> {
    let status = command
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .with_context(|| format!("could not run {tool}"))?;
    if !status.success() {
        bail!("{tool} failed ({status}); it says above why");
    }
    Ok(())
}
