//! Reading what a token claims, once its key is chosen.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use pairing_core::clock::Timestamp;
use serde_json::Value;

use super::{jose::Members, tokens::Denied};
use crate::config::ExternalIssuer;

/// Clocks may differ by so many seconds.
const LEEWAY: u64 = 30;
/// The end of the year 9999: a later `exp` is a mistake, such as milliseconds.
const LAST_SECOND: u64 = 253_402_300_799;

/// Times are checked in `decode`, by the clock that was handed in.
pub(super) fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation
}

pub(super) fn decode(
    token: &str,
    key: &DecodingKey,
    validation: &Validation,
    now: Timestamp,
) -> Result<Members, Denied> {
    use jsonwebtoken::errors::ErrorKind;
    let decoded = jsonwebtoken::decode::<Members>(token, key, validation);
    let claims = decoded.map_err(|error| {
        Denied::Invalid(match error.kind() {
            ErrorKind::InvalidSignature => "the signature is wrong",
            ErrorKind::InvalidAlgorithm => "the algorithm is not the key's",
            ErrorKind::InvalidIssuer => "`iss` is wrong",
            ErrorKind::InvalidAudience => "`aud` is wrong",
            ErrorKind::MissingRequiredClaim(_) => "a claim is missing",
            _ => "the token can't be read",
        })
    })?;
    let claims = claims.claims;
    check_times(&claims, now.0 / 1000)?;
    Ok(claims)
}

fn check_times(claims: &Members, now: u64) -> Result<(), Denied> {
    for name in ["exp", "nbf", "iat", "auth_time"] {
        // Strings, fractions and negative numbers are times to some readers.
        if claims.has(name) && claims.number(name).is_none() {
            return Err(Denied::Invalid("a time is not a whole number of seconds"));
        }
    }
    match claims.number("exp") {
        Some(expiry) if expiry > LAST_SECOND => Err(Denied::Invalid("`exp` is not in seconds")),
        Some(expiry) if expiry + LEEWAY <= now => Err(Denied::Invalid("the token has expired")),
        Some(_) => Ok(()),
        None => Err(Denied::Invalid("`exp` is missing")),
    }?;
    let begins = [claims.number("nbf"), claims.number("iat")].into_iter().flatten().max();
    if begins.is_some_and(|begins| begins > now + LEEWAY) {
        return Err(Denied::Invalid("the token is not valid yet"));
    }
    Ok(())
}

pub(super) fn subject(claims: &Members) -> Result<String, Denied> {
    match claims.text("sub") {
        Some(subject) if !subject.is_empty() && subject.len() <= 255 => Ok(subject.to_owned()),
        _ => Err(Denied::Invalid("`sub` is empty, too long or no text")),
    }
}

pub(super) fn expiry(claims: &Members) -> Result<Timestamp, Denied> {
    let seconds = claims.number("exp").ok_or(Denied::Invalid("`exp` is missing"))?;
    Ok(Timestamp(seconds.saturating_mul(1000)))
}

/// `role` or an entry of `roles` names the admin role, in any case.
pub(super) fn has_role(claims: &Members, external: &ExternalIssuer) -> bool {
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
