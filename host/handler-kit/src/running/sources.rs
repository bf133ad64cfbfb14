//! Were the sources saved? The files' times are looked at; a project is small.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// What is made from the sources, and not by their author.
const MADE: &[&str] = &["dist", "target", "types", "node_modules", ".venv", "__pycache__", ".git"];

/// A project's sources, as they were when last looked at.
pub(super) struct Sources {
    folder: PathBuf,
    times: BTreeMap<PathBuf, SystemTime>,
}

impl Sources {
    pub(super) fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), times: times(folder) }
    }

    /// Has a file changed, come or gone since this was last asked?
    pub(super) fn have_changed(&mut self) -> bool {
        let now = times(&self.folder);
        let changed = now != self.times;
        self.times = now;
        changed
    }
}

fn times(folder: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let mut times = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (name, path) = (entry.file_name(), entry.path());
            if MADE.iter().any(|made| name == *made) || name == "Cargo.lock" {
                continue;
            }
            match entry.metadata() {
                Ok(about) if about.is_dir() => folders.push(path),
                Ok(about) => {
                    if let Ok(time) = about.modified() {
                        times.insert(path, time);
                    }
                }
                // It has gone in the meantime.
                Err(_) => {}
            }
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_compilers_write_is_no_change_and_a_saved_source_is() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("src/lib.rs", "one");
        let mut sources = Sources::of(folder.path());
        assert!(!sources.have_changed());
        write("dist/it.wasm", "made");
        write("target/release/it.wasm", "made");
        assert!(!sources.have_changed());
        write("src/other.rs", "two");
        assert!(sources.have_changed());
        assert!(!sources.have_changed());
        fs::remove_file(folder.path().join("src/other.rs")).unwrap();
        assert!(sources.have_changed());
    }
}
