//! The host's folder: who may enter it, the lock that keeps a second host out,
//! the keys that are made at the first start, and where browsers keep profiles.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use pairing_failpoints::failpoint;
use rand::{TryRngCore, rngs::OsRng};
use secrecy::{SecretSlice, SecretString};

use crate::config::Settings;

/// How long a lock that is held is asked for again, and how often.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Why the folder can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the data folder {} can't be used: {problem}", .folder.display())]
pub struct Unusable {
    folder: PathBuf,
    problem: String,
}

/// The folder, made if needed.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
}

impl DataDir {
    /// Makes the folder. Others can't read what is in it; when the host is root
    /// they may pass through, because the browser's user must reach its profiles.
    pub fn open(settings: &Settings) -> Result<Self, Unusable> {
        let path = settings.data_dir.clone();
        let mode = if nix::unistd::geteuid().is_root() { 0o711 } else { 0o700 };
        let dir = Self { path };
        dir.checked(make_folder(&dir.path, mode))?;
        Ok(dir)
    }

    /// Keeps other hosts out for as long as the answer lives.
    pub fn lock(&self) -> Result<File, Unusable> {
        let file = self.checked(open_private(&self.path.join("lock"), true))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                // A process that a host was just starting when it was killed has the
                // lock, too, until it has become another program.
                Err(TryLockError::WouldBlock) if begun.elapsed() < LOCK_PATIENCE => {
                    std::thread::sleep(LOOK_AGAIN);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(self.unusable(
                        "another pairing-host runs on it; stop that one, or set PAIRING_DATA_DIR",
                    ));
                }
                Err(TryLockError::Error(error)) => return Err(self.unusable(error)),
            }
        }
    }

    /// The embedded database.
    pub fn database_url(&self) -> SecretString {
        format!("sqlite:{}", self.path.join("pairing.db").display()).into()
    }

    /// Browser profiles. When the host is root and the data folder lies where
    /// another user can't get to (such as under `/root`), they are kept in
    /// `/var/lib/pairing-host`, in a folder that is named after the data folder.
    pub fn profiles(&self, settings: &Settings) -> Result<PathBuf, Unusable> {
        if let Some(path) = &settings.profiles_dir {
            return Ok(path.clone());
        }
        let absolute = self.checked(self.path.canonicalize())?;
        if !nix::unistd::geteuid().is_root() || others_may_pass(&absolute) {
            return Ok(absolute.join("profiles"));
        }
        let name = absolute.to_string_lossy().trim_matches('/').replace('/', "-");
        let path = Path::new("/var/lib/pairing-host/profiles-of").join(name);
        self.checked(make_folder(&path, 0o711))?;
        Ok(path)
    }

    /// A key of random bytes, made at first use. Existing data without its key
    /// would be useless, so a damaged key is an error and never replaced.
    pub fn key(&self, name: &str, length: usize) -> Result<SecretSlice<u8>, Unusable> {
        let bytes = self.secret_file(name, || {
            let mut bytes = vec![0; length];
            OsRng.try_fill_bytes(&mut bytes).map_err(io::Error::other)?;
            Ok(bytes)
        })?;
        if bytes.len() != length {
            let problem = format!(
                "keys/{name} has {} bytes instead of {length}: restore it, or remove it so that a new one is made (all logins end then)",
                bytes.len()
            );
            return Err(self.unusable(problem));
        }
        Ok(bytes.into())
    }

    /// A secret file, made by `make` at first use.
    pub fn secret_file(
        &self,
        name: &str,
        make: impl FnOnce() -> io::Result<Vec<u8>>,
    ) -> Result<Vec<u8>, Unusable> {
        let keys = self.path.join("keys");
        self.checked(make_folder(&keys, 0o700))?;
        let path = keys.join(name);
        if !path.exists() {
            self.checked(make().and_then(|bytes| write_new(&keys, &path, &bytes)))?;
        }
        let mut file = self.checked(File::open(&path))?;
        let mode = self.checked(file.metadata())?.permissions().mode();
        if mode & 0o077 != 0 {
            let problem =
                format!("others can read keys/{name} (mode {:o}): chmod 600 it", mode & 0o777);
            return Err(self.unusable(problem));
        }
        let mut bytes = Vec::new();
        self.checked(file.read_to_end(&mut bytes))?;
        Ok(bytes)
    }

    /// Writes a file that only this user can read, in place of an earlier one.
    pub fn put_private(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Unusable> {
        let path = self.path.join(name);
        self.checked(write_new(&self.path, &path, bytes))?;
        Ok(path)
    }

    fn checked<T>(&self, result: io::Result<T>) -> Result<T, Unusable> {
        result.map_err(|error| self.unusable(error))
    }

    fn unusable(&self, problem: impl ToString) -> Unusable {
        Unusable { folder: self.path.clone(), problem: problem.to_string() }
    }
}

/// Makes the folder and what is missing of its parents, all with this mode,
/// whatever the umask says.
fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_folder(parent, mode)?;
    }
    match fs::DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {
            return Ok(());
        }
        made => made?,
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

fn open_private(path: &Path, write: bool) -> io::Result<File> {
    OpenOptions::new().read(true).write(write).create(write).truncate(false).mode(0o600).open(path)
}

/// All or nothing: a crash never leaves half a key.
fn write_new(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = open_private(&temporary, true)?;
    file.set_len(0)?;
    file.write_all(bytes)?;
    failpoint!("data-dir.file.sync");
    file.sync_all()?;
    failpoint!("data-dir.file.rename");
    fs::rename(&temporary, path)?;
    failpoint!("data-dir.file.sync-folder");
    File::open(folder)?.sync_all()
}

fn others_may_pass(path: &Path) -> bool {
    path.ancestors().all(|folder| {
        fs::metadata(folder).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn folder() -> (tempfile::TempDir, DataDir) {
        let temporary = tempfile::tempdir().unwrap();
        let dir = DataDir { path: temporary.path().to_owned() };
        (temporary, dir)
    }

    #[test]
    fn a_key_is_made_once_and_is_private() {
        let (_temporary, dir) = folder();
        let first = dir.key("refresh", 32).unwrap();
        let again = dir.key("refresh", 32).unwrap();
        assert_eq!(first.expose_secret(), again.expose_secret());
        let mode = fs::metadata(dir.path.join("keys/refresh")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_or_readable_key_is_refused_and_kept() {
        let (_temporary, dir) = folder();
        dir.key("refresh", 32).unwrap();
        let path = dir.path.join("keys/refresh");
        fs::write(&path, b"short").unwrap();
        assert!(dir.key("refresh", 32).unwrap_err().to_string().contains("5 bytes"));
        assert_eq!(fs::read(&path).unwrap(), b"short");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(dir.key("refresh", 5).unwrap_err().to_string().contains("chmod 600"));
    }

    #[test]
    fn a_second_host_is_kept_out() {
        let (_temporary, dir) = folder();
        let first = dir.lock().unwrap();
        assert!(dir.lock().unwrap_err().to_string().contains("another pairing-host"));
        drop(first);
        dir.lock().unwrap();
    }
}
