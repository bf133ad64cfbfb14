//! Versions that were active before, as a slot's history tells.

use pairing_core::{
    plugin::{PluginDigest, Slot},
    plugin_store::{NumberedChange, PluginAction, PluginVersion},
    store::StoreError,
};

use crate::{errors::RegistryError, registry::Registry};

/// So many versions back one can go.
pub(crate) const BACK: usize = 10;
/// So many lines of history are looked through for them.
const LINES: u32 = 1000;

/// A version that was active before.
pub(crate) struct Earlier {
    pub(crate) version: PluginVersion,
    pub(crate) left: Left,
}

/// Who went back from a version since it was chosen last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    No,
    ByHand,
    /// The host, or the host does not call it any more.
    ByHost,
}

impl Registry {
    /// The versions that were active before the present one, the last one first.
    pub(crate) async fn earlier(&self, slot: Slot) -> Result<Vec<Earlier>, RegistryError> {
        let versions = self.0.parts.store.versions(slot).await?;
        let mut lines = self.0.parts.store.changes(slot, None, LINES).await?;
        lines.retain(|line| line.change.refusal.is_none());
        let active = self.active(slot);
        let mut earlier: Vec<&PluginDigest> = Vec::new();
        // What a change was made from was active before it.
        for from in lines.iter().filter_map(|line| line.change.from.as_ref()) {
            if Some(from) != active.as_ref() && !earlier.contains(&from) {
                earlier.push(from);
            }
        }
        earlier.truncate(BACK);
        let known = |digest: &PluginDigest| {
            let version = versions.iter().find(|version| version.digest == *digest)?.clone();
            Some(Earlier { version, left: left(&lines, digest) })
        };
        Ok(earlier.into_iter().filter_map(known).collect())
    }

    /// The last version before the present one that may run and that nobody went back
    /// from.
    pub(crate) async fn last_good(
        &self,
        slot: Slot,
    ) -> Result<Option<PluginVersion>, RegistryError> {
        self.last_left(slot, Left::No).await
    }

    /// The same for the host itself, which rather takes one that an operator went back
    /// from than none.
    pub(crate) async fn last_bearable(
        &self,
        slot: Slot,
    ) -> Result<Option<PluginVersion>, RegistryError> {
        match self.last_left(slot, Left::No).await? {
            Some(good) => Ok(Some(good)),
            None => self.last_left(slot, Left::ByHand).await,
        }
    }

    async fn last_left(
        &self,
        slot: Slot,
        left: Left,
    ) -> Result<Option<PluginVersion>, RegistryError> {
        let earlier = self.earlier(slot).await?.into_iter();
        let fits = |one: &Earlier| one.left == left && self.may_run(&one.version).is_ok();
        Ok(earlier.filter(fits).map(|one| one.version).next())
    }

    /// Has the version ever filled the slot, for all or on trial?
    pub(crate) async fn was_active(
        &self,
        slot: Slot,
        digest: &PluginDigest,
    ) -> Result<bool, StoreError> {
        let lines = self.0.parts.store.changes(slot, None, LINES).await?;
        Ok(lines.into_iter().any(|NumberedChange { change, .. }| {
            let fills = !matches!(change.action, PluginAction::Push | PluginAction::AcceptUnsigned);
            fills && change.refusal.is_none() && change.to.as_ref() == Some(digest)
        }))
    }
}

/// `lines`: the newest first.
fn left(lines: &[NumberedChange], digest: &PluginDigest) -> Left {
    let verdict = lines.iter().find_map(|NumberedChange { change, .. }| {
        let is_from = change.from.as_ref() == Some(digest);
        let is_to = change.to.as_ref() == Some(digest);
        match change.action {
            PluginAction::Quarantine if is_to => Some(Left::ByHost),
            PluginAction::AutomaticRollback if is_from && !is_to => Some(Left::ByHost),
            PluginAction::Rollback if is_from && !is_to => Some(Left::ByHand),
            PluginAction::Seed
            | PluginAction::Activate
            | PluginAction::Rollback
            | PluginAction::AutomaticRollback
                if is_to =>
            {
                Some(Left::No)
            }
            _ => None,
        }
    });
    verdict.unwrap_or(Left::No)
}
