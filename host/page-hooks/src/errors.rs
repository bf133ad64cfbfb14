//! Why the file in use was not changed.

use pairing_core::{page_hooks::HooksDigest, store::StoreError};

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum PageHooksError {
    /// The file's text is wrong.
    #[error("the file can't be used: {0}")]
    Invalid(String),
    /// The page was looked at, and is not what the file says.
    #[error(
        "{0}; correct the file, or push it with `force` if it is better than what is in use all the same"
    )]
    NotGood(String),
    /// The page could not be looked at.
    #[error("the file was not tried: {0}; try again, or push it with `force`")]
    Untried(String),
    /// No version has this digest.
    #[error("no version's digest begins with `{0}`; `GET /page-hooks` lists them")]
    UnknownVersion(String),
    /// Several versions' digests begin so.
    #[error("the digests of {count} versions begin with `{begins}`; give more of it")]
    Ambiguous {
        /// What was given.
        begins: String,
        /// How many.
        count: usize,
    },
    /// It is in use already.
    #[error("{} is in use already", name(.0.as_ref()))]
    InUse(Option<HooksDigest>),
    /// The file in use was never changed.
    #[error("there is nothing to roll back: the file in use was never changed")]
    NothingBefore,
    /// Somebody else changed the file in use at the same moment.
    #[error("somebody else changed the file in use just now; look at it and try again")]
    Overtaken,
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A file as people read of it.
pub(crate) fn name(digest: Option<&HooksDigest>) -> String {
    match digest {
        Some(digest) => format!("version {}", digest.get(..12).unwrap_or(digest)),
        None => "the file that came with the host".to_owned(),
    }
}
