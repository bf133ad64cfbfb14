//! The fake pages' own books: in which life each said which numbers.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

/// By session: the life in which each number was said.
#[derive(Debug, Default)]
pub(crate) struct Pages(pub(crate) BTreeMap<String, BTreeMap<u64, u64>>);

impl Pages {
    /// Reads all profiles' books.
    pub(crate) fn read(profiles: &Path) -> std::io::Result<Self> {
        let mut pages = Self::default();
        for entry in std::fs::read_dir(profiles)? {
            let entry = entry?;
            let Ok(book) = std::fs::read_to_string(entry.path().join("fake-page.log")) else {
                continue;
            };
            let said = book
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok())
                .filter(|line| line["what"] == "ready")
                .filter_map(|line| Some((line["number"].as_u64()?, line["life"].as_u64()?)));
            pages.0.insert(entry.file_name().to_string_lossy().into_owned(), said.collect());
        }
        Ok(pages)
    }
}
