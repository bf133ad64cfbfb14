//! The web console in a real browser: the scenarios are in `console/e2e`.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use pairing_tests::host_binary;

#[test]
fn chromium_shows_the_console_through_every_scenario() {
    let host = host_binary();
    let output = Command::new("npm")
        .args(["run", "--silent", "e2e"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../console"))
        .env("PAIRING_HOST_BIN", &host)
        .env("STANDIN_BIN", host.with_file_name("standin"))
        // A test runner inside a test runner speaks a protocol instead of text.
        .env_remove("NODE_TEST_CONTEXT")
        .stdin(Stdio::null())
        .output()
        .expect("npm is installed: run `make setup`");
    let told = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{complained}");
}
