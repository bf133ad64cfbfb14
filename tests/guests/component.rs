//! Makes components of the guests in this folder. Tests of several crates take
//! it up by its path.

use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

/// A workflow. `guest` is a file of this folder: a whole module, or what belongs
/// into the frame.
pub(crate) fn workflow(guest: &str) -> Vec<u8> {
    let world =
        "package test:plain; world plain { export pairing-console:workflow/machine@0.1.0; }";
    workflow_of(guest, world, "plain")
}

/// A workflow of a world that exports more.
pub(crate) fn workflow_of(guest: &str, wit: &str, world: &str) -> Vec<u8> {
    let text = if guest.contains("\n(module") {
        guest.to_owned()
    } else {
        // Imports must come first.
        let (imports, own) = guest.split_at(guest.find("\n\n").unwrap_or(0));
        let (imports, own) =
            if imports.contains("(import ") { (imports, own) } else { ("", guest) };
        format!("(module {imports}\n{}\n{own})", include_str!("frame.wat"))
    };
    let mut resolve = Resolve::default();
    let types = include_str!("../../wit/types/types.wit");
    let machine = include_str!("../../wit/workflow/workflow.wit");
    resolve.push_source("types.wit", types).expect("our own");
    resolve.push_source("workflow.wit", machine).expect("our own");
    let package = resolve.push_source("guest.wit", wit).expect("right by its author");
    let world = resolve.select_world(&[package], Some(world)).expect("it is there");
    let mut module = wat::parse_str(text).expect("right by its author");
    let utf8 = StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut module, &resolve, world, utf8, false)
        .expect("a module");
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(&module).expect("a module").encode().expect("fits its world")
}
