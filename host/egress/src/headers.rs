//! Headers of requests and answers: what is the connection's own is not the
//! handler's.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use secrecy::SecretString;

use crate::{error::EgressError, mask::Mask, secrets::fill, target::Target, upload};

const COUNT: usize = 64;
const BYTES: u32 = 16 * 1024;

/// Said by whoever holds the connection: RFC 9110, 7.6.1. Besides, what the host
/// says itself.
const OF_THE_CONNECTION: [HeaderName; 12] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("http2-settings"),
    header::HOST,
    header::EXPECT,
];

/// Headers as they are sent, and the secrets that are in them.
pub(crate) struct Prepared {
    pub(crate) headers: HeaderMap,
    pub(crate) secrets: BTreeMap<String, SecretString>,
}

/// Leaves out what is the connection's, fills secrets in, and names the host.
pub(crate) fn prepare(
    mut given: HeaderMap,
    target: &Target,
    secrets: &BTreeMap<String, SecretString>,
) -> Result<Prepared, EgressError> {
    let content_length = content_length(&given);
    given.remove(header::CONTENT_LENGTH);
    remove_hop_by_hop(&mut given);
    let mut used = BTreeMap::new();
    let mut headers = HeaderMap::with_capacity(given.len() + 2);
    let authority = HeaderValue::try_from(target.origin.authority());
    headers.insert(header::HOST, authority.map_err(|_| EgressError::Denied)?);
    let mut name = None;
    for (next, value) in given {
        name = next.or(name);
        let Some(name) = &name else { continue };
        headers.append(name, fill(value, secrets, &mut used)?);
    }
    if let Some(length) = content_length {
        if length > upload::LIMIT {
            return Err(EgressError::RequestBodySize(upload::LIMIT));
        }
        headers.insert(header::CONTENT_LENGTH, length.into());
    }
    if !used.is_empty() {
        headers.remove(header::ACCEPT_ENCODING);
    }
    let of_header = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len();
    let bytes = headers.iter().map(of_header).sum::<usize>() + target.path_and_query().len();
    if headers.len() > COUNT || bytes > BYTES as usize {
        return Err(EgressError::RequestHeaderSize(BYTES));
    }
    Ok(Prepared { headers, secrets: used })
}

/// Makes an answer's headers the handler's.
pub(crate) fn clean_answer(headers: &mut HeaderMap, mask: &Mask) {
    remove_hop_by_hop(headers);
    for value in headers.values_mut() {
        let masked = mask.whole(value.as_bytes());
        if masked != value.as_bytes() {
            *value = HeaderValue::from_maybe_shared(masked)
                .unwrap_or_else(|_| HeaderValue::from_static("*"));
        }
    }
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&OF_THE_CONNECTION) {
        headers.remove(name);
    }
}

/// One that can be relied on, or none: then the body is sent in chunks.
fn content_length(headers: &HeaderMap) -> Option<u64> {
    let mut values = headers.get_all(header::CONTENT_LENGTH).iter();
    let digits = values.next()?.to_str().ok()?;
    let is_alone = values.next().is_none();
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_alone && is_number { digits.parse().ok() } else { None }
}
