//! A new handler in Rust, from nothing to its vectors. (The other languages are
//! tried with the whole host, in `tests/integration/handlers`.)

#![expect(clippy::unwrap_used, reason = "all of it is tests, functions that they share too")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use pairing_handler_kit::{Histories, Language, Project, build, create, doctor, test};
use pairing_plugin_runtime::PluginsConfig;

fn edit(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{} has no {from}", file.display());
    fs::write(file, text.replace(from, to)).unwrap();
}

/// The standard library is compiled once for all guests.
fn guests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests")
}

fn open(folder: &Path) -> Project {
    Project { target_dir: guests(), ..Project::open(folder).unwrap() }
}

#[test]
fn a_new_handler_passes_its_vectors_and_each_mistake_is_told() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("chat-alert");
    create("chat-alert".parse().unwrap(), Language::Rust, &folder).unwrap();
    let project = open(&folder);
    let built = build(&project).unwrap();
    let imports: Vec<_> = built.imports.iter().map(String::as_str).collect();
    assert!(imports.contains(&"pairing-console:handler/log@0.1.0"), "{imports:?}");
    assert!(!imports.iter().any(|import| import.starts_with("wasi:cli")), "{imports:?}");
    assert!(doctor(&project, false).unwrap().iter().all(|finding| finding.state.is_ok()));

    let config = PluginsConfig::default;
    let report = test(&project, config(), None).unwrap();
    assert!(report.is_good(), "{report}");

    // An event of each sort, one of which the handler does not get.
    let events = r#"{ "events": [
        { "id": "1", "sessionName": "a", "at": "2026-11-24T12:00:00Z", "type": "session-connected",
          "data": { "account": { "phoneNumber": "5511999990001", "name": null } } },
        { "id": "2", "sessionName": "a", "at": "2026-11-24T12:00:01Z", "type": "session-disconnected",
          "data": { "reason": "stopped" } } ], "next": null }"#;
    let recorded = parent.path().join("events.json");
    fs::write(&recorded, events).unwrap();
    let histories = Histories::File(recorded);
    let report = test(&project, config(), Some(&histories)).unwrap();
    assert!(report.is_good(), "{report}");
    let told = report.to_string();
    assert!(told.contains("1 recorded events: 1 handled; 1 are not for it"), "{told}");

    // Something else is expected.
    let vector = folder.join("vectors/disconnected.json");
    edit(&vector, "sales is disconnected: unlinked-from-phone", "sales is gone");
    edit(&vector, "\"outcome\": \"handled\"", "\"outcome\": \"gone\"");
    let report = test(&project, config(), None).unwrap();
    assert!(!report.is_good());
    let told = report.to_string();
    for part in ["the body is", "sales is gone", "it ended as `handled`", "3 vectors, 1 failed"] {
        assert!(told.contains(part), "{told}");
    }

    // What is not granted is not there, and the refusal says what is missing.
    edit(&folder.join("plugin.toml"), "config = true", "config = false");
    let refused = test(&open(&folder), config(), None).unwrap_err().to_string();
    assert!(refused.contains("pairing-console:handler/config"), "{refused}");
    edit(&folder.join("plugin.toml"), "config = false", "config = true");

    // A panic is told with its message and its place.
    let source = folder.join("src/lib.rs");
    edit(
        &source,
        "let url = config",
        "if name != \"\" { panic!(\"broken on purpose\") }\n let url = config",
    );
    build(&project).unwrap();
    let report = test(&project, config(), Some(&histories)).unwrap();
    let told = report.to_string();
    assert!(!report.is_good() && told.contains("broken on purpose"), "{told}");
    assert!(told.contains("3 vectors, 3 failed") && told.contains("1 failed;"), "{told}");
    assert!(told.contains("at <chat_alert::Handler as"), "{told}");

    // A mistake in the source is the compiler's to tell.
    edit(&source, "fn handle", "fn mishandle");
    assert!(build(&project).unwrap_err().to_string().contains("cargo failed"));
}
