//! A session's browser profile: a folder of its own, locked while an engine
//! lives. The link is in there, so it is removed only when told to.

use std::{
    fmt::Write,
    fs::{self, DirBuilder, File, Permissions, TryLockError},
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown},
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use pairing_core::{
    id::SessionName,
    workflow::{EngineFailure, EngineFailureKind},
};
use pairing_failpoints::failpoint;
use sha2::{Digest, Sha256};

use crate::{config::BrowserUser, failure::failure, process};

const STEP: &str = "preparing the browser profile";

/// No session's name begins with a dot.
const SCRATCH: &str = ".scratch";

/// A sentinel whose host has died holds the profile until its browser is gone,
/// which takes it a second. A child that is being started elsewhere in this process
/// has a copy of the lock, too, until it becomes another program.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);
const LOCK_LOOK_EVERY: Duration = Duration::from_millis(50);

/// What Chromium leaves when it is killed, and then refuses to start over.
const LEFT_OVER: [&str; 3] = ["SingletonLock", "SingletonCookie", "SingletonSocket"];

/// Longest path of a folder for temporary files: in it Chromium makes
/// `/org.chromium.Chromium.XXXXXX/SingletonSocket`, and with the final NUL the
/// path of a socket has at most 108 bytes.
const LONGEST_TEMPORARY: usize = 108 - 1 - "/org.chromium.Chromium.XXXXXX/SingletonSocket".len();

/// A profile that this host alone uses. It is free when it is dropped and its
/// browser's sentinel has ended, which shares the lock.
#[derive(Debug)]
pub(crate) struct Profile {
    folder: PathBuf,
    /// Names end with a dot and a word that no session's name can have.
    doomed: PathBuf,
    /// For the browser's temporary files, which a killed one leaves behind: beside
    /// the profile, so that the next start or wipe takes them with it. None where
    /// its path would be too long.
    temporary: Option<PathBuf>,
    user: BrowserUser,
    lock: File,
    lock_path: PathBuf,
}

impl Profile {
    /// Locks the session's profile and makes it fit for a start: no process of
    /// an earlier host uses it, and none of its marks are left.
    pub(crate) async fn take(
        parent: &Path,
        session: &SessionName,
        user: BrowserUser,
    ) -> Result<Self, EngineFailure> {
        Self::take_named(parent, session.to_string(), user).await
    }

    async fn take_named(
        parent: &Path,
        name: String,
        user: BrowserUser,
    ) -> Result<Self, EngineFailure> {
        let parent = parent.to_owned();
        let profile = tokio::task::spawn_blocking(move || Self::lock(&parent, &name, user))
            .await
            .map_err(|error| failed(error.to_string()))??;
        let left = process::end_all_that_use(&profile.folder, Duration::from_secs(10)).await;
        if !left.is_empty() {
            return Err(failed(format!(
                "processes {left:?} use {} and can't be ended",
                profile.folder.display()
            )));
        }
        profile
            .clean()
            .map_err(|error| failed(format!("{}: {error}", profile.folder.display())))?;
        Ok(profile)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// For the sentinel to share.
    pub(crate) fn held_lock(&self) -> BorrowedFd<'_> {
        self.lock.as_fd()
    }

    /// Where the browser's temporary files go, if not where all go.
    pub(crate) fn temporary(&self) -> Option<&Path> {
        self.temporary.as_deref()
    }

    /// Makes the folders, if needed.
    pub(crate) fn make(&self) -> Result<(), EngineFailure> {
        for folder in [Some(&self.folder), self.temporary.as_ref()].into_iter().flatten() {
            self.make_one(folder)
                .map_err(|error| failed(format!("{}: {error}", folder.display())))?;
        }
        Ok(())
    }

    fn make_one(&self, folder: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        if self.user.is_other {
            chown(folder, Some(self.user.uid.as_raw()), Some(self.user.gid.as_raw()))?;
        }
        fs::set_permissions(folder, Permissions::from_mode(0o700))
    }

    /// A profile for one look at the page, beside the sessions' own. What an earlier
    /// look has left goes first.
    pub(crate) async fn take_scratch(
        parent: &Path,
        user: BrowserUser,
    ) -> Result<Self, EngineFailure> {
        let profile = Self::take_named(parent, SCRATCH.into(), user).await?;
        profile.wipe()?;
        Ok(profile)
    }

    /// Removes the profile with its lock.
    pub(crate) fn discard(self) -> Result<(), EngineFailure> {
        self.wipe()?;
        // While it is still locked: nobody else can have it.
        fs::remove_file(&self.lock_path)
            .map_err(|error| failed(format!("{}: {error}", self.lock_path.display())))
    }

    /// Removes the profile. The name is freed at once, and what could not be
    /// removed goes at the next start.
    pub(crate) fn wipe(&self) -> Result<(), EngineFailure> {
        let at = |error: io::Error| {
            failure(
                EngineFailureKind::Other,
                "removing the browser profile",
                format!("{}: {error}", self.folder.display()),
            )
        };
        failpoint!("profile.wipe.rename", |why: String| at(io::Error::other(why)));
        match fs::rename(&self.folder, &self.doomed) {
            Ok(()) => remove(&self.doomed).map_err(at),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(at(error)),
        }
    }

    fn lock(parent: &Path, name: &str, user: BrowserUser) -> Result<Self, EngineFailure> {
        let at = |path: &Path, error: io::Error| failed(format!("{}: {error}", path.display()));
        if !parent.exists() {
            fs::create_dir_all(parent).map_err(|error| at(parent, error))?;
            fs::set_permissions(parent, Permissions::from_mode(0o711))
                .map_err(|error| at(parent, error))?;
        }
        let parent = parent.canonicalize().map_err(|error| at(parent, error))?;
        if let Some(closed) = closed_to(&parent, user) {
            return Err(failed(format!(
                "the browser's user (uid {}) can't enter {}; chmod o+x it, or set another folder for profiles",
                user.uid,
                closed.display()
            )));
        }
        let lock_path = parent.join(format!("{name}.lock"));
        let patience = Instant::now() + LOCK_PATIENCE;
        let lock = loop {
            let mut options = File::options();
            let lock = options.create(true).truncate(false).write(true).open(&lock_path);
            let lock = lock.map_err(|error| at(&lock_path, error))?;
            match lock.try_lock() {
                Ok(()) => break lock,
                Err(TryLockError::WouldBlock) if Instant::now() < patience => {
                    std::thread::sleep(LOCK_LOOK_EVERY);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(failed(format!(
                        "{} is locked: another host, or an engine of this one, uses the profile",
                        lock_path.display()
                    )));
                }
                Err(TryLockError::Error(error)) => return Err(at(&lock_path, error)),
            }
        };
        Ok(Self {
            folder: parent.join(name),
            doomed: parent.join(format!("{name}.removed")),
            temporary: temporary_folder(&parent, name),
            user,
            lock,
            lock_path,
        })
    }

    /// Removes what a killed browser has left.
    pub(crate) fn clean(&self) -> io::Result<()> {
        if let Ok(socket) = fs::read_link(self.folder.join("SingletonSocket"))
            && let Some(folder) = socket.parent()
            && folder
                .file_name()
                .is_some_and(|name| name.to_string_lossy().contains("org.chromium"))
        {
            remove(folder)?;
        }
        for name in LEFT_OVER {
            match fs::remove_file(self.folder.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        if let Some(temporary) = &self.temporary {
            remove(temporary)?;
        }
        remove(&self.doomed)
    }
}

/// Named by the session, or shorter. No session's name begins with a dot.
fn temporary_folder(parent: &Path, name: &str) -> Option<PathBuf> {
    let mut short = String::from(".");
    for byte in &Sha256::digest(name)[..6] {
        // Writing to a string can't fail.
        let _ = write!(short, "{byte:02x}");
    }
    let names = [format!("{name}.tmp"), format!("{short}.tmp")];
    let mut paths = names.into_iter().map(|name| parent.join(name));
    paths.find(|path| path.as_os_str().len() <= LONGEST_TEMPORARY)
}

fn failed(message: String) -> EngineFailure {
    failure(EngineFailureKind::LaunchFailed, STEP, message)
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The first folder on the way that the user can't pass through: Chromium
/// would abort without saying so.
fn closed_to(folder: &Path, user: BrowserUser) -> Option<PathBuf> {
    let ancestors: Vec<_> = folder.ancestors().collect();
    ancestors.into_iter().rev().find_map(|folder| {
        let metadata = fs::metadata(folder).ok()?;
        let bit = if metadata.uid() == user.uid.as_raw() {
            0o100
        } else if metadata.gid() == user.gid.as_raw() {
            0o010
        } else {
            0o001
        };
        (metadata.mode() & bit == 0).then(|| folder.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::config::RunAs;

    fn open_folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
        folder
    }

    async fn take(parent: &Path, name: &str) -> Result<Profile, EngineFailure> {
        let user = BrowserUser::find(&RunAs::UserIfRoot("nobody".into())).unwrap();
        let profile = Profile::take(parent, &name.parse().unwrap(), user).await?;
        profile.make()?;
        Ok(profile)
    }

    #[tokio::test]
    async fn a_profile_has_one_user_at_a_time_and_is_closed_to_others() {
        let parent = open_folder();
        let profile = take(&parent.path().join("profiles"), "one").await.unwrap();
        assert_eq!(fs::metadata(profile.folder()).unwrap().mode() & 0o777, 0o700);
        let refusal = take(&parent.path().join("profiles"), "one").await.unwrap_err();
        assert!(refusal.message.contains("one.lock is locked"), "{refusal}");
        drop(profile);
        take(&parent.path().join("profiles"), "one").await.unwrap();
    }

    #[tokio::test]
    async fn a_profile_is_waited_for_until_the_last_who_shares_its_lock_has_let_go() {
        let parent = open_folder();
        let profile = take(parent.path(), "one").await.unwrap();
        // The same open file, as a sentinel has it.
        let copy = profile.lock.try_clone().unwrap();
        drop(profile);
        let mut next = std::pin::pin!(take(parent.path(), "one"));
        let early = tokio::time::timeout(Duration::from_millis(200), &mut next).await;
        assert!(early.is_err(), "the sentinel still has it");
        drop(copy);
        next.await.unwrap();
    }

    #[tokio::test]
    async fn marks_of_a_killed_browser_are_removed_and_files_kept() {
        let parent = open_folder();
        let folder = take(parent.path(), "one").await.unwrap().folder().to_owned();
        symlink("other-host-77", folder.join("SingletonLock")).unwrap();
        fs::write(folder.join("Local State"), "{}").unwrap();
        take(parent.path(), "one").await.unwrap();
        assert!(folder.join("SingletonLock").symlink_metadata().is_err());
        assert!(folder.join("Local State").exists());
    }

    #[tokio::test]
    async fn temporary_files_go_with_the_next_start_and_with_a_wipe() {
        let parent = open_folder();
        let profile = take(parent.path(), "one").await.unwrap();
        let left = profile.temporary().unwrap().join("org.chromium.Chromium.aaaaaa");
        assert_eq!(fs::metadata(left.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
        fs::create_dir(&left).unwrap();
        drop(profile);
        let profile = take(parent.path(), "one").await.unwrap();
        assert!(!left.exists() && profile.temporary().unwrap().exists());
        fs::create_dir(&left).unwrap();
        drop(profile);
        let user = BrowserUser::find(&RunAs::UserIfRoot("nobody".into())).unwrap();
        let profile = Profile::take(parent.path(), &"one".parse().unwrap(), user).await.unwrap();
        profile.wipe().unwrap();
        assert!(!profile.temporary().unwrap().exists());
    }

    #[test]
    fn temporary_files_are_where_a_socket_can_be() {
        let place = |parent: &str, session: &str| {
            let place = temporary_folder(Path::new(parent), session)?;
            let socket = place.join("org.chromium.Chromium.XXXXXX/SingletonSocket");
            std::os::unix::net::SocketAddr::from_pathname(socket).expect("it is short enough");
            Some(place.to_str().unwrap().to_owned())
        };
        assert_eq!(
            place("/var/lib/pairing/profiles", "one").unwrap(),
            "/var/lib/pairing/profiles/one.tmp"
        );
        let long = ["a", "b"].map(|end| format!("{}{end}", "x".repeat(63)));
        let [a, b] = long.map(|name| place("/var/lib/pairing/profiles", &name).unwrap());
        assert_ne!(a, b, "each has its own");
        for length in 1..200 {
            let parent = format!("/{}", "p".repeat(length));
            assert_eq!(place(&parent, "one").is_some(), length <= 53, "{length}");
            place(&parent, &"x".repeat(64));
        }
    }

    #[tokio::test]
    async fn a_wiped_profile_is_gone_with_what_an_earlier_wipe_left() {
        let parent = open_folder();
        let profile = take(parent.path(), "one").await.unwrap();
        fs::write(profile.folder().join("link"), "x").unwrap();
        profile.wipe().unwrap();
        profile.wipe().unwrap();
        assert!(!profile.folder().exists() && !profile.doomed.exists());
        fs::create_dir(&profile.doomed).unwrap();
        drop(profile);
        assert!(!take(parent.path(), "one").await.unwrap().doomed.exists());
    }

    #[tokio::test]
    async fn a_folder_that_the_browser_cannot_reach_is_named() {
        if !nix::unistd::Uid::effective().is_root() {
            return;
        }
        let closed = tempfile::tempdir().unwrap();
        fs::set_permissions(closed.path(), Permissions::from_mode(0o700)).unwrap();
        let refusal = take(&closed.path().join("profiles"), "one").await.unwrap_err();
        assert!(refusal.message.contains(&*closed.path().to_string_lossy()), "{refusal}");
    }
}
