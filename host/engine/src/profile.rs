//! A session's browser profile: a folder of its own, locked while an engine
//! lives. The link is in there, so it is removed only when told to.

use std::{
    fs::{self, File, Permissions, TryLockError},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    time::Duration,
};

use pairing_core::{
    id::SessionName,
    workflow::{EngineFailure, EngineFailureKind},
};

use crate::{config::BrowserUser, failure::failure, process};

const STEP: &str = "preparing the browser profile";

/// What Chromium leaves when it is killed, and then refuses to start over.
const LEFT_OVER: [&str; 3] = ["SingletonLock", "SingletonCookie", "SingletonSocket"];

/// A profile that this host alone uses. Dropping it gives it free.
#[derive(Debug)]
pub(crate) struct Profile {
    folder: PathBuf,
    /// Names end with a dot and a word that no session's name can have.
    doomed: PathBuf,
    user: BrowserUser,
    lock: File,
}

impl Profile {
    /// Locks the session's profile and makes it fit for a start: no process of
    /// an earlier host uses it, and none of its marks are left.
    pub(crate) async fn take(
        parent: &Path,
        session: &SessionName,
        user: BrowserUser,
    ) -> Result<Self, EngineFailure> {
        let (parent, session) = (parent.to_owned(), session.clone());
        let profile = tokio::task::spawn_blocking(move || Self::lock(&parent, &session, user))
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

    /// Makes the folder itself, if needed.
    pub(crate) fn make(&self) -> Result<(), EngineFailure> {
        let at = |error: io::Error| failed(format!("{}: {error}", self.folder.display()));
        fs::create_dir_all(&self.folder).map_err(at)?;
        if self.user.is_other {
            chown(&self.folder, Some(self.user.uid.as_raw()), Some(self.user.gid.as_raw()))
                .map_err(at)?;
        }
        fs::set_permissions(&self.folder, Permissions::from_mode(0o700)).map_err(at)
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
        match fs::rename(&self.folder, &self.doomed) {
            Ok(()) => remove(&self.doomed).map_err(at),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(at(error)),
        }
    }

    fn lock(
        parent: &Path,
        session: &SessionName,
        user: BrowserUser,
    ) -> Result<Self, EngineFailure> {
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
        let lock_path = parent.join(format!("{session}.lock"));
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|error| at(&lock_path, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(failed(format!(
                    "{} is locked: another host, or an engine of this one, uses the profile",
                    lock_path.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(at(&lock_path, error)),
        }
        Ok(Self {
            folder: parent.join(session.as_str()),
            doomed: parent.join(format!("{session}.removed")),
            user,
            lock,
        })
    }

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
        remove(&self.doomed)
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        // Closing is not enough: a child that is being started elsewhere in this
        // process holds a copy of the file until it becomes another program.
        let _ = self.lock.unlock();
    }
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
    async fn a_child_that_is_being_started_does_not_keep_a_profile_locked() {
        let parent = open_folder();
        let profile = take(parent.path(), "one").await.unwrap();
        // The same open file, as a child between fork and exec has it.
        let copy = profile.lock.try_clone().unwrap();
        drop(profile);
        take(parent.path(), "one").await.unwrap();
        drop(copy);
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
