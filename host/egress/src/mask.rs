//! Takes the secrets that a request carried out of its answer, so that a granted
//! host that repeats requests does not tell them to the handler. It finds them as
//! they are: not encoded, not in parts. That is why `Accept-Encoding` is not sent
//! along with secrets.

use bytes::{Bytes, BytesMut};
use secrecy::{ExposeSecret, SecretString};

/// Shorter ones would be found in anything.
const SHORTEST: usize = 6;

/// Replaces secrets by as many `*`, also where they are split between pieces.
pub(crate) struct Mask {
    secrets: Vec<SecretString>,
    /// What may be the beginning of one.
    held: BytesMut,
}

impl Mask {
    pub(crate) fn new(secrets: impl Iterator<Item = SecretString>) -> Self {
        let secrets = secrets.filter(|secret| secret.expose_secret().len() >= SHORTEST).collect();
        Self { secrets, held: BytesMut::new() }
    }

    /// Masks a piece; its end may be held back until the next.
    pub(crate) fn feed(&mut self, piece: Bytes) -> Bytes {
        if self.secrets.is_empty() {
            return piece;
        }
        self.held.extend_from_slice(&piece);
        self.masked(false)
    }

    /// Is nothing held back?
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// What was held back.
    pub(crate) fn finish(&mut self) -> Bytes {
        self.masked(true)
    }

    /// Masks all of a text.
    pub(crate) fn whole(&self, text: &[u8]) -> Bytes {
        Self { secrets: self.secrets.clone(), held: text.into() }.finish()
    }

    fn masked(&mut self, is_last: bool) -> Bytes {
        let mut text = std::mem::take(&mut self.held);
        if self.secrets.is_empty() {
            return text.freeze();
        }
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let secrets = self.secrets.iter().map(|secret| secret.expose_secret().as_bytes());
            let may_begin = |secret: &[u8]| secret.len() > rest.len() && secret.starts_with(rest);
            if !is_last && secrets.clone().any(may_begin) {
                self.held = text.split_off(at);
                break;
            }
            let found = secrets.filter(|secret| rest.starts_with(secret)).map(<[u8]>::len).max();
            if let Some(length) = found {
                text[at..at + length].fill(b'*');
            }
            at += found.unwrap_or(1);
        }
        text.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(secrets: &[&str], pieces: &[&str]) -> String {
        let mut mask = Mask::new(secrets.iter().map(|&secret| secret.into()));
        let mut all = Vec::new();
        for piece in pieces {
            all.extend_from_slice(&mask.feed(Bytes::copy_from_slice(piece.as_bytes())));
        }
        all.extend_from_slice(&mask.finish());
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn secrets_are_found_wherever_the_text_is_cut() {
        let text = "{\"key\": \"hush-hush-hush!\", \"hush\": 1}";
        for cut in 0..=text.len() {
            let (one, two) = text.split_at(cut);
            let expected = "{\"key\": \"***************\", \"hush\": 1}";
            assert_eq!(masked(&["hush-hush-hush!"], &[one, two]), expected, "cut at {cut}");
        }
        let single: Vec<String> = text.chars().map(String::from).collect();
        let single: Vec<&str> = single.iter().map(String::as_str).collect();
        assert!(!masked(&["hush-hush-hush!"], &single).contains("hush-"));
    }

    #[test]
    fn the_longer_of_two_secrets_is_masked_whole() {
        let both = ["secret", "secret-of-all"];
        assert_eq!(masked(&both, &["a secret", "-of-all b"]), "a ************* b");
        assert_eq!(masked(&both, &["a secret", "-of-nobody"]), "a ******-of-nobody");
        assert_eq!(masked(&both, &["sec", "retsecr"]), "******secr");
    }

    #[test]
    fn text_without_secrets_is_let_through_at_once() {
        let mut mask = Mask::new(["hush-hush".into(), "ab".into()].into_iter());
        assert_eq!(&mask.feed(Bytes::from_static(b"tell ab")), "tell ab".as_bytes());
        assert_eq!(&mask.feed(Bytes::from_static(b" hu")), " ".as_bytes());
        assert_eq!(&mask.feed(Bytes::from_static(b"m ")), "hum ".as_bytes());
    }
}
