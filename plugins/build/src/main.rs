//! `plugin-build [--small] OUT_DIR` writes the components into that folder.

use std::path::PathBuf;

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let mut arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let small = arguments.first().is_some_and(|first| first == "--small");
    let out_dir = arguments.pop().filter(|last| last != "--small").map(PathBuf::from);
    let out_dir = out_dir.context("say into which folder: plugin-build [--small] OUT_DIR")?;
    if small {
        plugin_build::build_small(&out_dir)?;
    } else {
        plugin_build::build_all(&out_dir)?;
    }
    for guest in plugin_build::GUESTS {
        println!("{}", out_dir.join(format!("{}.wasm", guest.slot)).display());
    }
    Ok(())
}
