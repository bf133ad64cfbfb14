//! Packages of interfaces, as they were released and as they are.

use std::path::{Path, PathBuf};

use wit_parser::{Resolve, UnresolvedPackageGroup};

/// A file of `tests/museum`: its path there, and its text.
pub(crate) type Text = (PathBuf, String);

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut entries: Vec<_> = entries.collect();
    entries.sort();
    entries
}

/// The museum's files with this ending, of all releases.
fn museum(ending: &str) -> Vec<PathBuf> {
    let releases = entries(&workspace().join("tests/museum")).into_iter();
    let files = releases.filter(|path| path.is_dir()).flat_map(|release| entries(&release));
    files.filter(|path| path.extension().is_some_and(|found| found == ending)).collect()
}

/// What was released, in text form.
pub(crate) fn frozen_texts() -> Vec<Text> {
    let texts = museum("wit").into_iter();
    texts.map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// The components of the museum, each with its path.
pub(crate) fn museum_pieces() -> Vec<(PathBuf, Vec<u8>)> {
    let pieces = museum("wasm").into_iter();
    pieces.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// Packages that may use each other, in any order.
pub(crate) fn parse(texts: &[Text]) -> Resolve {
    let parsed = texts.iter().map(|(path, text)| {
        UnresolvedPackageGroup::parse(path, text)
            .unwrap_or_else(|(map, error)| panic!("{}", error.render(&map)))
    });
    resolve(parsed.collect())
}

/// The packages of `wit/`, one a folder.
pub(crate) fn current() -> Resolve {
    let folders = entries(&workspace().join("wit")).into_iter().filter(|path| path.is_dir());
    resolve(folders.map(|folder| UnresolvedPackageGroup::parse_dir(folder).unwrap()).collect())
}

fn resolve(mut groups: Vec<UnresolvedPackageGroup>) -> Resolve {
    let mut resolve = Resolve::default();
    let main = groups.pop().unwrap();
    resolve.push_groups(main, groups).unwrap_or_else(|error| panic!("{error}"));
    resolve
}
