//! Compiled code of a project's components, kept beside them.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use pairing_core::plugin::Slot;
use pairing_plugin_runtime::{Origin, Runtime, digest_of};
use rand::RngCore as _;
use secrecy::SecretSlice;

use crate::project::Project;

/// The folder `dist/.native`.
pub(crate) struct NativeCode {
    folder: PathBuf,
    key: Vec<u8>,
}

impl NativeCode {
    pub(crate) fn of(project: &Project) -> anyhow::Result<Self> {
        let folder = project.folder.join("dist/.native");
        let could_not = || format!("could not write {}", folder.display());
        fs::create_dir_all(&folder).with_context(could_not)?;
        let path = folder.join("key");
        let key = match fs::read(&path) {
            Ok(key) if key.len() == 32 => key,
            _ => {
                let mut key = vec![0; 32];
                rand::rng().fill_bytes(&mut key);
                fs::write(&path, &key).with_context(could_not)?;
                key
            }
        };
        Ok(Self { folder, key })
    }

    /// Seals the code, so that damaged code is never run.
    pub(crate) fn key(&self) -> SecretSlice<u8> {
        self.key.clone().into()
    }

    /// The component's code: kept, or compiled and kept. Of earlier components
    /// nothing is kept.
    pub(crate) async fn compile(
        &self,
        runtime: &Runtime,
        slot: Slot,
        component: &[u8],
    ) -> anyhow::Result<Vec<u8>> {
        let digest = digest_of(component);
        let file = self.folder.join(format!("{digest}.native"));
        if let Ok(sealed) = fs::read(&file) {
            let origin = Origin { digest, source: "kept".into(), is_proven: true };
            if matches!(runtime.load(slot, sealed.clone(), origin).await, Ok(Some(_))) {
                return Ok(sealed);
            }
        }
        let sealed = runtime.compile(slot, component).await?;
        for entry in fs::read_dir(&self.folder)?.flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "native") {
                fs::remove_file(entry.path())?;
            }
        }
        fs::write(&file, &sealed).with_context(|| format!("could not write {}", file.display()))?;
        Ok(sealed)
    }
}
