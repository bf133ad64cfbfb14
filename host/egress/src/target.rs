//! Where a request wants to go, parsed once.

use url::{Host, Url};

/// A destination and what is asked of it. All that is judged, dialled and sent is
/// taken from here, so that no two parsers can disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) origin: Origin,
    /// As `/a/b`, without dot segments.
    pub(crate) path: String,
    pub(crate) query: Option<String>,
}

/// Scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    /// `https`; else it is `http`.
    pub(crate) is_tls: bool,
    /// Names in lower case and punycode, without a dot at the end.
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
}

impl Target {
    /// Reads an absolute `http` or `https` URL without userinfo. Fails with what
    /// is wrong with it.
    pub(crate) fn parse(url: &str) -> Result<Self, &'static str> {
        let url = Url::parse(url).map_err(|_| "it is no URL")?;
        Self::of_url(&url)
    }

    pub(crate) fn of_url(url: &Url) -> Result<Self, &'static str> {
        let is_tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err("the scheme must be http or https"),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it must not hold a user name or password");
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => Host::Domain(plain_name(name)?),
            Some(Host::Ipv4(address)) => Host::Ipv4(address),
            Some(Host::Ipv6(address)) => Host::Ipv6(address),
            None => return Err("it names no host"),
        };
        let port = match url.port_or_known_default() {
            Some(0) | None => return Err("there is no port 0"),
            Some(port) => port,
        };
        Ok(Self {
            origin: Origin { is_tls, host, port },
            path: url.path().to_owned(),
            query: url.query().map(str::to_owned),
        })
    }

    /// Path and query, as they are sent.
    pub(crate) fn path_and_query(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// Might a receiver that decodes more than the standard asks for read another
    /// path out of it? (`/a/..%2fb`, `/a/%252e%252e/b`, `/a/..;/b`)
    pub(crate) fn is_ambiguous(&self) -> bool {
        let mut decoded = self.path.as_bytes().to_vec();
        loop {
            let hides_dots = decoded.split(|byte| matches!(byte, b'/' | b'\\')).any(|segment| {
                let name = segment.split(|&byte| byte == b';').next().unwrap_or_default();
                matches!(name, b"." | b"..")
            });
            if hides_dots {
                return true;
            }
            let again = percent_decoded(&decoded);
            if again.len() == decoded.len() {
                return false;
            }
            decoded = again;
        }
    }
}

impl Origin {
    /// For the `Host` header.
    pub(crate) fn authority(&self) -> String {
        let default = if self.is_tls { 443 } else { 80 };
        match self.port {
            port if port == default => self.host.to_string(),
            port => format!("{}:{port}", self.host),
        }
    }
}

fn plain_name(name: &str) -> Result<String, &'static str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    if name.len() > 253 || name.split('.').any(|label| label.is_empty() || label.len() > 63) {
        return Err("the host is no name");
    }
    if !name.chars().all(is_plain) {
        return Err("the host must be one exact name, without wildcards");
    }
    Ok(name.to_owned())
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        decoded.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &rest[3..] } else { tail };
    }
    decoded
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(url: &str) -> String {
        Target::parse(url).map_or_else(str::to_owned, |target| target.origin.host.to_string())
    }

    #[test]
    fn one_host_has_one_spelling() {
        for url in [
            "https://bücher.example/",
            "https://BÜCHER.example./",
            "https://xn--bcher-kva.example:443/a",
            "https://bücher。example/",
            "https://b%C3%BCcher.example",
        ] {
            assert_eq!(host(url), "xn--bcher-kva.example", "{url}");
        }
        for url in
            ["http://127.1/", "http://0x7f.0.0.1/", "http://017700000001", "http://2130706433"]
        {
            assert_eq!(host(url), "127.0.0.1", "{url}");
        }
    }

    #[test]
    fn what_is_no_plain_url_is_not_read() {
        for url in [
            "",
            "/path",
            "api.example.com",
            "ftp://api.example.com/",
            "file:///etc/passwd",
            "unix:/run/docker.sock",
            "https://user@api.example.com/",
            "https://user:word@api.example.com/",
            "https://:word@api.example.com/",
            "https://api.example.com../",
            "https://.api.example.com/",
            "https://api..example.com/",
            "https://*.example.com/",
            "https://api.example.com:0/",
            "https://api.example.com:65536/",
            "https://[fe80::1%25eth0]/",
        ] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn dot_segments_are_gone_and_hidden_ones_are_noticed() {
        let path = |url| Target::parse(url).unwrap().path;
        assert_eq!(path("https://a.example/v1/../b"), "/b");
        assert_eq!(path("https://a.example/v1/%2e%2E/b"), "/b");
        assert_eq!(path("https://a.example/v1/.%2e/%2e/b"), "/b");
        assert_eq!(path("https://a.example\\v1\\..\\b"), "/b");
        for hidden in ["..%2fb", "..%5Cb", "%252e%252e/b", "..;x/b", "%2e%2e%2fb", "%25252e%2fb"] {
            let url = format!("https://a.example/v1/{hidden}");
            assert!(Target::parse(&url).unwrap().is_ambiguous(), "{url}");
        }
        for clear in ["a%2fb", "a..b", "...", "%zz", "%", "a;b"] {
            let url = format!("https://a.example/v1/{clear}");
            assert!(!Target::parse(&url).unwrap().is_ambiguous(), "{url}");
        }
    }
}
