//! Which plugins there are, and what they are made from.

use std::path::{Path, PathBuf};

/// A plugin of this folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guest {
    /// The crate's name.
    pub package: &'static str,
    /// The slot it fills by default, and the name of its component's file.
    pub slot: &'static str,
}

/// All that are shipped with the host.
pub const GUESTS: &[Guest] = &[
    Guest { package: "pairing-workflow", slot: "workflow" },
    Guest { package: "qr-renderer", slot: "qr-renderer" },
    Guest { package: "event-fan-out", slot: "fan-out" },
    Guest { package: "webhook", slot: "webhook" },
];

/// For the host's own tests; see `tests/guests`.
pub const TEST_GUESTS: &[Guest] = &[
    Guest { package: "chameleon-workflow", slot: "chameleon-workflow" },
    Guest { package: "blue-renderer", slot: "blue-renderer" },
    Guest { package: "hollow-handler", slot: "hollow-handler" },
    Guest { package: "probe-handler", slot: "probe-handler" },
];

impl Guest {
    /// What rustc calls the module.
    pub(crate) fn module_file(&self) -> String {
        format!("{}.wasm", self.package.replace('-', "_"))
    }
}

/// Absolute paths of all that these components are made from: what a build script
/// names in `cargo:rerun-if-changed`.
pub fn sources(guests: &[Guest]) -> Vec<PathBuf> {
    let workspace = workspace();
    let of_guest = |guest: &Guest| {
        let parents = ["plugins", "tests/guests"].map(|parent| workspace.join(parent));
        let folder = parents.map(|parent| parent.join(guest.package));
        let folder = folder.into_iter().find(|folder| folder.is_dir()).unwrap_or_default();
        [folder.join("Cargo.toml"), folder.join("src")]
    };
    let shared = ["wit", "Cargo.toml", "Cargo.lock"].map(|name| workspace.join(name));
    guests.iter().flat_map(of_guest).chain(shared).collect()
}

/// The workspace's folder.
pub(crate) fn workspace() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own).to_owned()
}
