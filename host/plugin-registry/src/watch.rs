//! The watched folder of development mode: what changes there is pushed and
//! activated, as if somebody had called the API.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use pairing_core::plugin::Slot;
use pairing_plugin_runtime::digest_of;

use crate::{registry::Registry, reports::Activate, seed};

/// How often the folder is looked at.
const EVERY: Duration = Duration::from_millis(250);

/// When a file changed last, and how long it is.
type Stamp = (SystemTime, u64);

/// What lies there now. The database has decided about it already.
pub(crate) fn present(dir: &Path) -> HashMap<Slot, Stamp> {
    slots(dir).into_iter().filter_map(|slot| Some((slot, stamp(dir, slot)?))).collect()
}

/// The slots for which something lies there.
pub(crate) fn slots(dir: &Path) -> Vec<Slot> {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let names = files.filter_map(|file| file.file_name().into_string().ok());
    names.filter_map(|name| name.strip_suffix(".wasm")?.parse().ok()).collect()
}

/// Watches until the registry stops.
pub(crate) async fn run(registry: Registry, dir: PathBuf, mut seen: HashMap<Slot, Stamp>) {
    tracing::info!(dir = %dir.display(), "watching the plugins' folder: what is saved there from now on is pushed and activated");
    loop {
        for slot in slots(&dir) {
            let Some(stamp) = stamp(&dir, slot) else { continue };
            // A file that is being written changes once more: wait until it rests.
            if seen.insert(slot, stamp) == Some(stamp) {
                continue;
            }
            tokio::time::sleep(EVERY).await;
            if self::stamp(&dir, slot) == Some(stamp) {
                take(&registry, &dir, slot).await;
            } else {
                seen.remove(&slot);
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn stamp(dir: &Path, slot: Slot) -> Option<Stamp> {
    let file = std::fs::metadata(dir.join(slot.as_str()).with_extension("wasm")).ok()?;
    Some((file.modified().ok()?, file.len()))
}

/// The outcome stands in the log and in the slot's history.
async fn take(registry: &Registry, dir: &Path, slot: Slot) {
    let push = match seed::read(dir, slot) {
        Ok(Some((_, push))) => push,
        Ok(None) => return,
        Err(error) => return tracing::warn!(%error, "a plugin could not be taken from its folder"),
    };
    let digest = digest_of(&push.component);
    if registry.active(slot) == Some(digest.clone()) {
        return;
    }
    if registry.push_from("folder", push).await.is_err() {
        return;
    }
    let ask = Activate {
        slot,
        digest: digest.to_string(),
        canary: None,
        why: "its file in the watched folder changed".into(),
        who: seed::HOST.into(),
    };
    // What went wrong stands in the log and in the history already.
    let _ = registry.activate(ask).await;
}
