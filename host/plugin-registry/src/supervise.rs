//! What happens when a version does badly: the way back, without anybody asked.

use pairing_core::{
    plugin::{PluginDigest, Slot},
    plugin_store::{PluginAction, PluginVersion},
};
use pairing_plugin_runtime::{Alarm, VersionAlarm};

use crate::{
    errors::RegistryError,
    registry::{Registry, count},
    reports::Rollback,
    seed::HOST,
};

/// So many lines of history are looked through for versions that failed before.
const LINES: u32 = 100;

/// Listens until the registry stops.
pub(crate) async fn run(registry: Registry) {
    let Some(mut alarms) = registry.0.parts.runtime.alarms() else { return };
    while let Some(VersionAlarm { slot, digest, alarm }) = alarms.recv().await {
        let _turn = registry.changing(slot).await;
        let acted = match &alarm {
            Alarm::Worse { reason } => go_back(&registry, slot, &digest, reason).await,
            Alarm::Quarantined { reason } => quarantined(&registry, slot, &digest, reason).await,
        };
        if let Err(error) = acted {
            tracing::error!(plugin = slot.as_str(), %digest, ?alarm, %error, "the host could not go back by itself; `pairing-host plugin rollback` does");
        }
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
    let to = if on_trial {
        None
    } else if filled.active.info.digest == *digest {
        registry.earlier(slot).await?.first().map(|version| version.digest.to_string())
    } else {
        // It has been left already.
        return Ok(());
    };
    let ask = Rollback { slot, to, why: reason.to_owned(), who: HOST.into() };
    registry.roll_back_as(PluginAction::AutomaticRollback, ask).await.map(drop)
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
    let Some(earlier) = healthy(registry, slot).await? else {
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

/// The last version before this one that the host did not give up itself.
async fn healthy(registry: &Registry, slot: Slot) -> Result<Option<PluginVersion>, RegistryError> {
    let lines = registry.0.parts.store.changes(slot, None, LINES).await?;
    let given_up = |digest: &PluginDigest| {
        lines.iter().any(|line| match line.change.action {
            PluginAction::Quarantine => line.change.to.as_ref() == Some(digest),
            PluginAction::AutomaticRollback => line.change.from.as_ref() == Some(digest),
            _ => false,
        })
    };
    let earlier = registry.earlier(slot).await?;
    Ok(earlier.into_iter().find(|version| !given_up(&version.digest)))
}
