//! Builds the plugins in this folder: each is compiled to a WebAssembly module
//! and made a component. What fills a slot of the host's own imports no function
//! at all; a handler imports what it is granted, and of WASI no more than HTTP.
//!
//! `plugin-runtime` calls this from its build script, `make plugins` through the
//! binary.

mod component;
mod guests;
mod toolchain;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};

pub use component::encode;
pub use guests::{GUESTS, Guest, TEST_GUESTS, sources};
pub use toolchain::{TARGET, Toolchain};

/// Builds all plugins and writes their components into `out_dir`, each named
/// after its slot: `workflow.wasm`, `qr-renderer.wasm`, … What did
/// not change is neither compiled nor written again.
///
/// # Errors
/// There is no toolchain for the guests (the error says how to get one), a guest
/// does not compile, or a file can't be written.
pub fn build_all(out_dir: &Path) -> anyhow::Result<()> {
    build(GUESTS, out_dir, Size::Shipped)
}

/// The same with the guests that only tests need.
///
/// # Errors
/// Those of [`build_all`].
pub fn build_for_tests(out_dir: &Path) -> anyhow::Result<()> {
    build(TEST_GUESTS, out_dir, Size::Shipped)
}

/// The same, as small as can be and without names, for the museum of releases.
///
/// # Errors
/// Those of [`build_all`].
pub fn build_small(out_dir: &Path) -> anyhow::Result<()> {
    build(GUESTS, out_dir, Size::Small)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    Shipped,
    Small,
}

fn build(guests: &[Guest], out_dir: &Path, size: Size) -> anyhow::Result<()> {
    let modules = compile(guests, &Toolchain::find()?, size)?;
    std::fs::create_dir_all(out_dir)
        .with_context(|| format!("could not make the folder {}", out_dir.display()))?;
    for guest in guests {
        let module = modules.join(guest.module_file());
        let module = std::fs::read(&module)
            .with_context(|| format!("could not read {}", module.display()))?;
        let component = component::encode(&module)
            .with_context(|| format!("could not make a component of `{}`", guest.package))?;
        write_if_changed(&out_dir.join(format!("{}.wasm", guest.slot)), &component)?;
    }
    Ok(())
}

/// Compiles the guests' modules; the folder in which they are.
fn compile(guests: &[Guest], toolchain: &Toolchain, size: Size) -> anyhow::Result<PathBuf> {
    let mut target_dir = target_dir();
    let mut cargo = toolchain.cargo();
    if size == Size::Small {
        target_dir.push("small");
        cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "z");
        cargo.env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
        cargo.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1");
    }
    cargo
        .current_dir(guests::workspace())
        .args(["build", "--release", "--locked", "--lib", "--target", TARGET])
        .args(guests.iter().flat_map(|guest| ["--package", guest.package]))
        .arg("--target-dir")
        .arg(&target_dir);
    run(&mut cargo).context("the plugins do not compile")?;
    Ok(target_dir.join(TARGET).join("release"))
}

/// A folder of its own: the outer cargo, whose build script may have called us,
/// holds the lock of its own folder until we are done.
fn target_dir() -> PathBuf {
    let outer = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    guests::workspace().join(outer).join("guests")
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("could not run {command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?} failed ({}):\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

/// Keeps the time stamp of a file that is right already, so that nothing that
/// embeds it is built again.
fn write_if_changed(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    if std::fs::read(file).is_ok_and(|present| present == content) {
        return Ok(());
    }
    std::fs::write(file, content).with_context(|| format!("could not write {}", file.display()))
}
