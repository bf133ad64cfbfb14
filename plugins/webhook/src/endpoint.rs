//! Where to post, and with which headers: the subscription's settings.

use http::{
    HeaderName, HeaderValue, Uri,
    uri::{PathAndQuery, Scheme},
};

const HEADER: &str = "header.";

/// A receiver, as it was set.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) is_https: bool,
    /// Host and port.
    pub(crate) authority: String,
    pub(crate) path_and_query: String,
    /// Names in small letters.
    pub(crate) headers: Vec<(String, String)>,
}

impl Endpoint {
    /// # Errors
    /// A setting is missing or makes no sense; which, and what to do about it.
    pub(crate) fn read(settings: &[(String, String)]) -> Result<Self, String> {
        let url = settings.iter().find(|(name, _)| name == "url").map(|(_, url)| url.trim());
        let url = url.filter(|url| !url.is_empty()).ok_or(
            "the setting `url` is missing: set it to where events are to be posted, such as \
             https://example.com/hooks",
        )?;
        // The address may hold a token of the receiver's, so it is not repeated.
        let bad = |why: &str| format!("the setting `url` is no address to post to: {why}");
        let uri: Uri = url.parse().map_err(|error| bad(&format!("{error}")))?;
        let is_https = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(bad("it has to begin with https:// or http://")),
        };
        let authority = uri.authority().ok_or_else(|| bad("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad(
                "a name and password have no place in it; give them as a secret, and the setting \
                 `header.authorization` as `Basic {{secret:NAME}}`",
            ));
        }
        let headers = settings
            .iter()
            .filter_map(|(name, value)| Some(header(name.strip_prefix(HEADER)?, value)));
        Ok(Self {
            is_https,
            authority: authority.to_string(),
            path_and_query: uri.path_and_query().map_or("/", PathAndQuery::as_str).to_owned(),
            headers: headers.collect::<Result<_, _>>()?,
        })
    }
}

fn header(name: &str, value: &str) -> Result<(String, String), String> {
    let bad = |why: &str| format!("the setting `{HEADER}{name}` is no header: {why}");
    let parsed: HeaderName = name.parse().map_err(|_| bad("its name is not allowed in HTTP"))?;
    let parsed = parsed.as_str();
    if parsed.starts_with("webhook-") || parsed.starts_with("content-") {
        return Err(bad("it is part of the message; remove the setting"));
    }
    // A placeholder is longer or shorter than its secret; the host looks again.
    HeaderValue::from_str(value).map_err(|_| bad("its value is not allowed in HTTP"))?;
    Ok((parsed.to_owned(), value.to_owned()))
}
