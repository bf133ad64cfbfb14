//! What others see of the stand-in, in a real Chromium under node: an
//! unmodified `whatsapp-web.js` links against it by QR and by code (the
//! independent judge), and each fault does what it says.
//! The scripts are in `tests/judge-wwebjs`.

#![expect(clippy::unwrap_used, reason = "a test should end where a step failed")]

use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use standin::{Config, Settings, Standin};

/// `nobody` and `nogroup`: Chromium keeps its sandbox only when not root.
const NOBODY: u32 = 65534;

/// Generous: several starts of a browser on a small, loaded machine.
const DEADLINE: Duration = Duration::from_secs(400);

#[tokio::test]
async fn whatsapp_web_js_links_by_qr_and_by_code_and_hears_of_the_unlinking() {
    // It never gets ready when the page has synced before it looked.
    let settings = Settings { sync_ms: 4000, ..Settings::default() };
    let said = run_in_node("judge.mjs", settings).await;
    assert!(said.contains("judge is content"), "{said}");
}

#[tokio::test]
async fn each_fault_does_what_it_says_in_a_real_page() {
    let said = run_in_node("faults.mjs", Settings::default()).await;
    assert!(said.contains("every fault does what it says"), "{said}");
}

/// Runs one script against a stand-in of its own; gives what it printed, or
/// panics with everything known.
async fn run_in_node(script: &str, settings: Settings) -> String {
    let scripts =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../judge-wwebjs").canonicalize().unwrap();
    let installed = scripts.join("node_modules/whatsapp-web.js").is_dir();
    assert!(
        installed,
        "whatsapp-web.js is not installed in {}: run `make setup`",
        scripts.display()
    );
    let https_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let standin =
        Standin::start(Config { https_listen, settings, ..Config::default() }).await.unwrap();

    let as_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let folder = tempfile::Builder::new().prefix("judge-").tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    if as_root {
        chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let options = serde_json::json!({
        "control": standin.base_url(),
        "httpsPort": standin.https_address().unwrap().port(),
        "spki": standin.spki_sha256().unwrap(),
        "folder": folder.path(),
    });
    let mut node = unprivileged("node", as_root);
    node.arg(readable(&scripts, folder.path(), as_root).join(script)).arg(options.to_string());
    node.current_dir(folder.path()).env("HOME", folder.path()).env("TMPDIR", folder.path());
    node.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let child = tokio::process::Command::from(node).spawn().expect("could not start node");
    let group = child.id().unwrap();
    let finished = tokio::time::timeout(DEADLINE, child.wait_with_output()).await;
    end_leftovers(group, folder.path());
    let output = finished.unwrap_or_else(|_| {
        panic!("{script} did not end within {DEADLINE:?}: {:#?}", standin.state())
    });
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    println!("{said}");
    let state = standin.state();
    assert!(
        output.status.success(),
        "{script} failed ({}):\n{said}\n{complained}\n{state:#?}",
        output.status
    );
    standin.stop().await;
    said
}

/// The folder of scripts where an unprivileged user can read it: in place, or
/// a copy when the work tree lies in a folder closed to others.
fn readable(scripts: &Path, folder: &Path, as_root: bool) -> PathBuf {
    let package = scripts.join("node_modules/whatsapp-web.js/package.json");
    if !as_root
        || unprivileged("test", true)
            .arg("-r")
            .arg(package)
            .status()
            .is_ok_and(|status| status.success())
    {
        return scripts.to_owned();
    }
    let copy = folder.join("scripts");
    let copied = Command::new("cp").arg("-r").arg(scripts).arg(&copy).status().unwrap();
    assert!(copied.success(), "could not copy {}", scripts.display());
    let handed = Command::new("chown")
        .arg("-R")
        .arg(format!("{NOBODY}:{NOBODY}"))
        .arg(&copy)
        .status()
        .unwrap();
    assert!(handed.success(), "could not hand {} over", copy.display());
    copy
}

fn unprivileged(program: &str, as_root: bool) -> Command {
    let mut command = Command::new(program);
    if as_root {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// Ends what a script that was cut off has left behind: node leads its own
/// process group, and each browser names the folder in its command line.
fn end_leftovers(group: u32, folder: &Path) {
    kill(&format!("-{group}"));
    let needle = folder.as_os_str().as_encoded_bytes();
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let command_line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        if command_line.windows(needle.len()).any(|part| part == needle) {
            kill(&process.file_name().to_string_lossy());
        }
    }
}

fn kill(process: &str) {
    let _ = Command::new("kill").args(["-KILL", "--", process]).stderr(Stdio::null()).status();
}
