//! Settings that would expose the host, alone or together, are refused.

use super::{Settings, source::Source};

pub(super) fn check(settings: &Settings, source: &mut Source) {
    let is_loopback = settings.listen.ip().is_loopback();
    if !is_loopback && settings.tls.is_none() && settings.trusted_proxies.is_empty() {
        source.mistake(format!(
            "PAIRING_LISTEN is {}, which others can reach: give PAIRING_TLS_CERT and PAIRING_TLS_KEY, or name the proxy in front in PAIRING_TRUSTED_PROXIES",
            settings.listen
        ));
    }
    if !is_loopback && settings.public_url.is_none() {
        source.mistake(
            "PAIRING_PUBLIC_URL is missing: beyond loopback the host must know the address that browsers use, such as `https://pairing.example.org`",
        );
    }
    if !is_loopback && !settings.rate_limits {
        source.mistake("PAIRING_RATE_LIMITS=off is for load measurements on loopback only");
    }
    if settings.jwt.secret.is_some() && settings.jwt.jwks.is_some() {
        source.mistake(
            "PAIRING_JWT_SECRET and PAIRING_JWT_JWKS exclude each other: tokens are signed with the one or the other",
        );
    }
}
