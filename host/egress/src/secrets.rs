//! Secrets, filled into the values of headers on the way out.

use std::collections::BTreeMap;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::error::EgressError;

const BEGIN: &[u8] = b"{{secret:";
const END: &[u8] = b"}}";

/// Replaces each `{{secret:NAME}}` of the value and notes which were used. A value
/// without any stays as it is, and so does what only looks like one.
pub(crate) fn fill(
    value: HeaderValue,
    secrets: &BTreeMap<String, SecretString>,
    used: &mut BTreeMap<String, SecretString>,
) -> Result<HeaderValue, EgressError> {
    let mut filled = Vec::new();
    let mut last = None;
    let mut rest = value.as_bytes();
    while let Some((before, name, after)) = next_placeholder(rest) {
        let Some(secret) = secrets.get(&name) else {
            return Err(EgressError::UnknownSecret(name.chars().take(64).collect()));
        };
        filled.extend_from_slice(before);
        filled.extend_from_slice(secret.expose_secret().as_bytes());
        used.insert(name.clone(), secret.clone());
        last = Some(name);
        rest = after;
    }
    let Some(name) = last else { return Ok(value) };
    filled.extend_from_slice(rest);
    let mut filled = HeaderValue::from_maybe_shared(bytes::Bytes::from(filled))
        .map_err(|_| EgressError::UnusableSecret(name))?;
    filled.set_sensitive(true);
    Ok(filled)
}

fn next_placeholder(text: &[u8]) -> Option<(&[u8], String, &[u8])> {
    let begin = find(text, BEGIN)?;
    let inside = &text[begin + BEGIN.len()..];
    let end = find(inside, END)?;
    let name = String::from_utf8_lossy(&inside[..end]).into_owned();
    Some((&text[..begin], name, &inside[end + END.len()..]))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(value: &'static str) -> Result<String, EgressError> {
        let secrets = [("key", "s3cr3t"), ("other key", "{{secret:key}}"), ("lines", "a\nb")];
        let secrets = secrets.map(|(name, value)| (name.to_owned(), value.into())).into();
        let value = fill(HeaderValue::from_static(value), &secrets, &mut BTreeMap::new())?;
        Ok(value.to_str().unwrap().to_owned())
    }

    #[test]
    fn placeholders_are_filled_in_wherever_they_stand_and_once() {
        assert_eq!(filled("Bearer {{secret:key}}").unwrap(), "Bearer s3cr3t");
        assert_eq!(filled("{{secret:key}}{{secret:key}}.").unwrap(), "s3cr3ts3cr3t.");
        assert_eq!(filled("a={{secret:other key}}").unwrap(), "a={{secret:key}}");
        for plain in ["", "{{secret:key", "{{ secret:key }}", "{secret:key}", "secret:key}}"] {
            assert_eq!(filled(plain).unwrap(), plain);
        }
    }

    #[test]
    fn what_cannot_be_filled_in_is_named() {
        let unknown = |name: &str| Err(EgressError::UnknownSecret(name.into()));
        assert_eq!(filled("{{secret:key}} {{secret:KEY}}"), unknown("KEY"));
        assert_eq!(filled("{{secret:}}"), unknown(""));
        assert_eq!(filled("{{secret:lines}}"), Err(EgressError::UnusableSecret("lines".into())));
    }
}
