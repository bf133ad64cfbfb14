//! The knowledge of WhatsApp's page as a versioned file: which version is in use,
//! how one is tried, and what is kept of all of them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{clock::Timestamp, store::StoreError, workflow::EngineFailure};

/// SHA-256 of a file's text, in lower-case hexadecimal digits.
pub type HooksDigest = String;

/// Where each part of the page was found on a page that is not linked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HooksReport {
    /// The page's own version, where it tells one.
    pub page_version: Option<String>,
    /// By part: the place where it was found, such as `WAWebCmd#Cmd`.
    pub found: BTreeMap<String, String>,
    /// By part: why it was found nowhere.
    pub missing: BTreeMap<String, String>,
    /// The page came to a QR code that could be made.
    pub makes_codes: bool,
}

impl HooksReport {
    /// Every part resolves, and codes can be made.
    pub fn is_good(&self) -> bool {
        self.missing.is_empty() && self.makes_codes
    }
}

/// A file that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HooksRefused {
    /// Its text is wrong; says where.
    #[error("{0}")]
    Invalid(String),
    /// The page could not be looked at.
    #[error("the page could not be tried: {0}")]
    Untried(EngineFailure),
}

/// Whatever drives the page.
#[async_trait]
pub trait PageDriver: Send + Sync + 'static {
    /// The file that came with this build.
    fn embedded(&self) -> &str;

    /// Checks a file without a page.
    ///
    /// # Errors
    /// [`HooksRefused::Invalid`].
    fn check(&self, text: &str) -> Result<(), HooksRefused>;

    /// Opens the page on a profile that is thrown away, looks for every part, and
    /// leaves nothing behind. `text` none: with the file in use.
    async fn try_out(&self, text: Option<&str>) -> Result<HooksReport, HooksRefused>;

    /// From now on this file is used: by new pages, and by running ones from their
    /// next document on.
    ///
    /// # Errors
    /// [`HooksRefused::Invalid`]; the one in use stays.
    fn put(&self, text: &str) -> Result<(), HooksRefused>;
}

/// A file that was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HooksVersion {
    /// The key.
    pub digest: HooksDigest,
    /// TOML.
    pub text: String,
    /// When it came.
    pub pushed_at: Timestamp,
    /// What the trial said.
    pub report: HooksReport,
}

/// A change of the file in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HooksChange {
    /// Counts the changes, from 1.
    pub generation: u64,
    /// When.
    pub at: Timestamp,
    /// What is used since; none: the file that came with the host.
    pub digest: Option<HooksDigest>,
    /// `activate` or `rollback`.
    pub cause: String,
    /// Who asked.
    pub actor: String,
}

/// What is kept of the files.
#[async_trait]
pub trait HooksStore: Send + Sync + 'static {
    /// Keeps a version; one of the same digest is replaced.
    async fn put_hooks(&self, version: &HooksVersion) -> Result<(), StoreError>;

    /// All versions, newest first.
    async fn hooks(&self) -> Result<Vec<HooksVersion>, StoreError>;

    /// Writes the next change; false if `generation` is not the next one.
    async fn change_hooks(&self, change: &HooksChange) -> Result<bool, StoreError>;

    /// All changes, oldest first.
    async fn hooks_changes(&self) -> Result<Vec<HooksChange>, StoreError>;
}
