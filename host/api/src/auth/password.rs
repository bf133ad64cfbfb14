//! Passwords: which are taken, and how they are kept (argon2id).

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version,
    password_hash::{SaltString, rand_core::OsRng},
};
use pairing_core::store::Admin;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use zxcvbn::Score;

/// Shortest and longest password, in characters.
pub const LENGTH: std::ops::RangeInclusive<usize> = 15..=128;
/// How many are hashed at once: each takes 64 MiB.
const AT_ONCE: usize = 2;
/// How many may wait for that.
const WAITING: usize = 32;
/// Compared with where there is no such user, so that the time tells nothing. No
/// password is known that it would be the hash of.
const NOBODY: &str = "$argon2id$v=19$m=65536,t=3,p=1$cGFpcmluZy1jb25zb2xlIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Too short or too long.
    #[error("the password has {0} characters: it needs 15 to 128; a few unrelated words do well")]
    Length(usize),
    /// Easily guessed.
    #[error(
        "the password is easily guessed: it is common, repeats itself, or holds the user's or the product's name"
    )]
    Common,
    /// It could not be hashed.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

/// A user's name that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a user's name has 1 to 64 characters, without white space or control characters")]
pub struct InvalidUsername;

/// Too many sign-ins at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyAtOnce;

/// May this be a user's name?
pub fn check_username(username: &str) -> Result<(), InvalidUsername> {
    let is_fit = (1..=64).contains(&username.chars().count())
        && !username.chars().any(|c| c.is_control() || c.is_whitespace());
    if is_fit { Ok(()) } else { Err(InvalidUsername) }
}

/// May this be the password of this user?
pub fn check(username: &str, password: &SecretString) -> Result<(), WeakPassword> {
    let password = password.expose_secret();
    let length = password.chars().count();
    if !LENGTH.contains(&length) {
        return Err(WeakPassword::Length(length));
    }
    let names = [username, "whatsapp", "pairing", "console", "finbot"];
    let is_common = zxcvbn::zxcvbn(password, &names).score() < Score::Three;
    if is_common || is_made_of(password, &names) {
        return Err(WeakPassword::Common);
    }
    Ok(())
}

/// Several names in a row are guessed as easily as one.
fn is_made_of(password: &str, names: &[&str]) -> bool {
    let mut rest = password.to_lowercase();
    for name in names.iter().filter(|name| !name.is_empty()) {
        rest = rest.replace(&name.to_lowercase(), "");
    }
    rest.chars().filter(|c| c.is_alphanumeric()).count() < 8
}

/// Hashes a password. Takes a tenth of a second and 64 MiB.
pub fn hash(password: &SecretString) -> Result<String, WeakPassword> {
    let salt = SaltString::generate(&mut OsRng);
    let hash = hasher().hash_password(password.expose_secret().as_bytes(), &salt);
    hash.map(|hash| hash.to_string()).map_err(|error| WeakPassword::Hash(error.to_string()))
}

fn hasher() -> Argon2<'static> {
    // 64 MiB, three passes, one lane; these numbers are within the bounds.
    let params = Params::new(64 * 1024, 3, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Was it made otherwise than passwords are hashed now?
fn is_outdated(hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    let now = hasher();
    let costs = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
    hash.algorithm != Algorithm::Argon2id.ident()
        || hash.version != Some(Version::V0x13.into())
        || Params::try_from(&hash).map(|then| costs(&then)) != Ok(costs(now.params()))
}

/// Checks passwords, few at a time.
pub struct Passwords {
    slots: Semaphore,
    waiting: Semaphore,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { slots: Semaphore::new(AT_ONCE), waiting: Semaphore::new(WAITING) }
    }
}

impl Passwords {
    /// Is it this admin's password? For no admin the answer is no, after as much
    /// work.
    pub async fn is_right(
        &self,
        admin: Option<&Admin>,
        password: SecretString,
    ) -> Result<bool, TooManyAtOnce> {
        let hash = admin.map_or(NOBODY, |admin| &admin.password_hash).to_owned();
        let matches = self.work(move || {
            let parsed = PasswordHash::new(&hash).ok();
            parsed.is_some_and(|hash| {
                hasher().verify_password(password.expose_secret().as_bytes(), &hash).is_ok()
            })
        });
        Ok(matches.await? && admin.is_some())
    }

    /// A hash by today's parameters for a password that is right, where the one
    /// that is kept is by earlier ones. None too when there is no time for it now.
    pub async fn renewed(&self, admin: &Admin, password: SecretString) -> Option<String> {
        if !is_outdated(&admin.password_hash) {
            return None;
        }
        self.hash(password).await.ok()?.ok()
    }

    /// Hashes a new password, in turn with the checks.
    pub async fn hash(
        &self,
        password: SecretString,
    ) -> Result<Result<String, WeakPassword>, TooManyAtOnce> {
        self.work(move || hash(&password)).await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, TooManyAtOnce> {
        let _place = self.waiting.try_acquire().map_err(|_| TooManyAtOnce)?;
        let _slot = self.slots.acquire().await.map_err(|_| TooManyAtOnce)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| TooManyAtOnce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_guessability_decide() {
        let check = |password: &str| check("ana", &password.into());
        assert_eq!(check("short"), Err(WeakPassword::Length(5)));
        assert_eq!(check(&"x".repeat(129)), Err(WeakPassword::Length(129)));
        assert_eq!(check("passwordpassword"), Err(WeakPassword::Common));
        assert_eq!(check("aaaaaaaaaaaaaaaaaaaa"), Err(WeakPassword::Common));
        assert_eq!(check("whatsapppairingconsole"), Err(WeakPassword::Common));
        assert_eq!(check("four calm turtles paint windows"), Ok(()));
        assert_eq!(check("vier ruhige Schildkröten ✓"), Ok(()));
    }

    #[test]
    fn names_have_no_spaces() {
        assert!(check_username("ana@finbot.example").is_ok());
        for name in ["", "a b", "a\n", &"x".repeat(65)] {
            assert!(check_username(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_hash_by_other_parameters_is_outdated() {
        assert!(!is_outdated(&hash(&"right".into()).unwrap()));
        assert!(!is_outdated(NOBODY));
        for (now, then) in [
            ("m=65536", "m=19456"),
            ("t=3", "t=2"),
            ("p=1", "p=2"),
            ("2id", "2i"),
            ("v=19", "v=16"),
        ] {
            assert!(is_outdated(&NOBODY.replace(now, then)), "{then}");
        }
    }

    #[tokio::test]
    async fn the_right_password_is_recognised_and_nobody_has_one() {
        let passwords = Passwords::default();
        let admin = Admin {
            id: uuid::Uuid::new_v4(),
            username: "ana".into(),
            password_hash: hash(&"right".into()).unwrap(),
            created_at: pairing_core::clock::Timestamp(0),
        };
        assert!(admin.password_hash.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"));
        assert!(passwords.is_right(Some(&admin), "right".into()).await.unwrap());
        assert!(!passwords.is_right(Some(&admin), "wrong".into()).await.unwrap());
        assert!(!passwords.is_right(None, "right".into()).await.unwrap());
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let real = PasswordHash::new(&admin.password_hash).unwrap();
        assert_eq!(nobody.algorithm, real.algorithm);
        assert_eq!(nobody.params.as_str(), real.params.as_str(), "takes as long");
        assert_eq!(nobody.hash.unwrap().len(), real.hash.unwrap().len());
    }
}
