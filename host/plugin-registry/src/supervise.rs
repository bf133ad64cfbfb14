//! What happens when a version does badly: the way back, without anybody asked.

use std::time::Duration;

use pairing_core::{
    plugin::{PluginDigest, Slot},
    plugin_store::PluginAction,
    store::StoreError,
};
use pairing_plugin_runtime::{Alarm, VersionAlarm};

use crate::{
    errors::RegistryError,
    registry::{Registry, count},
    reports::Rollback,
    seed::HOST,
};

/// After so long what failed for want of a database is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Listens until the registry stops.
pub(crate) async fn run(registry: Registry) {
    let Some(mut alarms) = registry.0.parts.runtime.alarms() else { return };
    while let Some(alarm) = alarms.recv().await {
        // It is told once, so it must not be forgotten while the database is away.
        while let Err(error) = act(&registry, &alarm).await {
            let VersionAlarm { slot, digest, alarm } = &alarm;
            tracing::error!(plugin = slot.as_str(), %digest, ?alarm, %error, "the host could not go back by itself; `pairing-host plugin rollback` does");
            if !matches!(error, RegistryError::Store(StoreError::Unavailable(_))) {
                break;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

async fn act(registry: &Registry, alarm: &VersionAlarm) -> Result<(), RegistryError> {
    let VersionAlarm { slot, digest, alarm } = alarm;
    let _turn = registry.changing(*slot).await;
    match alarm {
        Alarm::Worse { reason } => go_back(registry, *slot, digest, reason).await,
        Alarm::Quarantined { reason } => quarantined(registry, *slot, digest, reason).await,
    }
}

/// A version on trial, or a new one, is worse than the one before.
async fn go_back(
    registry: &Registry,
    slot: Slot,
    digest: &PluginDigest,
    reason: &str,
) -> Result<(), RegistryError> {
    let Some(filled) = registry.0.parts.runtime.filled(slot) else { return Ok(()) };
    let on_trial = filled.canary.is_some_and(|(canary, _)| canary.info.digest == *digest);
    if on_trial {
        let ask = Rollback { slot, to: None, why: reason.to_owned(), who: HOST.into() };
        registry.roll_back_as(PluginAction::AutomaticRollback, ask).await.map(drop)
    } else if filled.active.info.digest == *digest {
        leave_active(registry, slot, reason).await
    } else {
        // It has been left already.
        Ok(())
    }
}

/// A version that had proven itself is not called any more.
async fn quarantined(
    registry: &Registry,
    slot: Slot,
    digest: &PluginDigest,
    reason: &str,
) -> Result<(), RegistryError> {
    let mut change = registry.change(slot, PluginAction::Quarantine, HOST, reason);
    change.to = Some(digest.clone());
    registry.0.parts.store.note(&change).await?;
    count(slot, PluginAction::Quarantine, "done");
    tracing::error!(plugin = slot.as_str(), %digest, reason, "a plugin is not called any more");
    if registry.active(slot).as_ref() != Some(digest) {
        return Ok(());
    }
    leave_active(registry, slot, reason).await
}

async fn leave_active(registry: &Registry, slot: Slot, reason: &str) -> Result<(), RegistryError> {
    let Some(earlier) = registry.last_bearable(slot).await? else {
        tracing::error!(
            plugin = slot.as_str(),
            "there is no earlier version to go back to: activate another one"
        );
        return Ok(());
    };
    let ask = Rollback {
        slot,
        to: Some(earlier.digest.to_string()),
        why: reason.to_owned(),
        who: HOST.into(),
    };
    registry.roll_back_as(PluginAction::AutomaticRollback, ask).await.map(drop)
}
