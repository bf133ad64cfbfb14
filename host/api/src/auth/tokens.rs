//! Access tokens: whose are accepted, and the ones that this host issues.
//!
//! Two sets of rules that exclude each other. A token with this host's key id is
//! held to the local rules, any other to those of the configured issuer. The
//! algorithm comes with the key, never from the token.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header,
    jwk::{Jwk, ThumbprintHash},
};
use pairing_core::clock::{SharedClock, Timestamp};
use secrecy::ExposeSecret;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    claims::{decode, expiry, has_role, subject, validation},
    external_key::ExternalKeys,
    jose::{self, Members},
    key_set::KeySet,
    principal::{Issuer, LoginRef, Principal},
};
use crate::config::{ExternalIssuer, IssuerKey, LocalKeys};

/// `iss` and `aud` of our own tokens.
const OURS: &str = "pairing-console";
/// `typ` of our own tokens: access tokens by RFC 9068.
const ACCESS_TOKEN: &str = "at+jwt";
/// Longer tokens are not looked at.
const MAX_BYTES: usize = 8 * 1024;
/// Verified tokens that are remembered.
const REMEMBERED: usize = 4096;

/// Why a token is not accepted. The reason is for the log; callers see one and
/// the same 401, or 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Not a token that we accept.
    #[error("{0}")]
    Invalid(&'static str),
    /// Signed with a key that is not known; it may be new.
    #[error("no key goes with the token's `kid`")]
    UnknownKey,
    /// Valid, but without the admin role.
    #[error("the token lacks the admin role")]
    NotAdmin,
}

/// Our own keys can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the signing key in the data folder can't be used: {0}")]
pub struct UnusableKey(jsonwebtoken::errors::Error);

struct OwnKey {
    id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// Whose tokens are accepted, and how ours are signed.
pub struct TokenKeys {
    own: OwnKey,
    external: Option<(ExternalIssuer, ExternalKeys)>,
}

impl TokenKeys {
    /// Takes our own key and the external issuer's.
    pub fn new(keys: &LocalKeys, external: Option<ExternalIssuer>) -> Result<Self, UnusableKey> {
        let encoding = EncodingKey::from_ec_der(keys.signing.expose_secret());
        let public = Jwk::from_encoding_key(&encoding, Algorithm::ES256).map_err(UnusableKey)?;
        let decoding = DecodingKey::from_jwk(&public).map_err(UnusableKey)?;
        let id = public.thumbprint(ThumbprintHash::SHA256).map_err(UnusableKey)?;
        let external = external.map(|issuer| {
            let keys = match &issuer.key {
                IssuerKey::Secret(secret) => ExternalKeys::Secret(secret.clone()),
                IssuerKey::Set(place) => ExternalKeys::Set(KeySet::new(place.clone())),
            };
            (issuer, keys)
        });
        Ok(Self { own: OwnKey { id, encoding, decoding }, external })
    }

    fn key_set(&self) -> Option<&KeySet> {
        match &self.external {
            Some((_, ExternalKeys::Set(set))) => Some(set),
            _ => None,
        }
    }

    /// Issues a token. `login` ties it to a sign-in that began then; without it,
    /// it holds until it expires.
    pub fn issue(
        &self,
        subject: &str,
        username: Option<&str>,
        login: Option<(Uuid, Timestamp)>,
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<String, UnusableKey> {
        let now = now.0 / 1000;
        let mut claims = json!({
            "iss": OURS,
            "aud": OURS,
            "sub": subject,
            "jti": Uuid::new_v4(),
            "iat": now,
            "nbf": now,
            "exp": now + lifetime.as_secs(),
            "role": "admin",
        });
        claims["name"] = username.into();
        if let Some((login, began_at)) = login {
            claims["sid"] = login.to_string().into();
            claims["auth_time"] = (began_at.0 / 1000).into();
        }
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(ACCESS_TOKEN.into());
        header.kid = Some(self.own.id.clone());
        jsonwebtoken::encode(&header, &claims, &self.own.encoding).map_err(UnusableKey)
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<Principal, Denied> {
        if token.len() > MAX_BYTES {
            return Err(Denied::Invalid("the token is too long"));
        }
        let (header, _) = jose::parts(token).ok_or(Denied::Invalid("this is no signed token"))?;
        // The first two change what the signature means, the others name a key of
        // the token's own choice; no issuer of ours needs them.
        if ["crit", "b64", "jwk", "jku", "x5u", "x5c"].iter().any(|name| header.has(name)) {
            return Err(Denied::Invalid("the header demands an extension or brings a key"));
        }
        match header.text("kid") {
            Some(id) if id == self.own.id => self.verify_own(token, &header, now),
            kid => self.verify_external(token, kid, now),
        }
    }

    fn verify_own(
        &self,
        token: &str,
        header: &Members,
        now: Timestamp,
    ) -> Result<Principal, Denied> {
        if header.text("typ") != Some(ACCESS_TOKEN) {
            return Err(Denied::Invalid("the header's `typ` is wrong"));
        }
        let mut validation = validation(Algorithm::ES256);
        validation.set_issuer(&[OURS]);
        validation.set_audience(&[OURS]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        let claims = decode(token, &self.own.decoding, &validation, now)?;
        if claims.text("role") != Some("admin") {
            return Err(Denied::NotAdmin);
        }
        let login = match (claims.text("sid"), claims.number("auth_time")) {
            (None, None) => None,
            (Some(id), Some(began)) => {
                let id = Uuid::parse_str(id).map_err(|_| Denied::Invalid("`sid` is no UUID"))?;
                Some(LoginRef { id, began_at: Timestamp(began.saturating_mul(1000)) })
            }
            _ => return Err(Denied::Invalid("`sid` and `auth_time` belong together")),
        };
        Ok(Principal {
            subject: subject(&claims)?,
            username: claims.text("name").map(str::to_owned),
            issuer: Issuer::Local,
            login,
            expires_at: expiry(&claims)?,
        })
    }

    fn verify_external(
        &self,
        token: &str,
        kid: Option<&str>,
        now: Timestamp,
    ) -> Result<Principal, Denied> {
        let (external, keys) =
            self.external.as_ref().ok_or(Denied::Invalid("no issuer is configured"))?;
        let (algorithm, key) = keys.choose(kid, now)?;
        let mut validation = validation(algorithm);
        let mut required = vec!["exp", "sub"];
        if let Some(issuer) = &external.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        match &external.audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                required.push("aud");
            }
            None => validation.validate_aud = false,
        }
        validation.set_required_spec_claims(&required);
        let claims = decode(token, &key, &validation, now)?;
        if !has_role(&claims, external) {
            return Err(Denied::NotAdmin);
        }
        Ok(Principal {
            subject: subject(&claims)?,
            username: None,
            issuer: Issuer::External,
            login: None,
            expires_at: expiry(&claims)?,
        })
    }
}

/// Verifies tokens, and remembers the ones that are good: a front end sends the
/// same one again and again.
pub struct Tokens {
    keys: TokenKeys,
    clock: SharedClock,
    good: RwLock<HashMap<[u8; 32], Principal>>,
}

impl Tokens {
    /// A verifier that remembers nothing yet.
    pub fn new(keys: TokenKeys, clock: SharedClock) -> Self {
        Self { keys, clock, good: RwLock::default() }
    }

    /// Who this token speaks for.
    pub async fn verify(&self, token: &str) -> Result<Principal, Denied> {
        let now = self.clock.now();
        if let Some(set) = self.keys.key_set().filter(|set| set.is_old(now)) {
            self.read_again(set, now).await;
        }
        match (self.verify_now(token, now), self.keys.key_set()) {
            (Err(Denied::UnknownKey), Some(set)) if self.read_again(set, now).await => {
                self.verify_now(token, now)
            }
            (verified, _) => verified,
        }
    }

    async fn read_again(&self, set: &KeySet, now: Timestamp) -> bool {
        let is_other = set.read_again(now).await;
        if is_other {
            // What a key vouched for ends with the key.
            self.good.write().unwrap_or_else(PoisonError::into_inner).clear();
        }
        is_other
    }

    fn verify_now(&self, token: &str, now: Timestamp) -> Result<Principal, Denied> {
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        {
            let good = self.good.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(principal) = good.get(&digest).filter(|good| now < good.expires_at) {
                return Ok(principal.clone());
            }
        }
        let principal = self.keys.verify(token, now)?;
        let mut good = self.good.write().unwrap_or_else(PoisonError::into_inner);
        if good.len() >= REMEMBERED {
            good.retain(|_, principal| now < principal.expires_at);
        }
        if good.len() < REMEMBERED {
            good.insert(digest, principal.clone());
        }
        Ok(principal)
    }

    /// The keys, to issue tokens with.
    pub fn keys(&self) -> &TokenKeys {
        &self.keys
    }
}
