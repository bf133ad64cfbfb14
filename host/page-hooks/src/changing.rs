//! Letting files in, and changing the one in use.

use pairing_core::page_hooks::{HooksChange, HooksDigest, HooksRefused, HooksReport, HooksVersion};

use crate::{
    drift::missing_of,
    errors::{PageHooksError, name},
    registry::{PageHooks, digest_of},
};

/// A file that was let in.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// It, with what the trial said.
    pub version: HooksVersion,
    /// It was not known before.
    pub is_new: bool,
}

impl From<HooksRefused> for PageHooksError {
    fn from(refused: HooksRefused) -> Self {
        match refused {
            HooksRefused::Invalid(why) => Self::Invalid(why),
            HooksRefused::Untried(failure) => Self::Untried(failure.to_string()),
        }
    }
}

impl PageHooks {
    /// Checks a file, tries it on a scratch page, and keeps it with what that said.
    /// It is not in use yet. `force` lets one in that is not good, or could not be
    /// tried.
    ///
    /// # Errors
    /// `Invalid`, `NotGood`, `Untried` or `Store`.
    pub async fn push(
        &self,
        text: &str,
        actor: &str,
        force: bool,
    ) -> Result<Pushed, PageHooksError> {
        self.0.page.check(text)?;
        let tried = {
            let _one = self.0.trying.lock().await;
            self.0.page.try_out(Some(text)).await
        };
        let report = match tried {
            Ok(report) if report.is_good() || force => report,
            Ok(report) => return Err(PageHooksError::NotGood(what_is_missing(&report))),
            Err(HooksRefused::Untried(failure)) if force => untried(&failure.to_string()),
            Err(refused) => return Err(refused.into()),
        };
        let digest = digest_of(text);
        let is_new = !self.0.store.hooks().await?.iter().any(|known| known.digest == digest);
        let pushed_at = self.0.clock.now();
        let version = HooksVersion { digest, text: text.to_owned(), pushed_at, report };
        self.0.store.put_hooks(&version).await?;
        tracing::info!(digest = %version.digest, actor, force, "a file of page hooks was let in");
        Ok(Pushed { version, is_new })
    }

    /// Uses another file from now on: new pages at once, running ones from their
    /// next document on. None: the one that came with the host.
    ///
    /// # Errors
    /// `UnknownVersion`, `Ambiguous`, `Invalid`, `InUse`, `Overtaken` or `Store`.
    pub async fn activate(
        &self,
        begins: Option<&str>,
        actor: &str,
    ) -> Result<Option<HooksDigest>, PageHooksError> {
        let version = match begins {
            Some(begins) => Some(self.version(begins).await?),
            None => None,
        };
        self.change(version, "activate", actor).await
    }

    /// Uses the file again that was in use before the last change.
    ///
    /// # Errors
    /// `NothingBefore`, and as [`PageHooks::activate`].
    pub async fn roll_back(&self, actor: &str) -> Result<Option<HooksDigest>, PageHooksError> {
        let changes = self.0.store.hooks_changes().await?;
        let before = match changes.as_slice() {
            [] => return Err(PageHooksError::NothingBefore),
            [_] => None,
            [.., before, _] => before.digest.clone(),
        };
        let version = match before {
            Some(digest) => Some(self.version(&digest).await?),
            None => None,
        };
        self.change(version, "rollback", actor).await
    }

    async fn change(
        &self,
        version: Option<HooksVersion>,
        cause: &str,
        actor: &str,
    ) -> Result<Option<HooksDigest>, PageHooksError> {
        let _one = self.0.changing.lock().await;
        let page = &self.0.page;
        let text = version.as_ref().map_or(page.embedded(), |version| &version.text);
        page.check(text)?;
        let digest = version.as_ref().map(|version| version.digest.clone());
        let changes = self.0.store.hooks_changes().await?;
        if changes.last().and_then(|change| change.digest.clone()) == digest {
            return Err(PageHooksError::InUse(digest));
        }
        let change = HooksChange {
            generation: changes.last().map_or(0, |change| change.generation) + 1,
            at: self.0.clock.now(),
            digest: digest.clone(),
            cause: cause.to_owned(),
            actor: actor.to_owned(),
        };
        if !self.0.store.change_hooks(&change).await? {
            return Err(PageHooksError::Overtaken);
        }
        // The database says so now; after a restart it is so, too.
        let put = page.put(text);
        {
            let mut state = self.state();
            state.chosen.clone_from(&digest);
            state.refused = put.as_ref().err().map(ToString::to_string);
        }
        put?;
        tracing::info!(actor, cause, "{} is in use", name(digest.as_ref()));
        self.0.changed.notify_one();
        Ok(digest)
    }
}

fn untried(why: &str) -> HooksReport {
    let missing = [("page".to_owned(), format!("it could not be looked at: {why}"))].into();
    HooksReport { missing, ..HooksReport::default() }
}

pub(crate) fn what_is_missing(report: &HooksReport) -> String {
    let parts = missing_of(report).into_iter().map(|(part, why)| format!("`{part}`: {why}"));
    format!(
        "the page does not have all that the file says: {}",
        parts.collect::<Vec<_>>().join("; ")
    )
}
