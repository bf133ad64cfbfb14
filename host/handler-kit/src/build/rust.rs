//! Rust: cargo makes a module, which becomes a component.

use std::fs;

use anyhow::Context as _;
use plugin_build::{TARGET, Toolchain};

use crate::project::Project;

pub(super) fn build(project: &Project) -> anyhow::Result<()> {
    let mut cargo = Toolchain::find()?.cargo();
    cargo
        .current_dir(&project.folder)
        .args(["build", "--release", "--lib", "--target", TARGET])
        .arg("--target-dir")
        .arg(&project.target_dir);
    super::run(&mut cargo, "cargo")?;
    let module = format!("{}.wasm", project.name().as_str().replace('-', "_"));
    let module = project.target_dir.join(TARGET).join("release").join(module);
    let module = fs::read(&module).with_context(|| {
        format!(
            "could not read {}; the name in Cargo.toml must be the one in plugin.toml",
            module.display()
        )
    })?;
    let component = plugin_build::encode(&module).context("the module is no component")?;
    fs::write(project.component(), component).context("could not write the component")
}
