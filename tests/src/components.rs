//! Components for tests: those of the museum, and some that differ from them by
//! little.

use std::path::Path;

/// The component that was released for this slot.
pub fn released(slot: &str) -> Vec<u8> {
    let museum = Path::new(env!("CARGO_MANIFEST_DIR")).join("museum/0.1.0");
    std::fs::read(museum.join(format!("{slot}.wasm"))).expect("the museum has all slots")
}

/// One that does the same and has another digest: a custom section is added.
pub fn marked(component: &[u8], mark: u8) -> Vec<u8> {
    // Section 0 of three bytes: a name of one letter, and the mark.
    [component, &[0, 3, 1, b'm', mark]].concat()
}

/// The next version of the workflow, which begins sessions with another sentence.
pub fn reworded_workflow() -> Vec<u8> {
    let next = replaced(&released("workflow"), "pairing-workflow0.1.0", "pairing-workflow0.2.0");
    replaced(&next, STARTING, REWORDED)
}

/// What the released workflow answers to `init`.
pub const STARTING: &str = "The session is starting; a QR code follows.";
/// What [`reworded_workflow`] answers to `init`.
pub const REWORDED: &str = "The session begins now; a QR code comes up.";

/// Texts stand in a component as they are; one of the same length can take their place.
fn replaced(component: &[u8], old: &str, new: &str) -> Vec<u8> {
    assert_eq!(old.len(), new.len(), "`{old}` and `{new}` are of one length");
    let found = component.windows(old.len()).position(|window| window == old.as_bytes());
    let at = found.unwrap_or_else(|| panic!("the component says `{old}`"));
    let mut component = component.to_vec();
    component[at..at + old.len()].copy_from_slice(new.as_bytes());
    component
}

/// A workflow that counts inputs and does as `mode` says; see
/// `tests/guests/chameleon-workflow`. Each version and mode has its own digest.
pub fn chameleon(version: &str, mode: &str) -> Vec<u8> {
    let built = include_bytes!(concat!(env!("OUT_DIR"), "/chameleon-workflow.wasm"));
    let setting =
        |version: &str, mode: &str| format!("chameleon version={version:-<14} mode={mode:-<10}");
    replaced(built, &setting("0.1.0", "plain"), &setting(version, mode))
}

/// A renderer that draws in blue; see `tests/guests/blue-renderer`.
pub fn blue_renderer() -> Vec<u8> {
    include_bytes!(concat!(env!("OUT_DIR"), "/blue-renderer.wasm")).to_vec()
}

/// A handler that does what its events say; see `tests/guests/probe-handler`.
pub fn probe_handler() -> Vec<u8> {
    include_bytes!(concat!(env!("OUT_DIR"), "/probe-handler.wasm")).to_vec()
}

/// A handler that imports WASI alone; see `tests/guests/hollow-handler`.
pub fn hollow_handler() -> Vec<u8> {
    include_bytes!(concat!(env!("OUT_DIR"), "/hollow-handler.wasm")).to_vec()
}
