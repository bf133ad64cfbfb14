//! A new project, from the templates in `plugins/templates`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use pairing_core::handler::HandlerName;
use rust_embed::RustEmbed;

use crate::{contract, project::Language};

/// Stands for the name in the templates' files.
const NAME: &str = "my-handler";
/// Stands for the language.
const LANGUAGE: &str = "{{language}}";

#[derive(RustEmbed)]
#[folder = "../../plugins/templates"]
struct Templates;

/// Makes a project in a folder that does not exist yet, or is empty.
///
/// # Errors
/// There is something in the folder, or it can't be written.
pub fn create(name: HandlerName, language: Language, folder: &Path) -> anyhow::Result<()> {
    let is_taken = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if is_taken || folder.is_file() {
        bail!("{} is there already: name another folder with --dir", folder.display());
    }
    for part in ["all", language.as_str()] {
        for path in Templates::iter().filter(|path| belongs_to(path, part)) {
            let Some(file) = Templates::get(&path) else { continue };
            let text = String::from_utf8_lossy(&file.data)
                .replace(NAME, name.as_str())
                .replace(LANGUAGE, language.as_str());
            write(&folder.join(place(&path, part)), &text)?;
        }
    }
    contract::write(folder)
}

fn belongs_to(path: &str, part: &str) -> bool {
    path.strip_prefix(part).is_some_and(|rest| rest.starts_with('/'))
}

/// Where a template's file stands in the project.
fn place(path: &str, part: &str) -> PathBuf {
    // Under its own name it would rule over the templates themselves.
    match &path[part.len() + 1..] {
        "gitignore" => ".gitignore".into(),
        place => place.into(),
    }
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let could_not = || format!("could not write {}", file.display());
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(could_not)?;
    }
    fs::write(file, text).with_context(could_not)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Project;

    #[test]
    fn a_new_project_bears_its_name_and_can_be_opened() {
        for language in Language::ALL {
            let parent = tempfile::tempdir().unwrap();
            let folder = parent.path().join("crm");
            create("crm".parse().unwrap(), language, &folder).unwrap();
            let project = Project::open(&folder).unwrap();
            assert_eq!((project.name().as_str(), project.manifest.language), ("crm", language));
            assert!(project.manifest.subscription.grants.log);
            for entry in ["README.md", ".gitignore", "vectors", "wit/deps", "wit/world.wit"] {
                assert!(folder.join(entry).exists(), "{language}: {entry}");
            }
        }
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("README.md"), "mine").unwrap();
        let refused = create("crm".parse().unwrap(), Language::Rust, folder.path()).unwrap_err();
        assert!(refused.to_string().contains("is there already"), "{refused}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
