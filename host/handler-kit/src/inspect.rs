//! What there is to know of a component that was built.

use std::{fmt::Write as _, fs, path::PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::project::Project;

/// A component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Its file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: usize,
    /// Its SHA-256, as the host names it.
    pub digest: String,
    /// The interfaces with functions that it imports.
    pub imports: Vec<String>,
}

/// Looks into the project's component.
///
/// # Errors
/// It was not built, or is no component.
pub fn inspect(project: &Project) -> anyhow::Result<Built> {
    let path = project.component();
    let bytes = fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
    let imports = imports(&bytes).with_context(|| format!("{}", path.display()))?;
    let mut digest = String::new();
    for byte in Sha256::digest(&bytes) {
        write!(digest, "{byte:02x}")?;
    }
    Ok(Built { path, bytes: bytes.len(), digest, imports })
}

fn imports(component: &[u8]) -> anyhow::Result<Vec<String>> {
    let wit_component::DecodedWasm::Component(resolve, world) =
        wit_component::decode(component).context("it is no component")?
    else {
        anyhow::bail!("it is no component, but a package of WIT");
    };
    let interfaces = resolve.worlds[world].imports.iter().filter(|(_, item)| match item {
        wit_parser::WorldItem::Interface { id, .. } => {
            !resolve.interfaces[*id].functions.is_empty()
        }
        _ => true,
    });
    Ok(interfaces.map(|(key, _)| resolve.name_world_key(key)).collect())
}
