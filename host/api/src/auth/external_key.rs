//! Which of the issuer's keys a token is held to, and by which algorithm: that
//! comes with the key, never from the token.

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use pairing_core::clock::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::{key_set::KeySet, tokens::Denied};

/// The issuer's keys.
pub(super) enum ExternalKeys {
    /// HS256.
    Secret(SecretString),
    /// RS256 and ES256.
    Set(KeySet),
}

impl ExternalKeys {
    /// The one key that goes with the token's `kid`.
    pub(super) fn choose(
        &self,
        kid: Option<&str>,
        now: Timestamp,
    ) -> Result<(Algorithm, DecodingKey), Denied> {
        let set = match self {
            Self::Secret(secret) => {
                let key = DecodingKey::from_secret(secret.expose_secret().as_bytes());
                return Ok((Algorithm::HS256, key));
            }
            Self::Set(set) => set.keys(now).ok_or(Denied::UnknownKey)?,
        };
        let fits = |key: &&Jwk| kid.is_none_or(|kid| key.common.key_id.as_deref() == Some(kid));
        let mut keys = set.keys.iter().filter(fits);
        let jwk = keys.next().ok_or(Denied::UnknownKey)?;
        if keys.next().is_some() {
            return Err(Denied::Invalid("more than one key goes with the token's `kid`"));
        }
        let algorithm = algorithm(jwk).ok_or(Denied::UnknownKey)?;
        let key = DecodingKey::from_jwk(jwk);
        Ok((algorithm, key.map_err(|_| Denied::Invalid("the issuer's key is damaged"))?))
    }
}

/// RS256 for RSA, ES256 for P-256; none for keys that sign nothing for us. RSA
/// keys below 2048 bits are refused where signatures are checked.
pub(super) fn algorithm(key: &Jwk) -> Option<Algorithm> {
    if matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption)) {
        return None;
    }
    let (algorithm, name) = match &key.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        _ => return None,
    };
    key.common.key_algorithm.is_none_or(|said| said == name).then_some(algorithm)
}
