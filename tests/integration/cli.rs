//! The command line: what operators see when they mistype.

mod plugins;

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use pairing_tests::host_binary;

fn run(args: &[&str], variables: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(host_binary())
        .args(args)
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", folder.path())
        .env("PAIRING_DATA_DIR", folder.path().join("data"))
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn wrong_settings_are_all_named_and_nothing_starts() {
    let variables = [("PAIRING_LISTEN", "8080"), ("PAIRING_COLOUR", "blue")];
    let output = run(&["serve"], &variables);
    assert_eq!(output.status.code(), Some(78));
    let told = told(&output);
    assert!(told.contains("PAIRING_LISTEN") && told.contains("PAIRING_COLOUR"), "{told}");
}

#[test]
fn flags_that_weaken_the_browser_are_refused() {
    for flag in ["--no-sandbox", "--disable-web-security", "--remote-debugging-port=9222"] {
        let output = run(&["serve"], &[("PAIRING_CHROMIUM_ARGS", flag)]);
        assert_eq!(output.status.code(), Some(78), "{flag}");
        let name = flag.split('=').next().unwrap();
        assert!(told(&output).contains(name), "{flag}: {}", told(&output));
    }
}

#[test]
fn admins_are_added_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str], password: &str| {
        let mut child = Command::new(host_binary())
            .args(args)
            .env_clear()
            .env("PAIRING_DATA_DIR", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let good = "four calm turtles paint windows\n";
    assert!(run(&["admin", "add", "ana", "--password-stdin"], good).status.success());
    let weak = run(&["admin", "add", "rui", "--password-stdin"], "short\n");
    assert!(!weak.status.success() && told(&weak).contains("15"), "{}", told(&weak));
    let list = run(&["admin", "list"], "");
    assert!(String::from_utf8_lossy(&list.stdout).contains("ana"));
    let last = run(&["admin", "remove", "ana"], "");
    assert!(!last.status.success(), "the last admin can't be removed");
    assert!(run(&["admin", "password", "ana", "--password-stdin"], good).status.success());
}

#[test]
fn the_doctor_says_what_is_missing() {
    let output = run(&["doctor"], &[("PAIRING_CHROMIUM", "/nonexistent/chromium")]);
    assert!(!output.status.success());
    let found = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(found.contains("FAIL  chromium") && found.contains("PAIRING_CHROMIUM"), "{found}");
    assert!(found.contains("ok    plugins: the 3 that the host brings along run"), "{found}");
}

#[test]
fn the_openapi_file_of_the_console_is_the_hosts() {
    let output = run(&["openapi"], &[]);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../console/openapi.json");
    let file = std::fs::read_to_string(path).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), file, "run `make generate`");
}
