//! The components as they are built: what they import and export.
#![expect(clippy::unwrap_used, reason = "a test may end where it can't go on")]

use std::{collections::BTreeMap, path::PathBuf};

use plugin_build::{GUESTS, build_all, sources};
use wit_component::DecodedWasm;
use wit_parser::WorldItem;

/// A folder that goes when the test ends.
struct OutDir(PathBuf);

impl OutDir {
    fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        // It may be there from a test that was cut off.
        let _ = std::fs::remove_dir_all(&folder);
        Self(folder)
    }

    fn components(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        let read = |path: PathBuf| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap())
        };
        entries.map(read).collect()
    }
}

impl Drop for OutDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Functions that a component imports, and interfaces that it exports.
fn outside(component: &[u8]) -> (Vec<String>, Vec<String>) {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component).unwrap() else {
        panic!("it is no component");
    };
    let world = &resolve.worlds[world];
    let mut imports = Vec::new();
    for (key, item) in &world.imports {
        match item {
            // An interface that only names types asks nothing of the host.
            WorldItem::Interface { id, .. } => {
                imports.extend(resolve.interfaces[*id].functions.keys().cloned());
            }
            WorldItem::Type { .. } => {}
            WorldItem::Function(_) => imports.push(resolve.name_world_key(key)),
        }
    }
    let exports = world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
    (imports, exports)
}

/// Interfaces of which a component imports functions, in order.
fn interfaces_with_functions(component: &[u8]) -> Vec<String> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component).unwrap() else {
        panic!("it is no component");
    };
    let imports = resolve.worlds[world].imports.iter();
    let with_functions = imports.filter(|(_, item)| match item {
        WorldItem::Interface { id, .. } => !resolve.interfaces[*id].functions.is_empty(),
        WorldItem::Type { .. } => false,
        WorldItem::Function(_) => true,
    });
    let mut names: Vec<_> = with_functions.map(|(key, _)| resolve.name_world_key(key)).collect();
    names.sort();
    names
}

#[test]
fn no_slot_of_the_hosts_own_gets_a_component_that_imports_a_function() {
    let out_dir = OutDir::new("imports");
    build_all(&out_dir.0).unwrap();
    let components = out_dir.components();
    let names: Vec<&str> = components.keys().map(String::as_str).collect();
    assert_eq!(names, ["fan-out.wasm", "qr-renderer.wasm", "webhook.wasm", "workflow.wasm"]);
    let exports = [
        ("fan-out.wasm", "pairing-console:events/router@0.1.0"),
        ("qr-renderer.wasm", "pairing-console:qr/renderer@0.1.0"),
        ("workflow.wasm", "pairing-console:workflow/machine@0.1.0"),
    ];
    for (name, export) in exports {
        assert_eq!(outside(&components[name]), (Vec::new(), vec![export.to_owned()]), "{name}");
    }
}

#[test]
fn the_webhook_imports_what_it_uses_of_its_grants_and_of_http_and_no_more() {
    let out_dir = OutDir::new("webhook");
    build_all(&out_dir.0).unwrap();
    let webhook = std::fs::read(out_dir.0.join("webhook.wasm")).unwrap();
    let asked = [
        "pairing-console:handler/clock@0.1.0",
        "pairing-console:handler/config@0.1.0",
        "pairing-console:handler/log@0.1.0",
        "pairing-console:handler/secrets@0.1.0",
        "wasi:http/outgoing-handler@0.2.12",
        "wasi:http/types@0.2.12",
        "wasi:io/poll@0.2.12",
        "wasi:io/streams@0.2.12",
    ];
    assert_eq!(interfaces_with_functions(&webhook), asked);
    let exports = vec!["pairing-console:handler/handler@0.1.0".to_owned()];
    assert_eq!(outside(&webhook).1, exports);
}

#[test]
fn building_again_gives_the_same_bytes_and_leaves_the_files_alone() {
    let out_dir = OutDir::new("again");
    build_all(&out_dir.0).unwrap();
    let before = out_dir.components();
    let written =
        |name: &String| std::fs::metadata(out_dir.0.join(name)).unwrap().modified().unwrap();
    let times: Vec<_> = before.keys().map(written).collect();
    build_all(&out_dir.0).unwrap();
    assert!(out_dir.components() == before, "the bytes are the same");
    assert_eq!(before.keys().map(written).collect::<Vec<_>>(), times);
}

#[test]
fn no_component_names_a_folder_of_this_machine() {
    let out_dir = OutDir::new("paths");
    build_all(&out_dir.0).unwrap();
    let workspace = sources(GUESTS)[0].ancestors().nth(3).unwrap().to_owned();
    let home = std::env::home_dir().unwrap().join(".cargo");
    for (name, component) in out_dir.components() {
        for folder in [&workspace, &home] {
            let folder = folder.to_string_lossy().into_owned();
            let is_named = component.windows(folder.len()).any(|bytes| bytes == folder.as_bytes());
            assert!(!is_named, "{name} holds {folder}");
        }
    }
}

#[test]
fn sources_are_all_there_and_hold_every_guest() {
    let sources = sources(GUESTS);
    for source in &sources {
        assert!(source.is_absolute() && source.exists(), "{}", source.display());
    }
    for guest in GUESTS {
        let own = |source: &PathBuf| source.ends_with(format!("plugins/{}/src", guest.package));
        assert!(sources.iter().any(own), "{}", guest.package);
    }
}
