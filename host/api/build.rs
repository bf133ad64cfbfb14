//! The console's files are built into the host. Where they are not built yet the
//! folder is empty, and the host says so to whoever opens the console.

fn main() {
    let console = concat!(env!("CARGO_MANIFEST_DIR"), "/../../console/dist");
    if let Err(error) = std::fs::create_dir_all(console) {
        println!("cargo::error={console} could not be made: {error}");
    }
    println!("cargo::rerun-if-changed={console}");
}
