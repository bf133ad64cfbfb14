//! What fills a slot when the host starts.

use std::{collections::BTreeSet, path::Path};

use pairing_core::{
    plugin::Slot,
    plugin_store::{PluginAction, SlotState},
};
use pairing_plugin_runtime::{Filling, LoadedVersion, WEBHOOK, digest_of, embedded};

use crate::{
    activate::Swap,
    earlier::{Earlier, Left},
    errors::{OpenError, RegistryError},
    registry::Registry,
    reports::{Activate, Activated, Push},
    subscriptions, watch,
};

/// Who does what the host does by itself.
pub(crate) const HOST: &str = "host";

/// Fills a slot: as the database says, or for the first time.
pub(crate) async fn fill(registry: &Registry, slot: Slot) -> Result<(), OpenError> {
    let _turn = registry.changing(slot).await;
    let slots = registry.0.parts.store.slots().await?;
    match slots.into_iter().find(|state| state.slot == slot) {
        None => plant(registry, slot).await,
        Some(state) => {
            let fault = match take_up(registry, &state).await {
                Ok(()) => return renew(registry, slot).await,
                Err(RegistryError::Store(error)) => return Err(error.into()),
                Err(error) => error,
            };
            tracing::error!(plugin = slot.as_str(), digest = %state.active, error = %fault, "the active version can't be loaded; an earlier one takes its place");
            fall_back(registry, &state, fault).await
        }
    }
}

/// Fills the slots of handlers, and says what their subscriptions may do. The host
/// works without them: one that can't be loaded is told of, and its events wait.
pub(crate) async fn fill_handlers(registry: &Registry) -> Result<(), OpenError> {
    let known = registry.0.parts.store.slots().await?.into_iter().map(|state| state.slot);
    let mut slots: BTreeSet<Slot> = known.collect();
    if registry.0.parts.runtime.runs_handlers() {
        slots.extend(WEBHOOK.parse::<Slot>().ok());
        slots.extend(registry.0.config.dir.as_deref().map(watch::slots).unwrap_or_default());
    }
    for slot in slots.into_iter().filter(|slot| slot.handler().is_some()) {
        match fill(registry, slot).await {
            Ok(()) => {}
            Err(OpenError::Store(error)) => return Err(error.into()),
            Err(error) => {
                tracing::error!(plugin = slot.as_str(), %error, "a handler can't be loaded; its events wait until a version is activated");
            }
        }
    }
    subscriptions::take_up(registry).await?;
    Ok(())
}

/// What the database says.
async fn take_up(registry: &Registry, state: &SlotState) -> Result<(), RegistryError> {
    let slot = state.slot;
    let version = registry.find(slot, &state.active.0).await?;
    if let Err(error) = registry.may_run(&version) {
        tracing::warn!(plugin = slot.as_str(), digest = %state.active, %error, "the active version would not be let in any more; it goes on");
    }
    let active = registry.load(&version, true).await?;
    let canary = match &state.canary {
        None => None,
        Some(canary) => {
            let version = registry.find(slot, &canary.digest.0).await?;
            match registry.load(&version, false).await {
                Ok(version) => Some((version, canary.share)),
                Err(error) => {
                    tracing::error!(plugin = slot.as_str(), digest = %canary.digest, %error, "the version on trial can't be loaded; its sessions go on with the active one");
                    None
                }
            }
        }
    };
    // Among them sessions that were written by the version before while this one
    // became active.
    let pins = registry.pins_back(slot, &active).await?;
    for pin in &pins {
        registry.0.parts.store.pin(pin).await?;
    }
    let (_, pins) = registry.load_pins(slot, pins, &active, canary.as_ref()).await?;
    let generation = state.generation;
    let filling = Filling { generation, active, canary, pins, is_new: false };
    registry.0.parts.runtime.fill(slot, filling);
    Ok(())
}

/// Somebody else changed the slot: from now on it is here as it is there.
pub(crate) async fn follow(registry: &Registry, slot: Slot) {
    let following = async {
        let slots = registry.0.parts.store.slots().await?;
        match slots.into_iter().find(|state| state.slot == slot) {
            Some(state) => take_up(registry, &state).await,
            None => Ok(()),
        }
    };
    if let Err(error) = following.await {
        tracing::error!(plugin = slot.as_str(), %error, "another host changed the slot, and this one can't follow");
    }
}

/// The slot is empty: the folder's component, else the host's own.
async fn plant(registry: &Registry, slot: Slot) -> Result<(), OpenError> {
    let folder = registry.0.config.dir.as_deref();
    let (source, with, push) = match folder.map(|dir| read(dir, slot)).transpose()?.flatten() {
        Some((path, push)) => ("folder", path, push),
        None => match own(slot) {
            Some(own) => ("embedded", "the host's own component".into(), own),
            None => return Ok(()),
        },
    };
    let planting = async {
        let pushed = registry.push_from(source, push).await?;
        let active = registry.loaded(&pushed.version, true).await?;
        let mut change = registry.change(slot, PluginAction::Seed, HOST, "the slot was empty");
        change.to = Some(pushed.version.digest.clone());
        let swap = Swap { change, active, canary: None, pins: Vec::new(), is_new: false };
        registry.swap(swap).await
    };
    filled(registry, slot, planting.await, with)
}

/// A newer host brings newer components of its own. Where an operator has chosen
/// another one nothing happens, nor where it was active already and was left.
async fn renew(registry: &Registry, slot: Slot) -> Result<(), OpenError> {
    let Some(own) = own(slot) else { return Ok(()) };
    let own_digest = digest_of(&own.component);
    let active = registry.0.parts.runtime.filled(slot).map(|filled| filled.active.info);
    let is_old = active.is_some_and(|info| info.source == "embedded" && info.digest != own_digest);
    if !is_old || registry.was_active(slot, &own_digest).await? {
        return Ok(());
    }
    let renewing = async {
        registry.push_from("embedded", own).await?;
        let ask = Activate {
            slot,
            digest: own_digest.to_string(),
            canary: None,
            why: "the host brought a newer component".into(),
            who: HOST.into(),
        };
        registry.activate_as(PluginAction::Seed, ask).await
    };
    match renewing.await {
        Ok(_) => Ok(()),
        Err(RegistryError::Store(error)) => Err(error.into()),
        // The old one goes on; the history says why.
        Err(_) => Ok(()),
    }
}

/// The newest earlier version that can be loaded, else the host's own.
async fn fall_back(
    registry: &Registry,
    state: &SlotState,
    fault: RegistryError,
) -> Result<(), OpenError> {
    let slot = state.slot;
    let why = format!("{} could not be loaded: {fault}", state.active.short());
    let mut found: Option<LoadedVersion> = None;
    let earlier = registry.earlier(slot).await.unwrap_or_default();
    let is_other = |one: &&Earlier| {
        one.left == Left::No
            && one.version.digest != state.active
            && registry.may_run(&one.version).is_ok()
    };
    let others = earlier.iter().filter(is_other);
    for one in others {
        if let Ok(loaded) = registry.load(&one.version, true).await
            && registry.check_grants(&loaded).await.is_ok()
        {
            found = Some(loaded);
            break;
        }
    }
    let falling = async {
        let active = match found {
            Some(active) => active,
            None => {
                let Some(own) = own(slot) else { return Err(fault) };
                let pushed = registry.push_from("embedded", own).await?;
                registry.load(&pushed.version, true).await?
            }
        };
        let mut change = registry.change(slot, PluginAction::AutomaticRollback, HOST, &why);
        change.from = Some(state.active.clone());
        change.to = Some(active.info().digest.clone());
        let pins = registry.pins_back(slot, &active).await?;
        let swap = Swap { change, active, canary: None, pins, is_new: false };
        registry.swap_from(swap, Some(state.generation)).await
    };
    let with = "an earlier version, nor with the host's own component".into();
    filled(registry, slot, falling.await, with)
}

fn filled(
    registry: &Registry,
    slot: Slot,
    swapped: Result<Activated, RegistryError>,
    with: String,
) -> Result<(), OpenError> {
    match swapped {
        // Another host was first, and this one has followed.
        Err(RegistryError::Overtaken { .. }) if registry.active(slot).is_some() => Ok(()),
        swapped => swapped.map(drop).map_err(|error| OpenError::Unfilled {
            slot,
            with,
            error: Box::new(error),
        }),
    }
}

fn own(slot: Slot) -> Option<Push> {
    let component = embedded(slot)?.to_vec();
    Some(Push { slot, component, signature: None, accept_unsigned: None, who: HOST.into() })
}

/// What the folder holds for the slot: its path, and the component with the
/// signature that lies beside it.
pub(crate) fn read(dir: &Path, slot: Slot) -> Result<Option<(String, Push)>, OpenError> {
    let path = dir.join(slot.as_str()).with_extension("wasm");
    let shown = path.display().to_string();
    let unread = |error| OpenError::Read { path: shown.clone(), error };
    let optional = |result: std::io::Result<Vec<u8>>| match result {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unread(error)),
    };
    let Some(component) = optional(std::fs::read(&path))? else { return Ok(None) };
    let signature = optional(std::fs::read(path.with_extension("wasm.sig")))?;
    let push = Push { slot, component, signature, accept_unsigned: None, who: HOST.into() };
    Ok(Some((shown, push)))
}
