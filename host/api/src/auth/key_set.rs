//! The issuer's public keys (JWKS), from a file or an address. They are read again
//! now and then, and when a token names a key that is not there, but never more
//! often than once in [`PAUSE`], however many such tokens come.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jsonwebtoken::jwk::{Jwk, JwkSet};
use pairing_core::clock::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

/// Larger sets are refused; real ones have a few kilobytes.
const MAX_BYTES: usize = 64 * 1024;
const MAX_KEYS: usize = 20;
const DEADLINE: Duration = Duration::from_secs(10);
/// Between two readings.
const PAUSE: Duration = Duration::from_secs(60);
/// The same, while there is no set at all.
const PAUSE_WITHOUT_KEYS: Duration = Duration::from_secs(5);
/// So soon a key that was taken out is not accepted any more.
const READ_AGAIN: Duration = Duration::from_secs(300);
/// An issuer that can't be reached is trusted for so long.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Where the set is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySetPlace {
    /// A file's path.
    File(PathBuf),
    /// `https://…`, or `http://…` on loopback.
    Address(Url),
}

/// The set can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    /// Keys that come over plain http can be forged on their way.
    #[error("{0} is no safe place for keys: use https, or http on loopback")]
    Unsafe(Url),
    /// The file can't be read.
    #[error("could not read {0}: {1}")]
    File(PathBuf, std::io::Error),
    /// The issuer gave nothing.
    #[error("could not fetch the key set: {0}")]
    Fetch(#[from] reqwest::Error),
    /// Too large.
    #[error("the key set is larger than {} KiB", MAX_BYTES / 1024)]
    TooLarge,
    /// Too many keys, or none that we can use.
    #[error("the key set has {0} RSA and P-256 keys, where 1 to {MAX_KEYS} are expected")]
    Keys(usize),
    /// Not JSON, or not a set.
    #[error("this is no JSON Web Key Set: {0}")]
    Json(#[from] serde_json::Error),
}

impl KeySetPlace {
    /// Takes a path or an address. A file is looked into at once; an issuer may
    /// come up later than this host.
    pub fn parse(text: &str) -> Result<Self, KeySetError> {
        match Url::parse(text) {
            Ok(url) if url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)) => {
                Ok(Self::Address(url))
            }
            Ok(url) if url.scheme() == "http" => Err(KeySetError::Unsafe(url)),
            _ => {
                let path = PathBuf::from(text);
                parse(&read_file(&path)?)?;
                Ok(Self::File(path))
            }
        }
    }

    async fn read(&self) -> Result<JwkSet, KeySetError> {
        let bytes = match self {
            Self::File(path) => read_file(path)?,
            Self::Address(url) => fetch(url).await?,
        };
        parse(&bytes)
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, KeySetError> {
    std::fs::read(path).map_err(|error| KeySetError::File(path.to_owned(), error))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

async fn fetch(url: &Url) -> Result<Vec<u8>, KeySetError> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(DEADLINE)
        .build()?;
    let mut response = client.get(url.clone()).send().await?.error_for_status()?;
    let mut bytes = Vec::new();
    // Never more than is looked at, whatever the other side sends.
    while bytes.len() <= MAX_BYTES
        && let Some(chunk) = response.chunk().await?
    {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Keys of kinds that we don't know are left out, as RFC 7517 wants it.
fn parse(bytes: &[u8]) -> Result<JwkSet, KeySetError> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    if bytes.len() > MAX_BYTES {
        return Err(KeySetError::TooLarge);
    }
    let set: Set = serde_json::from_slice(bytes)?;
    let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
    let keys: Vec<Jwk> = keys.filter(|key| super::external_key::algorithm(key).is_some()).collect();
    match keys.len() {
        1..=MAX_KEYS => Ok(JwkSet { keys }),
        count => Err(KeySetError::Keys(count)),
    }
}

#[derive(Default)]
struct Known {
    set: Option<Arc<JwkSet>>,
    read_at: Timestamp,
    tried_at: Option<Timestamp>,
}

/// The keys as last read.
pub(super) struct KeySet {
    place: KeySetPlace,
    known: RwLock<Known>,
    /// One reader at a time; the others go on with what is known.
    reading: tokio::sync::Mutex<()>,
}

impl KeySet {
    /// A set that is not read yet.
    pub(super) fn new(place: KeySetPlace) -> Self {
        Self { place, known: RwLock::default(), reading: tokio::sync::Mutex::default() }
    }

    /// The keys that count now.
    pub(super) fn keys(&self, now: Timestamp) -> Option<Arc<JwkSet>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.set.clone().filter(|_| now.since(known.read_at) < MAX_AGE)
    }

    /// Is it time to read again, whatever tokens say?
    pub(super) fn is_old(&self, now: Timestamp) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.set.is_none() || now.since(known.read_at) >= READ_AGAIN
    }

    /// Reads the set again, unless it was tried a short time ago. True: there are
    /// other keys now.
    pub(super) async fn read_again(&self, now: Timestamp) -> bool {
        let Ok(_reading) = self.reading.try_lock() else { return false };
        if !self.may_try(now) {
            return false;
        }
        match self.place.read().await {
            Ok(set) => {
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                let is_other = known.set.as_deref() != Some(&set);
                *known = Known { set: Some(Arc::new(set)), read_at: now, tried_at: Some(now) };
                is_other
            }
            Err(error) => {
                tracing::warn!(%error, "the issuer's keys could not be read; the ones known so far count for up to a day");
                false
            }
        }
    }

    fn may_try(&self, now: Timestamp) -> bool {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let pause = if known.set.is_some() { PAUSE } else { PAUSE_WITHOUT_KEYS };
        let may = known.tried_at.is_none_or(|tried| now.since(tried) >= pause);
        if may {
            known.tried_at = Some(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RSA: &str = r#"{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}"#;

    fn refusal(json: &str) -> KeySetError {
        parse(json.as_bytes()).unwrap_err()
    }

    #[test]
    fn keys_are_taken_from_safe_places_only() {
        let place = |text| KeySetPlace::parse(text);
        assert!(matches!(place("https://a.example/jwks").unwrap(), KeySetPlace::Address(_)));
        assert!(matches!(place("http://127.0.0.1:1/jwks").unwrap(), KeySetPlace::Address(_)));
        assert!(matches!(place("http://a.example/jwks"), Err(KeySetError::Unsafe(_))));
        assert!(matches!(place("/no/such/jwks.json"), Err(KeySetError::File(..))));
    }

    #[test]
    fn a_set_has_bounds_and_unknown_kinds_are_left_out() {
        let set = |keys: &[&str]| format!(r#"{{"keys":[{}]}}"#, keys.join(","));
        let unknown = r#"{"kty":"future"}"#;
        assert_eq!(parse(set(&[RSA, unknown]).as_bytes()).unwrap().keys.len(), 1);
        assert!(matches!(refusal(&set(&[unknown])), KeySetError::Keys(0)));
        assert!(matches!(refusal(&set(&[RSA; 21])), KeySetError::Keys(21)));
        assert!(matches!(refusal(&" ".repeat(MAX_BYTES + 1)), KeySetError::TooLarge));
        assert!(matches!(refusal("[]"), KeySetError::Json(_)));
        let empty_secret = r#"{"kty":"oct","k":""}"#;
        assert!(matches!(refusal(&set(&[empty_secret])), KeySetError::Keys(0)));
    }

    #[tokio::test]
    async fn a_set_is_read_seldom_and_outlives_its_issuer_for_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jwks.json");
        let set = KeySet::new(KeySetPlace::File(path.clone()));
        let start = Timestamp(1_790_000_000_000);
        assert!(!set.read_again(start).await, "no file yet");
        std::fs::write(&path, format!(r#"{{"keys":[{RSA}]}}"#)).unwrap();
        assert!(!set.read_again(start).await, "tried just now");
        let read = start.after(PAUSE_WITHOUT_KEYS);
        assert!(set.read_again(read).await);
        assert!(set.keys(read).is_some() && !set.is_old(read));

        std::fs::write(&path, format!(r#"{{"keys":[{RSA},{}]}}"#, RSA.replace("\"a\"", "\"b\"")))
            .unwrap();
        assert!(!set.read_again(read.after(PAUSE - Duration::from_millis(1))).await);
        assert_eq!(set.keys(read).unwrap().keys.len(), 1);
        let again = read.after(PAUSE);
        assert!(set.read_again(again).await);
        assert_eq!(set.keys(again).unwrap().keys.len(), 2);

        std::fs::remove_file(&path).unwrap();
        assert!(set.is_old(again.after(READ_AGAIN)));
        assert!(!set.read_again(again.after(READ_AGAIN)).await);
        assert!(set.keys(again.after(MAX_AGE - Duration::from_secs(1))).is_some());
        assert!(set.keys(again.after(MAX_AGE)).is_none(), "fails closed");
    }
}
