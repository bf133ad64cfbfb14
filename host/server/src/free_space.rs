//! Looks every other second at how much room is left where database and profiles
//! are, so that a full disk is met with refusals and not with broken writes.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::sys::statvfs::statvfs;
use pairing_core::space::{Space, SpaceWatch};
use tokio::{sync::watch, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

const LOOK_EVERY: Duration = Duration::from_secs(2);

const GIB: u64 = 1 << 30;

/// Below this share of the file system, or this many bytes, whichever is less: a
/// large disk that is 95 % full has room for all that a host writes in weeks.
const THRESHOLDS: [(Space, u64, u64); 3] =
    [(Space::ReadOnly, 2, GIB / 4), (Space::NoStarts, 5, GIB), (Space::Low, 10, 2 * GIB)];

/// Begins to look; ends with the token.
pub fn watch(folders: Vec<PathBuf>, stopping: CancellationToken) -> SpaceWatch {
    let (said, heard) = watch::channel(least(&folders));
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stopping.cancelled() => return,
            }
            let now = least(&folders);
            said.send_if_modified(|before| {
                let changed = *before != now;
                if changed {
                    tell(*before, now, &folders);
                    *before = now;
                }
                changed
            });
        }
    });
    heard
}

/// Of these folders' file systems, the one with the least room.
fn least(folders: &[PathBuf]) -> Space {
    let spaces = folders.iter().filter_map(|folder| match free(folder) {
        Ok((free, all)) => {
            metrics::gauge!("free_space_bytes", "folder" => folder.display().to_string())
                .set(free as f64);
            Some(judge(free, all))
        }
        Err(error) => {
            tracing::debug!(folder = %folder.display(), %error, "the free space is not known");
            None
        }
    });
    spaces.max().unwrap_or_default()
}

/// Bytes that are free for this process's user, and all there are.
pub fn free(folder: &Path) -> io::Result<(u64, u64)> {
    let system = statvfs(folder)?;
    let block = system.fragment_size();
    Ok((system.blocks_available().saturating_mul(block), system.blocks().saturating_mul(block)))
}

fn judge(free: u64, all: u64) -> Space {
    let is_below = |&&(_, percent, bytes): &&(Space, u64, u64)| {
        free < bytes
            .min(u64::try_from(u128::from(all) * u128::from(percent) / 100).unwrap_or(bytes))
    };
    THRESHOLDS.iter().find(is_below).map_or(Space::Plenty, |(space, ..)| *space)
}

fn tell(before: Space, now: Space, folders: &[PathBuf]) {
    let free = folders
        .iter()
        .filter_map(|folder| {
            Some(format!("{} MiB in {}", free(folder).ok()?.0 >> 20, folder.display()))
        })
        .collect::<Vec<_>>()
        .join(", ");
    let says = match now {
        Space::Plenty => "there is room again; nothing is refused",
        Space::Low => "the disk is getting full: make room, or browsers will not start soon",
        Space::NoStarts => "the disk is nearly full: no browser starts until there is room",
        Space::ReadOnly => "the disk is full: nothing is changed until there is room",
    };
    if now < before {
        tracing::info!(space = now.as_str(), free, "{says}");
    } else {
        tracing::error!(space = now.as_str(), free, "{says}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_small_disk_is_judged_by_its_share_and_a_large_one_by_bytes() {
        let small = |free: u64| judge(free * MIB, 100 * MIB);
        assert_eq!(
            [11, 10, 9, 5, 4, 2, 1, 0].map(small),
            [
                Space::Plenty,
                Space::Plenty,
                Space::Low,
                Space::Low,
                Space::NoStarts,
                Space::NoStarts,
                Space::ReadOnly,
                Space::ReadOnly
            ]
        );
        let large = |free: u64| judge(free, 2048 * GIB);
        assert_eq!(
            [3 * GIB, GIB + GIB / 2, GIB / 2, GIB / 8].map(large),
            [Space::Plenty, Space::Low, Space::NoStarts, Space::ReadOnly]
        );
    }

    #[test]
    fn of_several_folders_the_fullest_counts_and_an_unknown_one_does_not() {
        assert_eq!(least(&["/no/such/folder".into()]), Space::Plenty);
        assert!(free(Path::new("/")).unwrap().1 > 0);
    }
}
