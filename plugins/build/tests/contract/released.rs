//! The rule itself, on the files of the repository.

use std::{collections::BTreeMap, path::Path};

use plugin_build::{GUESTS, build_all};
use wit_component::DecodedWasm;
use wit_parser::{InterfaceId, Resolve, WorldKey};

use crate::{
    compare::{changes, interface_changes},
    sources::{current, frozen_texts, museum_pieces, parse},
    text::interface_name,
};

#[test]
fn nothing_that_was_released_has_changed() {
    let changes = changes(&parse(&frozen_texts()), &current());
    assert!(changes.is_empty(), "\n{}\n", changes.join("\n"));
}

/// A folder whose name is not the version that it holds would mislead everybody.
#[test]
fn each_released_package_is_in_the_folder_of_its_version() {
    let texts = frozen_texts();
    assert!(!texts.is_empty());
    for (path, text) in texts {
        let version = path.parent().unwrap().file_name().unwrap().to_string_lossy();
        let package = path.file_stem().unwrap().to_string_lossy();
        let head = format!("package pairing-console:{package}@{version};");
        assert!(text.starts_with(&head), "{} does not begin with `{head}`", path.display());
    }
}

/// An interface that was released, by its name.
fn interfaces(resolve: &Resolve) -> BTreeMap<String, InterfaceId> {
    resolve.interfaces.iter().map(|(id, _)| (interface_name(resolve, id), id)).collect()
}

/// The interfaces that a component exports, by name.
fn exports(component: &[u8]) -> (Resolve, BTreeMap<String, InterfaceId>) {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component).unwrap() else {
        panic!("it is no component")
    };
    let export = |key: &WorldKey| match key {
        WorldKey::Interface(id) => (interface_name(&resolve, *id), *id),
        WorldKey::Name(name) => panic!("`{name}` is no interface"),
    };
    let exports = resolve.worlds[world].exports.keys().map(export).collect();
    (resolve, exports)
}

fn assert_exports_what_was_released(origin: &str, component: &[u8]) {
    let released = parse(&frozen_texts());
    let known = interfaces(&released);
    let (resolve, exports) = exports(component);
    assert!(!exports.is_empty(), "{origin} exports nothing");
    for (name, id) in &exports {
        let before = known.get(name).unwrap_or_else(|| panic!("{origin}: `{name}` is unreleased"));
        let sides = (&released.interfaces[*before], &resolve.interfaces[*id]);
        let changes = interface_changes(name, (&released, sides.0), (&resolve, sides.1));
        assert!(changes.is_empty(), "{origin}:\n{}", changes.join("\n"));
    }
}

#[test]
fn shipped_components_export_exactly_what_was_released() {
    let out_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("contract");
    build_all(&out_dir).unwrap();
    for guest in GUESTS {
        let file = out_dir.join(guest.slot).with_extension("wasm");
        assert_exports_what_was_released(guest.slot, &std::fs::read(file).unwrap());
    }
    std::fs::remove_dir_all(out_dir).unwrap();
}

#[test]
fn museum_pieces_export_exactly_what_was_released() {
    for (path, piece) in museum_pieces() {
        assert_exports_what_was_released(&path.display().to_string(), &piece);
    }
}

#[test]
fn each_released_world_has_a_component_in_the_museum() {
    let released = parse(&frozen_texts());
    let pieces = museum_pieces();
    let pieces: Vec<_> = pieces.iter().map(|(_, piece)| exports(piece).1).collect();
    for (_, world) in &released.worlds {
        let mut wanted = world.exports.keys().map(|key| released.name_world_key(key));
        let lacks = |piece: &BTreeMap<_, _>| wanted.clone().any(|name| !piece.contains_key(&name));
        let found = pieces.iter().any(|piece| !lacks(piece));
        assert!(found, "no component for `{}` ({:?})", world.name, wanted.next());
    }
}
