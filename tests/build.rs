//! Builds the guests that only tests need.

use std::{env, error::Error, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    for source in plugin_build::sources(plugin_build::TEST_GUESTS) {
        println!("cargo:rerun-if-changed={}", source.display());
    }
    plugin_build::build_for_tests(Path::new(&env::var("OUT_DIR")?))?;
    Ok(())
}
