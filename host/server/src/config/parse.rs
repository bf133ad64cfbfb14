//! How the text of a setting becomes its value. An error says what is expected.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

use super::Mode;

pub(super) type Parsed<T> = Result<T, String>;

pub(super) fn text(text: &str) -> Parsed<String> {
    if text.trim().is_empty() { Err("must not be empty".into()) } else { Ok(text.to_owned()) }
}

pub(super) fn mode(text: &str) -> Parsed<Mode> {
    match text {
        "development" => Ok(Mode::Development),
        "production" => Ok(Mode::Production),
        _ => Err("must be `development` or `production`".into()),
    }
}

pub(super) fn on_or_off(text: &str) -> Parsed<bool> {
    match text {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => Err("must be `on` or `off`".into()),
    }
}

pub(super) fn log_filter(text: &str) -> Parsed<String> {
    match text.parse::<tracing_subscriber::filter::Targets>() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!(
            "must be a log filter such as `info` or `info,pairing_engine=debug`: {error}"
        )),
    }
}

pub(super) fn address(text: &str) -> Parsed<SocketAddr> {
    text.parse().map_err(|_| "must be an address with a port, such as `127.0.0.1:8080`".into())
}

pub(super) fn network(text: &str) -> Parsed<IpNet> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse()
        .or_else(|_| address())
        .map_err(|_| format!("`{text}` must be an address or a network, such as `10.0.0.0/8`"))
}

pub(super) fn web_url(text: &str) -> Parsed<Url> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err("must be an address such as `https://example.org/`".into()),
    }
}

pub(super) fn origin(text: &str) -> Parsed<Url> {
    let url = web_url(text).map_err(|error| format!("`{text}` {error}"))?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if is_bare && url.username().is_empty() {
        Ok(url)
    } else {
        Err(format!(
            "`{text}` must be an origin: scheme, host and port alone, such as `https://app.example.org`"
        ))
    }
}

pub(super) fn database_url(text: &str) -> Parsed<SecretString> {
    let schemes = ["sqlite:", "postgres://", "postgresql://"];
    if schemes.iter().any(|scheme| text.starts_with(scheme)) {
        Ok(text.into())
    } else {
        // The text itself may hold a password.
        Err("must begin with `postgres://` or `sqlite:`".into())
    }
}

/// The bytes of the text are the key; fewer than 32 can be guessed.
pub(super) fn jwt_secret(text: &str) -> Parsed<SecretString> {
    let distinct = text.bytes().collect::<std::collections::BTreeSet<_>>().len();
    match text.len() {
        ..32 => Err(format!(
            "has {} bytes; at least 32 are needed, such as `openssl rand -base64 48` gives",
            text.len()
        )),
        _ if distinct < 8 => Err(
            "repeats a few characters; use a random key, such as `openssl rand -base64 48` gives"
                .into(),
        ),
        _ => Ok(text.into()),
    }
}

pub(super) fn path(text: &str) -> Parsed<PathBuf> {
    self::text(text).map(PathBuf::from)
}

pub(super) fn file(text: &str) -> Parsed<PathBuf> {
    let path = path(text)?;
    if path.is_file() { Ok(path) } else { Err(format!("`{text}` is not a file that can be read")) }
}

pub(super) fn folder(text: &str) -> Parsed<PathBuf> {
    let path = path(text)?;
    if path.is_dir() { Ok(path) } else { Err(format!("`{text}` is not a folder")) }
}

pub(super) fn shell_words(text: &str) -> Parsed<Vec<String>> {
    shell_words::split(text)
        .map_err(|error| format!("must be flags as a shell would take them: {error}"))
}

pub(super) fn count(text: &str) -> Parsed<u32> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("must be a whole number from 1".into()),
    }
}

pub(super) fn days(text: &str) -> Parsed<Duration> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let days = count(text).map_err(|_| "must be a whole number of days, from 1")?;
    Ok(DAY.saturating_mul(days))
}

pub(super) fn duration(text: &str) -> Parsed<Duration> {
    let parsed = text.parse::<jiff::SignedDuration>().ok();
    parsed
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "must be a length of time such as `20s`, `3m` or `500ms`".into())
}

pub(super) fn duration_or_off(text: &str) -> Parsed<Option<Duration>> {
    if text == "off" {
        return Ok(None);
    }
    duration(text).map(Some).map_err(|_| "must be a length of time such as `6h`, or `off`".into())
}

/// A browser with less than 64 MiB does not even start.
pub(super) fn bytes(text: &str) -> Parsed<u64> {
    match text.parse::<bytesize::ByteSize>() {
        Ok(size) if size >= bytesize::ByteSize::mib(64) => Ok(size.as_u64()),
        _ => Err("must be an amount of memory such as `1GiB`, from 64MiB".into()),
    }
}
