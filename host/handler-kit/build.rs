//! Takes the contract's packages together: ours from `wit/`, and WASI's from the
//! crate that offers it to guests, so that a project always has what the host has.

use std::{
    env,
    error::Error,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const WASI: &str = "wasmtime-wasi-http";

fn main() -> Result<(), Box<dyn Error>> {
    let workspace = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    println!("cargo:rerun-if-changed={}", workspace.join("Cargo.lock").display());
    let mut packages = vec![
        ("pairing-console-types.wit".to_owned(), workspace.join("wit/types/types.wit")),
        ("pairing-console-handler.wit".to_owned(), workspace.join("wit/handler/handler.wit")),
    ];
    for file in fs::read_dir(wasi(&workspace)?.join("wit/deps"))? {
        let file = file?;
        packages.push((format!("wasi-{}", file.file_name().to_string_lossy()), file.path()));
    }
    packages.sort();
    let mut list = String::from("&[\n");
    for (name, path) in packages {
        println!("cargo:rerun-if-changed={}", path.display());
        writeln!(list, "    ({name:?}, include_str!({path:?})),")?;
    }
    list.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("packages.rs"), list)?;
    Ok(())
}

/// The folder of the crate that the workspace has locked.
fn wasi(workspace: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let output = Command::new(env::var("CARGO")?)
        .current_dir(workspace)
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().ok_or("cargo names no packages")?;
    let package = packages.iter().find(|package| package["name"] == WASI);
    let manifest = package.and_then(|package| package["manifest_path"].as_str());
    let manifest = manifest.ok_or_else(|| format!("the workspace does not use {WASI}"))?;
    Ok(Path::new(manifest).parent().ok_or("a manifest stands in a folder")?.to_owned())
}
