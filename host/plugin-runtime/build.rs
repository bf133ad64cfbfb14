//! Builds the components that the host carries within itself.

use std::{env, error::Error, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    for source in plugin_build::sources(plugin_build::GUESTS) {
        println!("cargo:rerun-if-changed={}", source.display());
    }
    plugin_build::build_all(Path::new(&env::var("OUT_DIR")?))?;
    Ok(())
}
