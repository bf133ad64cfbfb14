//! The issuer's key set (JWKS), from a file or an address. It is read at the
//! start: an issuer that changes its keys needs a restart of the host.

use std::time::Duration;

use anyhow::{Context, bail};
use jsonwebtoken::jwk::JwkSet;

/// Larger sets are refused; real ones have a few kilobytes.
const MAX_BYTES: usize = 64 * 1024;
const DEADLINE: Duration = Duration::from_secs(10);

/// Reads the set from a file's path or an `https://` address (`http://` on
/// loopback).
pub async fn read(place: &str) -> anyhow::Result<JwkSet> {
    let text = match url::Url::parse(place) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => fetch(&url).await,
        _ => std::fs::read(place).map_err(Into::into),
    };
    let text = text.with_context(|| format!("PAIRING_JWT_JWKS: could not read {place}"))?;
    if text.len() > MAX_BYTES {
        bail!("PAIRING_JWT_JWKS: {place} is larger than {} KiB", MAX_BYTES / 1024);
    }
    let set: JwkSet = serde_json::from_slice(&text)
        .with_context(|| format!("PAIRING_JWT_JWKS: {place} is no JSON Web Key Set"))?;
    if set.keys.is_empty() {
        bail!("PAIRING_JWT_JWKS: {place} has no key");
    }
    Ok(set)
}

async fn fetch(url: &url::Url) -> anyhow::Result<Vec<u8>> {
    let is_loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() == "http" && !is_loopback {
        bail!("keys that come over plain http can be forged on their way: use https");
    }
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(DEADLINE)
        .build()?;
    let mut response = client.get(url.clone()).send().await?.error_for_status()?;
    let mut bytes = Vec::new();
    // Never more than is looked at, whatever the other side sends.
    while bytes.len() <= MAX_BYTES {
        match response.chunk().await? {
            Some(chunk) => bytes.extend_from_slice(&chunk),
            None => break,
        }
    }
    Ok(bytes)
}
