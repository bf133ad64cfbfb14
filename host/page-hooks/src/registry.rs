//! The file in use, and what is known of it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use pairing_core::{
    clock::SharedClock,
    page_hooks::{HooksChange, HooksDigest, HooksStore, HooksVersion, PageDriver},
    store::StoreError,
};
use sha2::{Digest, Sha256};
use tokio::sync::Notify;

use crate::{canary::Look, drift::Drift, errors::PageHooksError};

/// What the registry is made of.
pub struct PageHooksParts {
    /// Keeps versions and changes.
    pub store: Arc<dyn HooksStore>,
    /// Uses the file.
    pub page: Arc<dyn PageDriver>,
    /// Tells the time.
    pub clock: SharedClock,
}

/// How the canary behaves.
#[derive(Debug, Clone)]
pub struct PageHooksConfig {
    /// How often the page is looked at; none: only when somebody asks.
    pub canary_every: Option<Duration>,
}

impl Default for PageHooksConfig {
    fn default() -> Self {
        Self { canary_every: Some(Duration::from_secs(6 * 3600)) }
    }
}

/// The registry. Cheap to clone.
#[derive(Clone)]
pub struct PageHooks(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn HooksStore>,
    pub(crate) page: Arc<dyn PageDriver>,
    pub(crate) clock: SharedClock,
    pub(crate) config: PageHooksConfig,
    /// One change at a time.
    pub(crate) changing: tokio::sync::Mutex<()>,
    /// One scratch page at a time.
    pub(crate) trying: tokio::sync::Mutex<()>,
    /// Another file is in use: the canary looks at once.
    pub(crate) changed: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
pub(crate) struct State {
    /// What is to be in use; none: the embedded file.
    pub(crate) chosen: Option<HooksDigest>,
    /// Why the embedded file is in use although another one is to be.
    pub(crate) refused: Option<String>,
    pub(crate) last_look: Option<Look>,
    pub(crate) drift: Drift,
}

/// What is in use.
#[derive(Debug, Clone)]
pub struct PageHooksStatus {
    /// Of the file in use.
    pub digest: HooksDigest,
    /// It is the one that came with the host.
    pub is_embedded: bool,
    /// Why the host's own file is in use although another one was activated.
    pub refused: Option<String>,
    /// What the last look at the page said, since the host started.
    pub last_look: Option<Look>,
    /// How often the page is looked at.
    pub canary_every: Option<Duration>,
}

impl PageHooks {
    /// Puts the active version into use. One that this build can't use is left
    /// alone, with an alert as soon as there is somebody to tell: see
    /// [`PageHooks::run_canary`].
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn open(parts: PageHooksParts, config: PageHooksConfig) -> Result<Self, StoreError> {
        let PageHooksParts { store, page, clock } = parts;
        let chosen = store.hooks_changes().await?.pop().and_then(|change| change.digest);
        let mut refused = None;
        if let Some(digest) = &chosen {
            let versions = store.hooks().await?;
            let text = versions.iter().find(|version| version.digest == *digest);
            refused = match text {
                Some(version) => page.put(&version.text).err().map(|error| error.to_string()),
                None => Some("its text is not in the database".to_owned()),
            };
        }
        if let Some(why) = &refused {
            tracing::error!(why, "the active file of page hooks can't be used; the host's own is");
        }
        Ok(Self(Arc::new(Inner {
            store,
            page,
            clock,
            config,
            changing: tokio::sync::Mutex::default(),
            trying: tokio::sync::Mutex::default(),
            changed: Notify::new(),
            state: Mutex::new(State { chosen, refused, ..State::default() }),
        })))
    }

    /// What is in use, and what is known of it.
    pub fn status(&self) -> PageHooksStatus {
        let state = self.state();
        let is_embedded = state.chosen.is_none() || state.refused.is_some();
        let digest = state.chosen.clone().filter(|_| !is_embedded);
        PageHooksStatus {
            digest: digest.unwrap_or_else(|| digest_of(self.0.page.embedded())),
            is_embedded,
            refused: state.refused.clone(),
            last_look: state.last_look.clone(),
            canary_every: self.0.config.canary_every,
        }
    }

    /// All files that were let in, newest first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn versions(&self) -> Result<Vec<HooksVersion>, StoreError> {
        self.0.store.hooks().await
    }

    /// All changes of the file in use, newest first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn history(&self) -> Result<Vec<HooksChange>, StoreError> {
        let mut changes = self.0.store.hooks_changes().await?;
        changes.reverse();
        Ok(changes)
    }

    /// A file's text, by the beginning of its digest. The one that came with the
    /// host has one, too.
    ///
    /// # Errors
    /// `UnknownVersion`, `Ambiguous` or `Store`.
    pub async fn text(&self, begins: &str) -> Result<String, PageHooksError> {
        let embedded = self.0.page.embedded();
        match self.version(begins).await {
            Ok(version) => Ok(version.text),
            Err(PageHooksError::UnknownVersion(_))
                if is_beginning(begins) && digest_of(embedded).starts_with(begins) =>
            {
                Ok(embedded.to_owned())
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn version(&self, begins: &str) -> Result<HooksVersion, PageHooksError> {
        let unknown = || PageHooksError::UnknownVersion(begins.chars().take(64).collect());
        if !is_beginning(begins) {
            return Err(unknown());
        }
        let versions = self.0.store.hooks().await?;
        let mut found = versions.into_iter().filter(|version| version.digest.starts_with(begins));
        let version = found.next().ok_or_else(unknown)?;
        match found.count() {
            0 => Ok(version),
            others => {
                Err(PageHooksError::Ambiguous { begins: begins.to_owned(), count: others + 1 })
            }
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As [`HooksDigest`].
pub(crate) fn digest_of(text: &str) -> HooksDigest {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// At least six digits, so that nobody activates what they did not mean.
fn is_beginning(text: &str) -> bool {
    (6..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
