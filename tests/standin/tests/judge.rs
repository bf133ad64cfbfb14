//! The independent judge: an unmodified `whatsapp-web.js` links against the
//! stand-in by QR and by code. See `tests/judge-wwebjs/judge.mjs`.

use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use standin::{Config, Settings, Standin};

/// `nobody` and `nogroup`: Chromium keeps its sandbox only when not root.
const NOBODY: u32 = 65534;

/// Generous: six starts of a browser on a small, loaded machine.
const DEADLINE: Duration = Duration::from_secs(300);

#[tokio::test]
async fn whatsapp_web_js_links_by_qr_and_by_code_and_hears_of_the_unlinking() {
    let judge =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../judge-wwebjs").canonicalize().unwrap();
    assert!(
        judge.join("node_modules/whatsapp-web.js").is_dir(),
        "whatsapp-web.js is not installed in {}: run `make setup`",
        judge.display()
    );
    let standin = Standin::start(Config {
        https_listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        // It never gets ready when the page has synced before it looked.
        settings: Settings { sync_ms: 4000, ..Settings::default() },
        ..Config::default()
    })
    .await
    .unwrap();
    let folder = tempfile::Builder::new().prefix("judge-").tempdir().unwrap();
    let as_root = std::fs::metadata("/proc/self")
        .map(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)
        .unwrap();
    if as_root {
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let script = readable_script(&judge, folder.path(), as_root);
    let options = serde_json::json!({
        "control": standin.base_url(),
        "httpsPort": standin.https_address().unwrap().port(),
        "spki": standin.spki_sha256().unwrap(),
        "folder": folder.path(),
    });
    let mut node = unprivileged("node", as_root);
    node.arg(&script)
        .arg(options.to_string())
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path());
    node.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let child = tokio::process::Command::from(node)
        .kill_on_drop(true)
        .spawn()
        .expect("could not start node");
    let group = child.id().unwrap();
    let finished = tokio::time::timeout(DEADLINE, child.wait_with_output()).await;
    end_leftovers(group, folder.path());
    let output = finished
        .unwrap_or_else(|_| {
            panic!("the judge did not end within {DEADLINE:?}: {:#?}", standin.state())
        })
        .unwrap();
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success(),
        "the judge refused the stand-in ({}):\n{said}\n{complained}\n{:#?}",
        output.status,
        standin.state()
    );
    println!("{said}");
    assert!(said.contains("judge is content"), "{said}");
    standin.stop().await;
}

/// The judge's script where an unprivileged user can read it: in place, or a
/// copy when the work tree lies in a folder closed to others.
fn readable_script(judge: &Path, folder: &Path, as_root: bool) -> PathBuf {
    let in_place = judge.join("judge.mjs");
    if !as_root
        || unprivileged("test", true)
            .arg("-r")
            .arg(&in_place)
            .status()
            .is_ok_and(|status| status.success())
    {
        return in_place;
    }
    let copy = folder.join("judge");
    let copied = std::process::Command::new("cp").arg("-r").arg(judge).arg(&copy).status().unwrap();
    assert!(copied.success(), "could not copy {}", judge.display());
    let opened = std::process::Command::new("chown")
        .args(["-R", "65534:65534"])
        .arg(&copy)
        .status()
        .unwrap();
    assert!(opened.success(), "could not hand the copy of the judge over");
    copy.join("judge.mjs")
}

fn unprivileged(program: &str, as_root: bool) -> std::process::Command {
    let mut command = std::process::Command::new(program);
    if as_root {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// Ends what a judge that was cut off has left behind: node leads its own
/// process group, and each browser names the folder in its command line.
fn end_leftovers(group: u32, folder: &Path) {
    kill(&format!("-{group}"));
    let needle = folder.join("profiles").into_os_string().into_encoded_bytes();
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let command_line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        if command_line.windows(needle.len()).any(|part| part == needle) {
            kill(&process.file_name().to_string_lossy());
        }
    }
}

fn kill(process: &str) {
    let _ = std::process::Command::new("kill")
        .args(["-KILL", "--", process])
        .stderr(Stdio::null())
        .status();
}
