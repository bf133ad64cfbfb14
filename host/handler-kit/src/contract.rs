//! The packages that a handler may import, as this host has them.

use std::{fs, path::Path};

use anyhow::Context as _;

/// Files and their texts.
const PACKAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/packages.rs"));

/// Writes all packages into the project's `wit/deps`.
///
/// # Errors
/// A file can't be written.
pub(crate) fn write(project: &Path) -> anyhow::Result<()> {
    let folder = project.join("wit/deps");
    fs::create_dir_all(&folder)
        .with_context(|| format!("could not make the folder {}", folder.display()))?;
    for (name, text) in PACKAGES {
        let file = folder.join(name);
        fs::write(&file, text).with_context(|| format!("could not write {}", file.display()))?;
    }
    Ok(())
}

/// Files of the project's `wit/deps` that are not as this host has them.
pub(crate) fn differences(project: &Path) -> Vec<&'static str> {
    let folder = project.join("wit/deps");
    let differs = |(name, text): &&(&str, &str)| {
        fs::read_to_string(folder.join(name)).ok().as_deref() != Some(*text)
    };
    PACKAGES.iter().filter(differs).map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_are_complete_and_in_the_versions_that_the_template_imports() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(differences(folder.path()).len(), PACKAGES.len());
        write(folder.path()).unwrap();
        assert!(differences(folder.path()).is_empty());
        let world = include_str!("../../../plugins/templates/all/wit/world.wit");
        // What is commented out must be importable as well.
        let world = world.replace("// import", "import");
        fs::write(folder.path().join("wit/world.wit"), world).unwrap();
        let mut resolve = wit_parser::Resolve::default();
        let (package, _) = resolve.push_dir(folder.path().join("wit")).unwrap();
        let world = resolve.select_world(&[package], Some("plugin")).unwrap();
        assert!(resolve.worlds[world].imports.len() > 8);
    }
}
