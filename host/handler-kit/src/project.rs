//! A handler's project: its folder and its `plugin.toml`.

use std::{
    collections::BTreeMap,
    env, fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use pairing_core::{handler::HandlerName, subscription::SubscriptionSettings};
use serde::Deserialize;

/// What a handler is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Compiled by cargo.
    Rust,
    /// Compiled by componentize-js.
    JavaScript,
    /// Compiled by componentize-py.
    Python,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rust, Self::JavaScript, Self::Python];

    /// As it stands in `plugin.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::JavaScript => "javascript",
            Self::Python => "python",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A project.
#[derive(Debug)]
pub struct Project {
    /// Its folder, absolute.
    pub folder: PathBuf,
    /// What its `plugin.toml` says.
    pub manifest: Manifest,
    /// Where cargo works, for a handler in Rust.
    pub target_dir: PathBuf,
}

/// What a `plugin.toml` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The handler's name, and its slot's.
    pub name: HandlerName,
    /// What it is written in.
    pub language: Language,
    /// With which it is tried.
    #[serde(default)]
    pub subscription: SubscriptionSettings,
    /// For trying only.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
}

impl Project {
    /// Reads the project in this folder.
    ///
    /// # Errors
    /// There is none, or its `plugin.toml` is malformed: where, and how.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join("plugin.toml");
        if !file.is_file() {
            bail!(
                "{} is no handler's project: there is no plugin.toml; `pairing-host plugin new NAME --lang rust|javascript|python` makes one",
                folder.display()
            );
        }
        let text = fs::read_to_string(&file)
            .with_context(|| format!("could not read {}", file.display()))?;
        let manifest = toml::from_str(&text)
            .with_context(|| format!("{} can't be understood", file.display()))?;
        let folder = folder
            .canonicalize()
            .with_context(|| format!("could not find {}", folder.display()))?;
        let target_dir =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| folder.join("target"), PathBuf::from);
        Ok(Self { folder, manifest, target_dir })
    }

    /// The handler's name.
    pub fn name(&self) -> HandlerName {
        self.manifest.name
    }

    /// Where its component is put.
    pub fn component(&self) -> PathBuf {
        self.folder.join("dist").join(format!("{}.wasm", self.name()))
    }
}
