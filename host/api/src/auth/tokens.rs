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
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    jwk::{Jwk, PublicKeyUse, ThumbprintHash},
};
use pairing_core::clock::{SharedClock, Timestamp};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    jose::{self, Members},
    principal::{Issuer, Principal},
};
use crate::config::{ExternalIssuer, IssuerKey, LocalKeys};

/// `iss` and `aud` of our own tokens.
const OURS: &str = "pairing-console";
/// `typ` of our own tokens: access tokens by RFC 9068.
const ACCESS_TOKEN: &str = "at+jwt";
/// Longer tokens are not looked at.
const MAX_BYTES: usize = 8 * 1024;
/// Clocks may differ by so many seconds.
const LEEWAY: u64 = 30;
/// Verified tokens that are remembered.
const REMEMBERED: usize = 4096;

/// Why a token is not accepted. The reason is for the log; callers see one and
/// the same 401, or 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Not a token that we accept.
    #[error("{0}")]
    Invalid(&'static str),
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
    external: Option<ExternalIssuer>,
}

impl TokenKeys {
    /// Takes our own key and the external issuer's.
    pub fn new(keys: &LocalKeys, external: Option<ExternalIssuer>) -> Result<Self, UnusableKey> {
        let encoding = EncodingKey::from_ec_der(keys.signing.expose_secret());
        let public = Jwk::from_encoding_key(&encoding, Algorithm::ES256).map_err(UnusableKey)?;
        let decoding = DecodingKey::from_jwk(&public).map_err(UnusableKey)?;
        let id = public.thumbprint(ThumbprintHash::SHA256).map_err(UnusableKey)?;
        Ok(Self { own: OwnKey { id, encoding, decoding }, external })
    }

    /// Issues a token. `login` ties it to a sign-in; without it, it holds until
    /// it expires.
    pub fn issue(
        &self,
        subject: &str,
        username: Option<&str>,
        login: Option<Uuid>,
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
        claims["sid"] = login.map(|login| login.to_string()).into();
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
        // Both change what the signature means; no issuer of ours needs them.
        if header.has("crit") || header.has("b64") {
            return Err(Denied::Invalid("the header demands an extension"));
        }
        match header.text("kid") {
            Some(id) if id == self.own.id => self.verify_own(token, &header, now),
            kid => self.verify_external(token, kid, now),
        }
    }

    fn verify_own(&self, token: &str, header: &Members, now: Timestamp) -> Result<Principal, Denied> {
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
        let login = claims.text("sid").map(Uuid::parse_str).transpose();
        Ok(Principal {
            subject: subject(&claims)?,
            username: claims.text("name").map(str::to_owned),
            issuer: Issuer::Local,
            login: login.map_err(|_| Denied::Invalid("`sid` is no UUID"))?,
            expires_at: expiry(&claims)?,
        })
    }

    fn verify_external(
        &self,
        token: &str,
        kid: Option<&str>,
        now: Timestamp,
    ) -> Result<Principal, Denied> {
        let external = self.external.as_ref().ok_or(Denied::Invalid("no issuer is configured"))?;
        let (algorithm, key) = external_key(&external.key, kid)?;
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

fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    validation
}

fn external_key(
    key: &IssuerKey,
    kid: Option<&str>,
) -> Result<(Algorithm, DecodingKey), Denied> {
    let set = match key {
        IssuerKey::Secret(secret) => {
            let key = DecodingKey::from_secret(secret.expose_secret().as_bytes());
            return Ok((Algorithm::HS256, key));
        }
        IssuerKey::Set(set) => set,
    };
    let mut keys = set.keys.iter().filter(|key| {
        !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption))
            && kid.is_none_or(|kid| key.common.key_id.as_deref() == Some(kid))
    });
    let (Some(jwk), None) = (keys.next(), keys.next()) else {
        return Err(Denied::Invalid("no key, or more than one, goes with the token's `kid`"));
    };
    let algorithm = match &jwk.algorithm {
        jsonwebtoken::jwk::AlgorithmParameters::RSA(_) => Algorithm::RS256,
        jsonwebtoken::jwk::AlgorithmParameters::EllipticCurve(parameters)
            if parameters.curve == jsonwebtoken::jwk::EllipticCurve::P256 =>
        {
            Algorithm::ES256
        }
        _ => return Err(Denied::Invalid("the issuer's key is neither RSA nor P-256")),
    };
    let key = DecodingKey::from_jwk(jwk).map_err(|_| Denied::Invalid("the issuer's key is damaged"))?;
    Ok((algorithm, key))
}

fn decode(
    token: &str,
    key: &DecodingKey,
    validation: &Validation,
    now: Timestamp,
) -> Result<Members, Denied> {
    use jsonwebtoken::errors::ErrorKind;
    let decoded = jsonwebtoken::decode::<Members>(token, key, validation);
    let claims = decoded.map_err(|error| {
        Denied::Invalid(match error.kind() {
            ErrorKind::ExpiredSignature => "the token has expired",
            ErrorKind::ImmatureSignature => "the token is not valid yet",
            ErrorKind::InvalidSignature => "the signature is wrong",
            ErrorKind::InvalidAlgorithm => "the algorithm is not the key's",
            ErrorKind::InvalidIssuer => "`iss` is wrong",
            ErrorKind::InvalidAudience => "`aud` is wrong",
            ErrorKind::MissingRequiredClaim(_) => "a claim is missing",
            _ => "the token can't be read",
        })
    })?;
    let claims = claims.claims;
    for name in ["exp", "nbf", "iat"] {
        // Strings, fractions and negative numbers are times to some readers.
        if claims.0.get(name).is_some_and(|time| !time.is_u64()) {
            return Err(Denied::Invalid("a time is not a whole number of seconds"));
        }
    }
    let issued = claims.0.get("iat").and_then(Value::as_u64).unwrap_or(0);
    if issued > now.0 / 1000 + LEEWAY {
        return Err(Denied::Invalid("the token comes from the future"));
    }
    Ok(claims)
}

fn subject(claims: &Members) -> Result<String, Denied> {
    match claims.text("sub") {
        Some(subject) if !subject.is_empty() && subject.len() <= 255 => Ok(subject.to_owned()),
        _ => Err(Denied::Invalid("`sub` is empty, too long or no text")),
    }
}

fn expiry(claims: &Members) -> Result<Timestamp, Denied> {
    let seconds = claims.0.get("exp").and_then(Value::as_u64);
    let seconds = seconds.ok_or(Denied::Invalid("`exp` is missing"))?;
    Ok(Timestamp(seconds.saturating_mul(1000)))
}

/// `role` or an entry of `roles` names the admin role, in any case.
fn has_role(claims: &Members, external: &ExternalIssuer) -> bool {
    let is_admin = |value: &Value| {
        value.as_str().is_some_and(|role| role.eq_ignore_ascii_case(&external.admin_role))
    };
    let plural = format!("{}s", external.role_claim);
    [&external.role_claim, &plural].into_iter().any(|name| match claims.0.get(name) {
        Some(Value::Array(roles)) => roles.iter().any(is_admin),
        Some(role) => is_admin(role),
        None => false,
    })
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
    pub fn verify(&self, token: &str) -> Result<Principal, Denied> {
        let now = self.clock.now();
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
