//! `plugin-build OUT_DIR` writes the components into that folder.

use std::path::PathBuf;

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let out_dir = std::env::args_os().nth(1).map(PathBuf::from);
    let out_dir = out_dir.context("say into which folder: plugin-build OUT_DIR")?;
    plugin_build::build_all(&out_dir)?;
    for guest in plugin_build::GUESTS {
        println!("{}", out_dir.join(format!("{}.wasm", guest.slot)).display());
    }
    Ok(())
}
