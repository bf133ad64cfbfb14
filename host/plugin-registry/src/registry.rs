//! The registry.

use pairing_core::{
    plugin::Slot,
    plugin_store::{NumberedChange, Parked, PluginVersion},
};

use crate::{
    errors::RegistryError,
    replay_report::ReplayReport,
    reports::{Activate, Activated, Push, Pushed, Rollback, SlotReport},
};

/// Which component fills which slot. Cheap to clone.
#[derive(Clone)]
pub struct Registry(());

impl Registry {
    /// The slots as they run, in the order of [`Slot::ALL`].
    pub fn slots(&self) -> Vec<SlotReport> {
        unimplemented!()
    }

    /// What a slot knows, newest first.
    pub async fn versions(&self, _slot: Slot) -> Result<Vec<PluginVersion>, RegistryError> {
        unimplemented!()
    }

    /// One version with what the gates said; `digest` may be the first digits.
    pub async fn version(&self, _slot: Slot, _digest: &str) -> Result<Pushed, RegistryError> {
        unimplemented!()
    }

    /// Lets a component in, if all gates let it pass.
    pub async fn push(&self, _push: Push) -> Result<Pushed, RegistryError> {
        unimplemented!()
    }

    /// Makes a version active.
    pub async fn activate(&self, _ask: Activate) -> Result<Activated, RegistryError> {
        unimplemented!()
    }

    /// Goes back.
    pub async fn roll_back(&self, _ask: Rollback) -> Result<Activated, RegistryError> {
        unimplemented!()
    }

    /// Lines of history with a number below `before`, newest first.
    pub async fn history(
        &self,
        _slot: Slot,
        _before: Option<u64>,
        _limit: u32,
    ) -> Result<Vec<NumberedChange>, RegistryError> {
        unimplemented!()
    }

    /// What a version would have done with the recorded histories. Changes nothing.
    pub async fn replay(&self, _slot: Slot, _digest: &str) -> Result<ReplayReport, RegistryError> {
        unimplemented!()
    }

    /// What could not be worked, newest first.
    pub async fn parked(&self, _slot: Slot, _limit: u32) -> Result<Vec<Parked>, RegistryError> {
        unimplemented!()
    }
}
