//! Compiled code is kept, and taken only when this host wrote it.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use pairing_core::workflow::Input;
use pairing_plugin_runtime::{CacheConfig, Plugins, PluginsConfig};

use crate::limits::context;

/// Loads, and sees that what was loaded works.
async fn load(dir: &Path, key: u8) {
    let cache = CacheConfig { dir: dir.into(), key: vec![key; 32].into() };
    let config = PluginsConfig { cache: Some(cache), ..Default::default() };
    let plugins = Plugins::load(config).await.unwrap();
    plugins.workflow.handle(None, &Input::HostStarted, &context()).await.unwrap();
}

/// Files with what tells whether they were written anew.
fn files(dir: &Path) -> Vec<(PathBuf, u64)> {
    let entry = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        let inode = path.metadata().unwrap().ino();
        (path, inode)
    };
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(entry).collect();
    files.sort();
    files
}

#[tokio::test]
async fn code_is_kept_for_this_user_alone_and_not_compiled_again() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("plugin-cache");
    load(&dir, 1).await;
    let written = files(&dir);
    assert_eq!(written.len(), 3);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    assert!(written.iter().all(|(path, _)| mode(path) == 0o600));
    load(&dir, 1).await;
    assert_eq!(files(&dir), written);
}

#[tokio::test]
async fn code_that_was_changed_is_compiled_anew() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path(), 1).await;
    let written = files(folder.path());
    let good = fs::read(&written[0].0).unwrap();
    for place in [0, 40, good.len() / 2, good.len() - 1] {
        let mut bad = good.clone();
        bad[place] ^= 1;
        fs::write(&written[0].0, &bad).unwrap();
        load(folder.path(), 1).await;
        assert_eq!(fs::read(&written[0].0).unwrap()[..32], good[..32], "changed at {place}");
    }
    fs::write(&written[1].0, &good[..20]).unwrap();
    load(folder.path(), 1).await;
    assert!(fs::read(&written[1].0).unwrap().len() > 20);
}

#[tokio::test]
async fn code_under_another_key_or_of_another_component_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path(), 1).await;
    let first = files(folder.path());
    load(folder.path(), 2).await;
    let second = files(folder.path());
    assert!(first.iter().zip(&second).all(|(a, b)| a.0 == b.0 && a.1 != b.1));

    fs::copy(&second[0].0, &second[1].0).unwrap();
    load(folder.path(), 2).await;
    assert_ne!(fs::read(&second[0].0).unwrap(), fs::read(&second[1].0).unwrap());
}

#[tokio::test]
async fn old_code_does_not_pile_up() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..30 {
        fs::write(folder.path().join(format!("{number}.native")), b"of an older version").unwrap();
    }
    load(folder.path(), 1).await;
    let kept = files(folder.path());
    assert_eq!(kept.len(), 24);
    assert_eq!(kept.iter().filter(|(path, _)| path.metadata().unwrap().len() > 1000).count(), 3);
}

#[tokio::test]
async fn a_cache_that_can_not_be_written_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    fs::write(&file, b"").unwrap();
    load(&file.join("not-a-folder"), 1).await;
}
